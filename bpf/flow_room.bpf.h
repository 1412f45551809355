/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Room for a new connection: a slot that gc finds its entry by, a slot in the ring of half-open
 * flows, and what gives way when the table is full. Closing flows go first, oldest first; an open
 * flow is never lost to a new one.
 */
#pragma once

#include "flow_state.bpf.h"
#include "scratch.bpf.h"

#define RECLAIM_TRIES 16 /* closing flows looked at for one new flow */

/*
 * Removes the flow that has an entry at s->other, if it is closing. Returns whether it was. Uses
 * s->rev.
 */
static __always_inline int remove_if_closing(struct scratch *s)
{
	struct weir_flow *flow = bpf_map_lookup_elem(&conntrack, &s->other);

	if (!flow || weir_flow_state(flow_flags(&s->other, flow, &s->rev), s->other.proto) !=
			     WEIR_STATE_CLOSING)
		return 0;
	flow_delete(&s->other, flow, &s->rev);
	return 1;
}

/* Makes room by the oldest closing flow. */
__noinline int reclaim_closing(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	keep_arg(skb);
	if (!s)
		return 0;
	for (int i = 0; i < RECLAIM_TRIES; i++) {
		if (bpf_map_pop_elem(&closing_keys, &s->other))
			return 0;
		if (remove_if_closing(s))
			return 1;
	}
	return 0;
}

/*
 * The flow that stood in this slot of the ring before: if it is still half open, it is the oldest
 * and goes.
 */
static __always_inline void half_open_evict(struct scratch *s, struct weir_key_slot *k)
{
	struct weir_flow *flow;

	if (!k->used)
		return;
	s->other = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &s->other);
	if (!flow || flow->half_open != k->sequence || (flow->flags & WEIR_FLOW_OPEN))
		return;
	if (!(flow_flags(&s->other, flow, &s->rev) & WEIR_FLOW_SEEN_REPLY))
		flow_delete(&s->other, flow, &s->rev);
}

/*
 * Enters the new flow's key into the ring of half-open flows; s->half_open is its sequence number.
 */
__noinline int half_open_enter(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	struct weir_key_slot *k;
	__u32 at;

	keep_arg(skb);
	if (!s || !c)
		return WEIR_INTERNAL;
	s->half_open = __sync_fetch_and_add(&c->half_open_sequence, 1);
	at = s->half_open & (c->half_open_slots - 1);
	k = bpf_map_lookup_elem(&half_open, &at);
	if (!k)
		return WEIR_INTERNAL;
	half_open_evict(s, k);
	k->key = s->key;
	k->sequence = s->half_open;
	k->used = 1;
	return WEIR_FORWARDED;
}

/*
 * A slot for gc to find an entry by. It is filled before the entry is inserted, so that whoever
 * removes the entry can give it back.
 */
static __always_inline int gc_slot_take(struct __sk_buff *skb, __u32 *ret_slot)
{
	if (!bpf_map_pop_elem(&gc_free, ret_slot))
		return 0;
	return reclaim_closing(skb) && !bpf_map_pop_elem(&gc_free, ret_slot) ? 0 : -1;
}

static __always_inline void gc_slot_fill(__u32 slot, const struct weir_tuple *key)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (!k)
		return;
	k->key = *key;
	k->used = GC_SLOT_USED;
}

/* Where no entry was made. */
static __always_inline void gc_slot_return(__u32 slot)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (k)
		gc_slot_free(k, slot, GC_SLOT_USED);
}
