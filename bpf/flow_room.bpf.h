/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Room for a new connection: a gc slot, a slot in the half-open ring, and what is removed when the
 * table is full. Closing flows are removed first, oldest first; an open flow is never removed for a
 * new one.
 */
#pragma once

#include "flow_state.bpf.h"
#include "scratch.bpf.h"

#define RECLAIM_TRIES 16 /* closing flows examined for one new flow */

/*
 * Removes the flow with an entry at s->other if it is closing. Returns whether it did. Uses
 * s->rev_key.
 */
static __always_inline int remove_if_closing(struct scratch *s)
{
	struct weir_flow *flow = bpf_map_lookup_elem(&conntrack, &s->other);

	if (!flow || weir_flow_state(flow_flags(&s->other, flow, &s->rev_key), s->other.proto) !=
			     WEIR_STATE_CLOSING)
		return 0;
	flow_delete(&s->other, flow, &s->rev_key);
	return 1;
}

/* Removes the oldest closing flow. Returns whether there was one. */
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
 * Removes the flow that this slot of the ring held before, if it is still half open: it is the
 * oldest.
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
	if (!(flow_flags(&s->other, flow, &s->rev_key) & WEIR_FLOW_SEEN_REPLY))
		flow_delete(&s->other, flow, &s->rev_key);
}

/* Enters the new flow's key into the half-open ring; s->half_open becomes its sequence number. */
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
 * Takes a gc slot for an entry. Filled before the entry is inserted, so that any CPU that removes
 * the entry can return the slot.
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

/* Returns a slot whose entry was not inserted. */
static __always_inline void gc_slot_return(__u32 slot)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (k)
		gc_slot_free(k, slot, GC_SLOT_USED);
}
