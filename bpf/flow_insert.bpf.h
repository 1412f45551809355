/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Inserts the entries of a new connection. A translated one gets its reverse entry first, so that
 * no reply can miss; if another connection has the same client port, a free one is searched for.
 */
#pragma once

#include <asm-generic/errno-base.h>

#include "flow_room.bpf.h"
#include "service.bpf.h"

/*
 * The search walks the NAT port range in steps of 1 more than a multiple of this, the product of
 * WEIR_PORT_COUNT's prime factors (2, 3, 7): coprime, so it visits every port. Each flow has a step
 * of its own; a common one would form clusters, and searches would fail while a third of the ports
 * is free.
 */
#define PORT_STEP_UNIT 42
_Static_assert(WEIR_PORT_COUNT == 8 * 81 * 7, "PORT_STEP_UNIT holds the primes of WEIR_PORT_COUNT");

static __always_inline __u32 entry_stamp(const struct scratch *s, __u32 ref, __u32 allow)
{
	return ref ? s->policy_epoch << 1 | !!allow : 0;
}

/* The forward or only entry, from s->query, s->route and s->allowed. */
static __always_inline void make_entry(struct scratch *s)
{
	const struct policy_query *q = &s->query;
	struct weir_flow *e = &s->entry;
	__u32 flags = s->flow_flags | (s->first ? WEIR_FLOW_ORIG_FIRST : 0);

	__builtin_memset(e, 0, sizeof(*e));
	if (q->host_origin)
		flags |= WEIR_FLOW_HOST_ORIGIN;
	if (from_stack(&s->pkt))
		flags |= WEIR_FLOW_VIA_STACK;
	e->nat_addr = flags & WEIR_FLOW_HAIRPIN ? s->route.src : s->route.dst;
	e->nat_port_be = s->route.dport_be;
	e->nat_cport_be = s->route.sport_be;
	e->service_stamp = s->service_epoch;
	e->backend = s->backend;
	e->backend_generation = s->backend_generation;
	e->end[0] = (struct weir_end){ q->src_ref,
				       entry_stamp(s, q->src_ref, s->allowed & ALLOW_EGRESS) };
	e->end[1] = (struct weir_end){ q->dst_ref,
				       entry_stamp(s, q->dst_ref, s->allowed & ALLOW_INGRESS) };
	e->last_seen = s->pkt.now;
	e->flags = flags | packet_bits(&s->pkt, 1);
	if (s->pkt.proto == IPPROTO_TCP &&
	    !s->pkt.begins) /* mid-stream: its SYN-ACK passed before */
		e->flags |= WEIR_FLOW_SYN_ACK;
	e->sequence = s->sequence;
}

/* Key of the reverse entry, from s->route; returns whether the client comes first in it. */
static __always_inline int make_rev_key(struct scratch *s)
{
	return weir_tuple_make(&s->rev_key, &s->route.src, s->route.sport_be, &s->route.dst,
			       s->route.dport_be, s->pkt.proto, s->rev_zone);
}

/*
 * The reverse entry mirrors the forward one and leads back to the frontend. It has no state bits
 * yet: is_young() recognizes an unused one by that.
 */
static __always_inline void make_rev(struct scratch *s)
{
	struct weir_flow *e = &s->rev_entry;
	int client_first = make_rev_key(s);

	*e = s->entry;
	e->nat_addr = s->pkt.dst;
	e->nat_port_be = s->pkt.dport_be;
	e->nat_cport_be = s->pkt.sport_be;
	e->flags &= ~(WEIR_FLOW_ORIG_FIRST | WEIR_FLOW_STATE_BITS);
	e->flags |= WEIR_FLOW_REPLY | (client_first ? WEIR_FLOW_ORIG_FIRST : 0);
	e->gc_slot = s->rev_gc_slot;
}

/*
 * Does the reverse entry found at s->rev_key belong to this packet's flow? Then another CPU made
 * it, or it was left over.
 */
static __always_inline int is_my_rev(struct scratch *s, const struct weir_flow *other)
{
	if (!(other->flags & WEIR_FLOW_REPLY) || weir_forward_zone(other->flags) != s->key.zone ||
	    other->nat_port_be != s->pkt.dport_be || other->nat_cport_be != s->pkt.sport_be ||
	    !weir_addr_equal(&other->nat_addr, &s->pkt.dst))
		return 0;
	if (!(other->flags & WEIR_FLOW_SNAT))
		return 1;
	return !snat_rev_key(other->gc_slot) && weir_tuple_equal(&s->snat_rev, &s->key);
}

/*
 * Does a direct connection, which the pod's own hooks keep, have this client port towards the
 * backend? A packet of a connection under way is of that very one: its pair was lost.
 */
static __always_inline int is_direct_port(struct scratch *s)
{
	const struct weir_flow *direct;

	if ((s->flow_flags & (WEIR_FLOW_OUTSIDE | WEIR_FLOW_SNAT)) != WEIR_FLOW_OUTSIDE ||
	    !s->pkt.begins)
		return 0;
	s->other = s->rev_key;
	s->other.zone = 0;
	direct = bpf_map_lookup_elem(&conntrack, &s->other);
	return direct && !(direct->flags & (WEIR_FLOW_FIN_BOTH | WEIR_FLOW_RST_ANY));
}

/*
 * int, not long: before 6.4 the kernel's map functions return int, and the upper 32 bits of the
 * helper's result are not sign-extended.
 */
static __always_inline int rev_put(struct scratch *s)
{
	return bpf_map_update_elem(&conntrack, &s->rev_key, &s->rev_entry, BPF_NOEXIST);
}

/* A reverse entry of this flow, without its forward entry? */
enum orphan {
	ORPHAN_NONE, /* the pair is complete, or the entry went meanwhile */
	ORPHAN_REMOVED, /* it was left over, and is removed */
	ORPHAN_SHARED, /* another CPU is about to complete it */
};

enum rev_outcome {
	REV_INSERTED,
	REV_MINE, /* it exists: made by another CPU for this flow, or left over */
	REV_PORT_TAKEN, /* another connection has this client port */
	REV_GONE, /* another CPU removed the entry that was in the way */
	REV_NO_ROOM, /* or the insert failed for another reason */
};

/* One attempt with the client port in s->route.sport_be. */
__noinline int rev_try(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_flow *other;
	int r;

	keep_arg(skb);
	if (!s)
		return REV_NO_ROOM;
	make_rev(s);
	if (gc_slot_rename(s->rev_gc_slot, &s->rev_key))
		return REV_NO_ROOM;
	if (is_direct_port(s))
		return REV_PORT_TAKEN;
	r = rev_put(s);
	if (!r)
		return REV_INSERTED;
	other = bpf_map_lookup_elem(&conntrack, &s->rev_key);
	if (!other)
		return r == -EEXIST ? REV_GONE : REV_NO_ROOM;
	if (is_my_rev(s, other))
		return REV_MINE;
	/* a closing connection gives up its port */
	s->other = s->rev_key;
	return remove_if_closing(s) && !rev_put(s) ? REV_INSERTED : REV_PORT_TAKEN;
}

/* Just made by a CPU that has yet to insert the forward entry: no packet has used it. */
static __always_inline int is_young(const struct scratch *s, const struct weir_flow *rev)
{
	return (__s32)(s->pkt.now - rev->last_seen) <= 1 && !(rev->flags & WEIR_FLOW_STATE_BITS);
}

/*
 * This flow's reverse entry exists without a forward entry. A young one belongs to another CPU
 * between its two inserts: it is shared, and the first CPU to insert the forward entry completes
 * the pair. An old one is left over: it is removed and the port is free. With a forward entry, the
 * other CPU's flow stands.
 */
static __always_inline enum orphan take_orphan_rev(struct scratch *s)
{
	struct weir_flow *other;

	if (bpf_map_lookup_elem(&conntrack, &s->key))
		return ORPHAN_NONE;
	make_rev_key(s);
	other = bpf_map_lookup_elem(&conntrack, &s->rev_key);
	if (!other)
		return ORPHAN_NONE;
	if (is_young(s, other))
		return ORPHAN_SHARED;
	return flow_delete_entry(&s->rev_key, other) ? ORPHAN_NONE : ORPHAN_REMOVED;
}

/*
 * Inserts the reverse entry, whose gc slot is s->rev_gc_slot, under the first free client port: the
 * client's own, then a walk through the NAT port range with start and step from the flow's hash;
 * WEIR_PORT_TRIES attempts in all, retries of a port included.
 */
static __always_inline enum weir_reason rev_search(struct __sk_buff *skb, struct scratch *s)
{
	__u32 hash = flow_hash(&s->pkt), at = hash % WEIR_PORT_COUNT, removed = 0;
	__u32 step = 1 + PORT_STEP_UNIT * ((hash >> 16) % (WEIR_PORT_COUNT / PORT_STEP_UNIT));
	enum orphan orphan;
	int r;

	for (int i = 0; i < WEIR_PORT_TRIES; i++) {
		r = rev_try(skb);
		if (r == REV_INSERTED)
			return WEIR_FORWARDED;
		if (r == REV_NO_ROOM)
			return WEIR_TABLE_FULL;
		if (r == REV_GONE)
			continue; /* try the same port again */
		if (r == REV_MINE) {
			orphan = removed ? ORPHAN_NONE : take_orphan_rev(s);
			if (orphan == ORPHAN_NONE)
				return WEIR_RACE;
			/* with WEIR_FLOW_SNAT both entries are linked by their gc slots */
			if (orphan == ORPHAN_SHARED && (s->flow_flags & WEIR_FLOW_SNAT))
				return WEIR_RACE;
			s->rev_shared = orphan == ORPHAN_SHARED;
			if (s->rev_shared)
				return WEIR_FORWARDED;
			removed = 1; /* try the same port again, once */
			continue;
		}
		s->route.sport_be = bpf_htons(WEIR_PORT_MIN + at);
		at = (at + step) % WEIR_PORT_COUNT;
	}
	return WEIR_PORTS_EXHAUSTED;
}

/* Does another CPU's forward entry lead to the reverse entry that this CPU holds? */
static __always_inline int shares_my_rev(const struct scratch *s, const struct weir_flow *other)
{
	return weir_flow_is_pair(other->flags) && other->nat_cport_be == s->entry.nat_cport_be &&
	       other->nat_port_be == s->entry.nat_port_be &&
	       weir_addr_equal(&other->nat_addr, &s->entry.nat_addr);
}

/* Inserts the reverse entry of a translated flow, before the forward entry. */
__noinline int insert_rev(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	if (gc_slot_take(skb, &s->rev_gc_slot))
		return WEIR_TABLE_FULL;
	s->rev_shared = 0;
	make_rev(s);
	gc_slot_fill(s, s->rev_gc_slot, &s->rev_key, WEIR_GC_USED);
	/* the usual case without a call; the search starts over with the client's own port */
	why = s->flow_flags & WEIR_FLOW_OUTSIDE || rev_put(s) ? rev_search(skb, s) : WEIR_FORWARDED;
	if (why || s->rev_shared)
		gc_slot_give_back(s->rev_gc_slot, &s->rev_key);
	else
		why = gc_slot_keep(&s->rev_key, &s->rev_entry);
	s->entry.nat_cport_be = s->route.sport_be;
	return why;
}

/*
 * The forward entry could not be inserted: removes the reverse entry, unless another CPU's forward
 * entry leads to it.
 */
static __always_inline void withdraw_rev(struct scratch *s)
{
	struct weir_flow *other = bpf_map_lookup_elem(&conntrack, &s->key);

	if (s->rev_shared || (other && shares_my_rev(s, other)))
		return;
	flow_delete_entry(&s->rev_key, &s->rev_entry);
}

static __always_inline enum weir_reason put_forward(struct scratch *s)
{
	int r; /* not long: see rev_put() */

	if (s->key.zone & WEIR_ZONE_DIRECT)
		zoned_add(1);
	r = bpf_map_update_elem(&conntrack, &s->key, &s->entry, BPF_NOEXIST);
	if (!r)
		return WEIR_FORWARDED;
	if (s->key.zone & WEIR_ZONE_DIRECT)
		zoned_add(-1);
	return r == -EEXIST ? WEIR_RACE : WEIR_TABLE_FULL;
}

/* For evict_next(). */
static __always_inline void note_newest(const struct scratch *s)
{
	__u32 bucket = s->bucket;
	struct weir_flow_share *share = bpf_map_lookup_elem(&flow_shares, &bucket);

	if (share)
		share->newest = s->gc_slot;
}

/* Inserts the forward or only entry. */
__noinline int insert_forward(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why = WEIR_TABLE_FULL;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	if (!gc_slot_take(skb, &s->gc_slot)) {
		s->entry.gc_slot = s->gc_slot;
		gc_slot_fill(s, s->gc_slot, &s->key, WEIR_GC_HALF_OPEN);
		if (s->flow_flags & WEIR_FLOW_SNAT)
			gc_slots_link(s->gc_slot, s->rev_gc_slot);
		why = put_forward(s);
		if (why)
			gc_slot_give_back(s->gc_slot, &s->key);
		else
			why = gc_slot_keep(&s->key, &s->entry);
		note_newest(s);
	}
	if (why && (s->flow_flags & WEIR_FLOW_TRANSLATED))
		withdraw_rev(s);
	return why;
}

/*
 * Inserts the entries, the reverse entry first. RACE: another CPU made them. The steps are called
 * in sequence, not nested: a call chain shares 512 bytes of stack.
 */
static __always_inline enum weir_reason flow_insert(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why = make_room(skb);

	if (!why)
		make_entry(s);
	if (!why && (s->flow_flags & WEIR_FLOW_TRANSLATED))
		why = insert_rev(skb);
	return why ? why : (enum weir_reason)insert_forward(skb);
}
