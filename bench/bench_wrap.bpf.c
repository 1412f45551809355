// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Puts the packet back as it was before each iteration of BPF_PROG_TEST_RUN,
 * with a port of its own where asked, and calls the program under test. Its own
 * cost is measured with a program that does nothing, and subtracted.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench_wrap.h"

#define ODD 40503 /* times this, a counter visits all of a power of two in no order */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_packet);
} bench_packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} bench_target SEC(".maps");

SEC("tc")
int bench_wrap(struct __sk_buff *skb)
{
	__u32 zero = 0, len;
	struct bench_packet *p = bpf_map_lookup_elem(&bench_packets, &zero);
	__u16 port;

	if (!p)
		return 0;
	len = p->len;
	if (len < 1 || len > BENCH_PACKET_MAX)
		return 0;
	bpf_skb_store_bytes(skb, 0, p->data, len, 0);
	port = bpf_htons(p->port_base + (p->next++ * ODD & p->port_mask));
	bpf_skb_store_bytes(skb, p->port_offset, &port, sizeof(port), 0);
	bpf_tail_call(skb, &bench_target, 0);
	return 0;
}

SEC("tc")
int bench_nothing(struct __sk_buff *skb)
{
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
