/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the wrapper and its user share. */
#pragma once

#include <weir/addr.h>

#define BENCH_PACKET_MAX 128
#define BENCH_FLOWS_MAX (256 * 1024)
#define BENCH_PEERS_MAX (64 * 1024)

/* What differs from packet to packet: the other end's address, and both ports. */
struct bench_flow {
	__u32 peer; /* index of bench_peers[] */
	__be16 sport_be, dport_be;
};

/*
 * The packets of one run: a pattern, and which flows it is sent for, one after the other and again
 * from the first.
 */
struct bench_batch {
	__u8 data[BENCH_PACKET_MAX];
	__u32 len;
	__u32 addr_off; /* of the address that is the peer's; IPv4: its last 4 bytes only */
	__u32 addr_len;
	__u32 l4_off;
	__u32 first, count;
	__u32 next;
};
