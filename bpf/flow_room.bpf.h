/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Room for a new connection: what a pod over its share loses for it (docs/security.md), gc slots,
 * and what is removed when the table is full: closing flows, oldest first.
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

/* ---- Shares ------------------------------------------------------------------------------- */

#define EVICT_VISITS 256 /* gc slots visited for one new flow */
#define EVICT_LOOKUPS 64 /* entries of the bucket looked up for it */
#define EVICT_CANDIDATES 8 /* of them, compared */
#define EVICT_AGE 8 /* ticks after which an unanswered flow is taken without comparing */

/* What a bucket loses first. */
enum evict_class {
	EVICT_UNANSWERED,
	EVICT_HALF_OPEN, /* TCP, answered by a SYN-ACK only */
	EVICT_CHEAP, /* echo, and flows with this node: nothing of the cluster depends on them */
	EVICT_CLOSING,
	EVICT_ANY,
	EVICT_NONE,
};

/* Of the flow with an entry at s->other. Uses s->rev_key. */
static __always_inline __u32 evict_class_of(struct scratch *s, const struct weir_flow *flow)
{
	__u32 flags = flow_flags(&s->other, flow, &s->rev_key);
	__u8 proto = s->other.proto;

	if (!(flags & WEIR_FLOW_SEEN_REPLY))
		return EVICT_UNANSWERED;
	if (proto == IPPROTO_TCP && !(flags & WEIR_FLOW_OPEN))
		return EVICT_HALF_OPEN;
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 || (flags & WEIR_FLOW_HOST_ORIGIN) ||
	    is_own_node(weir_flow_far(&s->other, flow)))
		return EVICT_CHEAP;
	return weir_flow_state(flags, proto) == WEIR_STATE_CLOSING ? EVICT_CLOSING : EVICT_ANY;
}

/* Visits one gc slot, round robin from where the last search of the bucket ended. */
static long evict_visit(__u32 i, void *unused)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	struct weir_key_slot *k;
	struct weir_flow *flow;
	struct eviction *e;
	__u32 slot, class, age;

	if (!s || !c)
		return 1;
	e = &s->eviction;
	slot = e->cursor + i;
	if (slot >= c->gc_slots)
		slot -= c->gc_slots;
	k = bpf_map_lookup_elem(&gc_slots, &slot);
	if (!k || k->bucket != s->bucket ||
	    (k->used != WEIR_GC_HALF_OPEN &&
	     (k->used != WEIR_GC_USED || e->most == EVICT_HALF_OPEN)))
		return 0;
	s->other = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &s->other);
	if (!flow || flow->gc_slot != slot)
		return 0;
	class = evict_class_of(s, flow);
	age = s->pkt.now - flow->last_seen;
	if (class < e->best || (class == e->best && (__s32)(age - e->best_age) > 0)) {
		e->best = class;
		e->best_slot = slot;
		e->best_age = age;
	}
	e->candidates += class <= e->most && class < EVICT_ANY; /* open ones only if all are */
	return (class == EVICT_UNANSWERED && (__s32)age >= EVICT_AGE) ||
	       e->candidates >= EVICT_CANDIDATES || ++e->lookups >= EVICT_LOOKUPS;
}

/*
 * Evicts a flow of s->bucket, of class most or an earlier one: of a few candidates among 256 gc
 * slots the lowest class, and among equals the least recently used. Returns how many entries this
 * call removed. Searches of several CPUs visit different slots.
 */
__noinline int evict(__u32 most)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	struct weir_flow_share *share;
	struct eviction *e;
	__u32 visits, slot;
	struct weir_key_slot *k;
	struct weir_flow *flow;
	int n;

	share = s ? bpf_map_lookup_elem(&flow_shares, &s->bucket) : NULL;
	if (!share || !c || !c->gc_slots)
		return 0;
	visits = EVICT_VISITS < c->gc_slots ? EVICT_VISITS : c->gc_slots;
	e = &s->eviction;
	*e = (struct eviction){ .most = most, .best = EVICT_NONE };
	e->cursor = __sync_fetch_and_add(&share->cursor, visits) % c->gc_slots;
	bpf_loop(visits, evict_visit, NULL, 0);
	if (e->best > most)
		return 0;
	slot = e->best_slot;
	k = bpf_map_lookup_elem(&gc_slots, &slot);
	if (!k || k->bucket != s->bucket)
		return 0;
	s->other = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &s->other);
	/* RACE: the slot may have another flow by now */
	if (!flow || flow->gc_slot != slot || evict_class_of(s, flow) > most)
		return 0;
	n = flow_delete(&s->other, flow, &s->rev_key);
	__sync_fetch_and_add(&share->evicted, !!n);
	return n;
}

/*
 * What the bucket may lose for a new flow that needs so many entries: enum evict_class, or
 * EVICT_NONE for nothing.
 */
static __always_inline __u32 evict_most(const struct weir_flow_share *share,
					const struct weir_config *c, __u32 need)
{
	if (c->entries > c->gc_slots / 2 && (__s32)(share->entries - c->flow_share) > 0)
		return c->entries + need > c->gc_slots - c->gc_slots / WEIR_SHARE_PARTS
			       ? EVICT_ANY
			       : EVICT_CLOSING;
	if (c->half_open > c->half_open_max / 2 &&
	    (__s32)(share->half_open - c->half_open_share) > 0)
		return EVICT_HALF_OPEN;
	return EVICT_NONE;
}

/*
 * Makes room for a new flow (docs/security.md). Below half of the table there is nothing to do.
 * Above, a pod over its share loses its own flows, two at most for a new one, so that what several
 * CPUs let in at once is taken back. Above 7/8 its new flow is dropped if it lost none.
 */
__noinline int make_room(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	struct weir_flow_share *share;
	__u32 most, need, freed = 0;

	keep_arg(skb);
	if (!s || !c)
		return WEIR_INTERNAL;
	s->sequence = __sync_fetch_and_add(&c->flow_sequence, 1);
	s->bucket = weir_pod_bucket(s->query.src_ref ? s->query.src_ref : s->query.dst_ref);
	share = bpf_map_lookup_elem(&flow_shares, &s->bucket);
	if (!share)
		return WEIR_INTERNAL;
	need = s->flow_flags & WEIR_FLOW_TRANSLATED ? 2 : 1;
	most = evict_most(share, c, need);
	for (int i = 0; i < 2 && most != EVICT_NONE; i++) {
		freed += evict(most);
		most = freed < need ? most : evict_most(share, c, need);
	}
	return most == EVICT_ANY && freed < need ? WEIR_OVER_SHARE : WEIR_FORWARDED;
}

/* ---- gc slots ----------------------------------------------------------------------------- */

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

/* use: of a slot that was just taken; it counts from then on. */
static __always_inline void gc_slot_fill(struct scratch *s, __u32 slot,
					 const struct weir_tuple *key, __u32 use)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (!k)
		return;
	k->key = *key;
	k->bucket = s->bucket;
	if (k->used != WEIR_GC_FREE) {
		gc_slot_use(k, WEIR_GC_SUSPECT, WEIR_GC_USED);
		return;
	}
	count_entries(s->bucket, 1, use == WEIR_GC_HALF_OPEN);
	k->used = use;
}

/* Returns a slot whose entry was not inserted. */
static __always_inline void gc_slot_give_back(__u32 slot)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (k)
		gc_slot_return(k, slot);
}
