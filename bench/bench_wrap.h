/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Shared by bench_wrap.bpf.c and bench_prog.c. */
#pragma once

#include <weir/addr.h>

#define BENCH_PACKET_MAX 128
#define BENCH_FLOWS_MAX (256 * 1024)
#define BENCH_PEERS_MAX (64 * 1024)

/* The fields that differ between packets: the peer's address and both ports. */
struct bench_flow {
	__u32 peer; /* index of bench_peers[] */
	__be16 sport_be, dport_be;
};

/* The packets of one test run: a pattern, and the flows to send it for, in a cycle. */
struct bench_batch {
	__u8 data[BENCH_PACKET_MAX];
	__u32 len;
	__u32 addr_off; /* of the peer's address */
	__u32 addr_len; /* 4: IPv4, the last 4 bytes of the address */
	__u32 l4_off;
	__u32 first, count;
	__u32 next;
};
