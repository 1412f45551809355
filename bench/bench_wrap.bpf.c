// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Before each iteration of BPF_PROG_TEST_RUN, rewrites the packet for the next flow of the batch,
 * then calls the program under test. The wrapper's own cost is measured with bench_nothing and
 * subtracted.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <weir/maps.h>

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

/*
 * Lower bounds: the cost of the connection table alone for the same flows, in a table of the same
 * kind and size. IPv4.
 */
#define V4_DST_OFF 30

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WEIR_CONNTRACK_MAX);
	__type(key, struct weir_tuple);
	__type(value, struct weir_flow);
} bench_table SEC(".maps");

/* Key of a packet: flows differ in device, destination and ports. */
static __always_inline int key_of(struct __sk_buff *skb, struct weir_tuple *ret_key)
{
	__u32 *at = (void *)(long)skb->data + V4_DST_OFF;

	__builtin_memset(ret_key, 0, sizeof(*ret_key));
	if ((void *)(at + 2) > (void *)(long)skb->data_end)
		return -1;
	ret_key->addr[0].w[3] = skb->ifindex;
	ret_key->addr[1].w[3] = at[0];
	__builtin_memcpy(ret_key->port_be, &at[1], sizeof(*at));
	return 0;
}

SEC("tc")
int bench_insert(struct __sk_buff *skb)
{
	struct weir_flow flow = {};
	struct weir_tuple key;

	if (key_of(skb, &key))
		return 0;
	return bpf_map_update_elem(&bench_table, &key, &flow, BPF_ANY) ? 0 : -1;
}

/* The least that an established flow costs. */
SEC("tc")
int bench_find(struct __sk_buff *skb)
{
	struct weir_flow *flow;
	struct weir_tuple key;

	if (key_of(skb, &key))
		return 0;
	flow = bpf_map_lookup_elem(&bench_table, &key);
	return flow && !flow->flags ? -1 : 0;
}

/* The least that a new translated flow costs: a miss, and the insertion of both entries. */
SEC("tc")
int bench_pair(struct __sk_buff *skb)
{
	struct weir_flow flow = {};
	struct weir_tuple key;

	if (key_of(skb, &key) || bpf_map_lookup_elem(&bench_table, &key))
		return 0;
	key.zone = 1;
	if (bpf_map_update_elem(&bench_table, &key, &flow, BPF_NOEXIST))
		return 0;
	key.zone = 0;
	return bpf_map_update_elem(&bench_table, &key, &flow, BPF_NOEXIST) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
