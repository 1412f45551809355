// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Puts the packet back as it was before each iteration of BPF_PROG_TEST_RUN,
 * for the next flow of its batch, and calls the program under test. Its own cost
 * is measured with a program that does nothing, and subtracted.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bench_wrap.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_batch);
} bench_batches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_FLOWS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bench_flow);
} bench_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_PEERS_MAX);
	__type(key, __u32);
	__type(value, struct weir_addr);
} bench_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} bench_target SEC(".maps");

SEC("tc")
int bench_wrap(struct __sk_buff *skb)
{
	__u32 zero = 0, len, at, peer;
	struct bench_batch *b = bpf_map_lookup_elem(&bench_batches, &zero);
	struct bench_flow *flow;
	struct weir_addr *addr;

	if (!b)
		return 0;
	at = b->first + b->next;
	b->next = b->next + 1 < b->count ? b->next + 1 : 0;
	flow = bpf_map_lookup_elem(&bench_flows, &at);
	if (!flow)
		return 0;
	peer = flow->peer;
	addr = bpf_map_lookup_elem(&bench_peers, &peer);
	len = b->len;
	if (!addr || len < 1 || len > BENCH_PACKET_MAX)
		return 0;
	bpf_skb_store_bytes(skb, 0, b->data, len, 0);
	if (b->addr_len == 4)
		bpf_skb_store_bytes(skb, b->addr_off, &addr->w[3], 4, 0);
	else
		bpf_skb_store_bytes(skb, b->addr_off, addr, sizeof(*addr), 0);
	bpf_skb_store_bytes(skb, b->l4_off, &flow->sport_be, 4, 0);
	bpf_tail_call(skb, &bench_target, 0);
	return 0;
}

SEC("tc")
int bench_nothing(struct __sk_buff *skb)
{
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
