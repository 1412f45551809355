/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the wrapper and its user share. */
#pragma once

#include <linux/types.h>

#define BENCH_PACKET_MAX 128

struct bench_packet {
	__u8 data[BENCH_PACKET_MAX];
	__u32 len;
	__u32 port_offset; /* of the port that varies */
	__u32 port_base;
	__u32 port_mask; /* number of ports less one; a power of two less one */
	__u32 next;
};
