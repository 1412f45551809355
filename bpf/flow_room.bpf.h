/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Room for a new connection: what a pod over its share loses for it (docs/security.md), gc slots,
 * and what is removed when the table is full: closing flows, oldest first.
 */
#pragma once

#include <asm-generic/errno-base.h>

#include <weir/share.h>

#include "flow_state.bpf.h"
#include "scratch.bpf.h"

#define RECLAIM_TRIES 16 /* closing flows examined for one new flow */

/*
 * Removes the flow with an entry at s->other if it is closing. Returns whether it did.
 */
static __always_inline int remove_if_closing(struct scratch *s)
{
	struct weir_flow *flow = bpf_map_lookup_elem(&conntrack, &s->other);

	if (!flow || weir_flow_state(flow_flags(&s->other, flow, &s->other_rev), s->other.proto) !=
			     WEIR_STATE_CLOSING)
		return 0;
	flow_delete(&s->other, flow, &s->other_rev);
	return 1;
}

/* The same as a function of its own, for a loop: the verifier walks it once. */
__noinline int remove_closing(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	keep_arg(skb);
	return s ? remove_if_closing(s) : 0;
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
		if (remove_closing(skb))
			return 1;
	}
	return 0;
}

/* ---- Shares ------------------------------------------------------------------------------- */

#define EVICT_VISITS 256 /* gc slots visited for one new flow */
#define EVICT_LOOKUPS 32 /* entries of the bucket looked up for it */
#define EVICT_CANDIDATES 4 /* of them, compared */
#define EVICT_SKIP 15 /* new flows without a search, after one that found nothing */
#define EVICT_IDLE 8 /* ticks, about a second: an answer may take as long */

/* What a bucket loses first. */
enum evict_class {
	EVICT_UNANSWERED, /* and without a packet for a second or longer */
	EVICT_HALF_OPEN, /* TCP, answered by a SYN-ACK only, for as long */
	EVICT_CHEAP, /* echo, and flows with this node, which policies never deny (NP-41, NP-42) */
	EVICT_CLOSING, /* and open flows with a RST, which may be forged */
	EVICT_YOUNG, /* half-open, with a packet in the last second: the answer may be on its way */
	EVICT_YOUNG_ANSWERED, /* by a SYN-ACK only */
	EVICT_ANY,
	EVICT_NONE,
};

/* By the flags of the whole flow, with an entry at s->other, and for how many ticks it had no
 * packet. */
static __always_inline __u32 evict_class_of(const struct scratch *s, const struct weir_flow *flow,
					    __u32 flags, __u32 idle)
{
	__u8 proto = s->other.proto;
	int answered = !!(flags & WEIR_FLOW_SEEN_REPLY);
	int handshake = proto == IPPROTO_TCP && !(flags & WEIR_FLOW_OPEN);

	if (!answered || (handshake && !(flags & WEIR_FLOW_RST_ANY))) {
		if ((__s32)idle >= EVICT_IDLE)
			return EVICT_UNANSWERED + answered;
		return s->eviction.keep_young ? EVICT_ANY : EVICT_YOUNG + answered;
	}
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 || (flags & WEIR_FLOW_HOST_ORIGIN) ||
	    (!(flags & WEIR_FLOW_OUTSIDE) && is_own_node(weir_flow_far(&s->other, flow))))
		return EVICT_CHEAP;
	if (weir_flow_state(flags, proto) == WEIR_STATE_CLOSING || (flags & WEIR_FLOW_RST_ANY))
		return EVICT_CLOSING;
	return EVICT_ANY;
}

/* May the flow of this gc slot be evicted, as far as the slot tells? */
static __always_inline int evict_may(const struct weir_key_slot *k, const struct scratch *s)
{
	union weir_gc_mark mark = { .word = READ_WORD(k->mark.word) };

	return mark.bucket == s->bucket &&
	       (mark.used == WEIR_GC_HALF_OPEN ||
		(mark.used == WEIR_GC_USED && !s->eviction.half_open_only));
}

/* Visits the gc slot at the cursor. */
static long evict_visit(__u32 i, void *unused)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	__u32 slot, class, idle, flags;
	struct weir_key_slot *k;
	struct weir_flow *flow;
	struct eviction *e;

	if (!s || !c)
		return 1;
	e = &s->eviction;
	slot = e->cursor;
	e->cursor = slot + 1 < c->gc_slots ? slot + 1 : 0;
	k = bpf_map_lookup_elem(&gc_slots, &slot);
	if (!k || !evict_may(k, s))
		return 0;
	s->other = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &s->other);
	if (!flow || flow->gc_slot != slot)
		return 0;
	flags = flow_joint(&s->other, flow, &s->other_rev, &e->last_seen);
	idle = s->pkt.now - e->last_seen;
	class = evict_class_of(s, flow, flags, idle);
	if (class < e->best || (class == e->best && (__s32)(idle - e->best_idle) > 0)) {
		e->best = class;
		e->best_slot = slot;
		e->best_idle = idle;
		e->best_sequence = flow->sequence;
	}
	e->candidates += class <= e->most && class < EVICT_ANY; /* open ones only if all are */
	return class == EVICT_UNANSWERED || e->candidates >= EVICT_CANDIDATES ||
	       ++e->lookups >= EVICT_LOOKUPS;
}

/*
 * Where to go on after a search that found nothing: behind the pod's flows that it met, or where
 * the pod's flows begin. gc slots are given out in turn, so flows of a flood lie side by side, and
 * the oldest as far behind the newest as there are of them.
 */
static __always_inline __u32 evict_next(const struct weir_flow_share *share,
					const struct weir_config *c, const struct eviction *e)
{
	__u32 n = e->half_open_only ? share->half_open : share->entries;

	return e->lookups ? e->cursor : share->newest + c->gc_slots - n;
}

/*
 * Evicts a flow of s->bucket as s->eviction says: of a few candidates among 256 gc slots the lowest
 * class, and among equals the least recently used. Counts the entries in e->removed.
 */
__noinline int evict(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	struct weir_flow_share *share;
	struct weir_key_slot *k;
	struct weir_flow *flow;
	struct eviction *e;
	__u32 visits, slot, removed;

	keep_arg(skb);
	share = s ? bpf_map_lookup_elem(&flow_shares, &s->bucket) : NULL;
	if (!share || !c || !c->gc_slots)
		return 0;
	visits = EVICT_VISITS < c->gc_slots ? EVICT_VISITS : c->gc_slots;
	e = &s->eviction;
	e->best = EVICT_NONE;
	e->lookups = e->candidates = 0;
	e->cursor = READ_WORD(share->cursor) % c->gc_slots;
	bpf_loop(visits, evict_visit, NULL, 0);
	slot = e->best_slot;
	share->cursor = e->best <= e->most ? slot + 1 : evict_next(share, c, e);
	k = bpf_map_lookup_elem(&gc_slots, &slot);
	if (e->best > e->most || !k)
		return 0;
	s->other = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &s->other);
	if (!flow || flow->sequence != e->best_sequence) /* RACE: it went meanwhile */
		return 0;
	removed = flow_delete(&s->other, flow, &s->other_rev);
	e->removed += removed;
	__sync_fetch_and_add(&share->evicted, !!removed);
	return 0;
}

/*
 * What the bucket may lose for a new flow that needs e->need entries. Returns whether it must.
 * Young flows are kept as if they were open, up to the share of half-open ones: an evicted flow's
 * answer would begin a flow of the pod that answers.
 */
static __always_inline int evict_plan(struct eviction *e, const struct weir_flow_share *share,
				      const struct weir_config *c)
{
	e->half_open_only = !weir_over_share(c, share);
	if (e->half_open_only && !weir_over_half_open_share(c, share))
		return 0;
	e->keep_young = (__s32)(share->half_open - c->half_open_share) <= 0;
	e->most = e->keep_young ? EVICT_CLOSING : EVICT_YOUNG_ANSWERED;
	if (!e->half_open_only &&
	    c->entries + e->need > c->gc_slots - c->gc_slots / WEIR_SHARE_PARTS)
		e->most = EVICT_ANY;
	return 1;
}

/* After a search that found nothing, a few new flows do without one, unless there is no room. */
static __always_inline int may_skip(struct weir_flow_share *share, const struct eviction *e)
{
	__u32 skip = READ_WORD(share->skip);

	if (e->most == EVICT_ANY || !skip)
		return 0;
	share->skip = skip - 1;
	return 1;
}

static __always_inline __u32 bucket_of_flow(const struct scratch *s)
{
	if (s->flow_flags & WEIR_FLOW_OUTSIDE)
		return WEIR_OUTSIDE_BUCKET;
	return weir_pod_bucket(s->query.src_ref ? s->query.src_ref : s->query.dst_ref);
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
	struct eviction *e;

	keep_arg(skb);
	if (!s || !c)
		return WEIR_INTERNAL;
	s->sequence = __sync_fetch_and_add(&c->flow_sequence, 1);
	s->bucket = bucket_of_flow(s);
	share = bpf_map_lookup_elem(&flow_shares, &s->bucket);
	if (!share)
		return WEIR_INTERNAL;
	e = &s->eviction;
	e->need = s->flow_flags & WEIR_FLOW_TRANSLATED ? 2 : 1;
	e->removed = 0;
	if (!evict_plan(e, share, c) || may_skip(share, e))
		return WEIR_FORWARDED;
	evict(skb);
	if (e->removed < e->need || evict_plan(e, share, c))
		evict(skb);
	if (!e->removed && e->best > e->most) /* not where another CPU took the flow it found */
		share->skip = EVICT_SKIP;
	return e->most == EVICT_ANY && e->removed < e->need ? WEIR_OVER_SHARE : WEIR_FORWARDED;
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

/* Fills a gc slot that was just taken; it counts from then on. */
static __always_inline void gc_slot_fill(struct scratch *s, __u32 slot,
					 const struct weir_tuple *key, __u16 use)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (!k)
		return;
	k->key = *key;
	k->mark.bucket = s->bucket;
	gc_slot_use(k, WEIR_GC_FREE, use);
}

/* Links the slots of the two entries of a flow with WEIR_FLOW_SNAT. */
static __always_inline void gc_slots_link(__u32 a, __u32 b)
{
	struct weir_key_slot *first = bpf_map_lookup_elem(&gc_slots, &a),
			     *second = bpf_map_lookup_elem(&gc_slots, &b);

	if (!first || !second)
		return;
	first->other = b;
	second->other = a;
}

/* RACE: gc frees a slot when it finds no entry for it in two rounds. */
static __always_inline int gc_slot_is_mine(const struct weir_key_slot *k,
					   const struct weir_tuple *key)
{
	__u16 used = READ_WORD(k->mark.used);

	return (used == WEIR_GC_USED || used == WEIR_GC_HALF_OPEN) &&
	       weir_tuple_equal(&k->key, key);
}

/* Gives a filled slot another key. -EBUSY: gc freed it. */
static __always_inline int gc_slot_rename(__u32 slot, const struct weir_tuple *key)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (!k || (k->mark.used != WEIR_GC_USED && !gc_slot_use(k, WEIR_GC_SUSPECT, WEIR_GC_USED)))
		return -EBUSY;
	k->key = *key;
	return 0;
}

/*
 * After an insert: removes the entry again if gc freed its slot meanwhile, since nothing else would
 * find it. Returns RACE if so.
 */
static __always_inline enum weir_reason gc_slot_keep(const struct weir_tuple *key,
						     const struct weir_flow *flow)
{
	__u32 slot = flow->gc_slot;
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (k && gc_slot_is_mine(k, key))
		return WEIR_FORWARDED;
	flow_delete_entry(key, flow);
	return WEIR_RACE;
}

/* Returns a slot whose entry, with that key, was not inserted. gc may have freed it meanwhile. */
static __always_inline void gc_slot_give_back(__u32 slot, const struct weir_tuple *key)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (k && weir_tuple_equal(&k->key, key))
		gc_slot_return(k, slot);
}
