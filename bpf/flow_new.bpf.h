/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * New flows: what may begin one, where it goes, who judges, and its entries.
 * A denied flow leaves no entry. When the table is full, closing flows make
 * room, oldest first; an open flow is never lost to a new one.
 */
#pragma once

#include "event.bpf.h"
#include "flow.bpf.h"

#define EEXIST 17

#define RECLAIM_TRIES 16 /* closing flows looked at for one new flow */
/*
 * The walk through the reserved ports steps by 1 more than a multiple of this,
 * the product of WEIR_PORT_COUNT's primes (2, 3, 7): no common divisor, so it
 * visits every port. Each flow has a step of its own; one for all would make
 * clusters, and searches fail while a third of the ports is free.
 */
#define PORT_STEP 42
_Static_assert(WEIR_PORT_COUNT == 8 * 81 * 7, "PORT_STEP holds the primes of WEIR_PORT_COUNT");

/* Both local ends, proven. SPOOFED when the source claims to be a pod that is not behind the arriving device. */
static __always_inline enum weir_reason find_ends(struct scratch *s)
{
	struct question *q = &s->question;
	struct pkt *p = &s->pkt;
	__u32 ref = ref_by_device(s, p->device);
	struct weir_pod *pod = pod_by_ref(ref), *src;

	if (!pod)
		return WEIR_UNKNOWN_DEVICE;
	if (p->hook == FROM_POD) {
		if (!pod_has_addr(pod, &p->src, p->v6))
			return WEIR_SPOOFED;
		q->src_ref = ref;
		return WEIR_FORWARDED;
	}
	if (!p->multicast && !pod_has_addr(pod, &p->dst, p->v6))
		return WEIR_NOT_FOR_POD;
	q->dst_ref = ref;
	q->src_ref = pod_ref_by_addr(&p->src);
	src = pod_by_ref(q->src_ref);
	return src && src->ifindex != p->from_device ? WEIR_SPOOFED : WEIR_FORWARDED;
}

/* ---- Room ------------------------------------------------------------------------------------- */

/* Removes the flow that has an entry at s->other, if it is closing. Returns whether it was. Uses s->twin. */
static __always_inline int remove_if_closing(struct scratch *s)
{
	struct weir_flow *flow = bpf_map_lookup_elem(&conntrack, &s->other);

	if (!flow || weir_flow_state(flow_flags(&s->other, flow, &s->twin), s->other.proto) != WEIR_STATE_CLOSING)
		return 0;
	flow_delete(&s->other, flow, &s->twin);
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

/* The flow that stood at this place of the ring before: if it is still half open, it is the oldest and goes. */
static __always_inline void half_open_evict(struct scratch *s, struct weir_flow_key *k)
{
	struct weir_flow *flow;

	if (!k->used)
		return;
	s->other = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &s->other);
	if (!flow || flow->half_open != k->sequence || (flow->flags & WEIR_FLOW_OPEN))
		return;
	if (!(flow_flags(&s->other, flow, &s->twin) & WEIR_FLOW_SEEN_REPLY))
		flow_delete(&s->other, flow, &s->twin);
}

/* Enters the new flow's key into the ring of half-open flows; s->half_open is its sequence number. */
__noinline int half_open_enter(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_config *c = config_get();
	struct weir_flow_key *k;
	__u32 at;

	keep_arg(skb);
	if (!s || !c)
		return WEIR_NO_SCRATCH;
	s->half_open = __sync_fetch_and_add(&c->half_open_sequence, 1);
	at = s->half_open & (c->half_open_places - 1);
	k = bpf_map_lookup_elem(&half_open, &at);
	if (!k)
		return WEIR_NO_SCRATCH;
	half_open_evict(s, k);
	k->key = s->key;
	k->sequence = s->half_open;
	k->used = 1;
	return WEIR_FORWARDED;
}

/*
 * A place for the sweep to find an entry by. It is filled before the entry is
 * inserted, so that whoever removes the entry can give it back.
 */
static __always_inline int place_take(struct __sk_buff *skb, __u32 *ret_place)
{
	if (!bpf_map_pop_elem(&free_keys, ret_place))
		return 0;
	return reclaim_closing(skb) && !bpf_map_pop_elem(&free_keys, ret_place) ? 0 : -1;
}

static __always_inline void place_fill(__u32 place, const struct weir_tuple *key)
{
	struct weir_flow_key *k = bpf_map_lookup_elem(&flow_keys, &place);

	if (!k)
		return;
	k->key = *key;
	k->used = PLACE_USED;
}

/* Where no entry was made. */
static __always_inline void place_return(__u32 place)
{
	struct weir_flow_key *k = bpf_map_lookup_elem(&flow_keys, &place);

	if (k)
		place_free(k, place, PLACE_USED);
}

/* ---- Entries ---------------------------------------------------------------------------------- */

static __always_inline __u32 entry_stamp(const struct scratch *s, __u32 ref, __u32 allow)
{
	return ref ? s->policy_epoch << 1 | !!allow : 0;
}

/* The forward or only entry, from what was decided. */
static __always_inline void make_entry(struct scratch *s)
{
	const struct question *q = &s->question;
	struct weir_flow *e = &s->entry;
	__u32 flags = s->first ? WEIR_FLOW_ORIG_FIRST : 0;

	__builtin_memset(e, 0, sizeof(*e));
	if (s->route.translated)
		flags |= WEIR_FLOW_TRANSLATED;
	if (s->by_service)
		flags |= WEIR_FLOW_SERVICE;
	flags |= s->route.translated & WEIR_FLOW_HAIRPIN;
	if (s->key.mark)
		flags |= WEIR_FLOW_MARKED;
	if (q->host_origin)
		flags |= WEIR_FLOW_HOST_ORIGIN;
	if (s->pkt.hook == TO_POD)
		flags |= WEIR_FLOW_VIA_STACK;
	e->nat_addr = s->route.nat_addr;
	e->nat_port_be = s->route.nat_port_be;
	e->nat_cport_be = s->route.nat_cport_be;
	e->service_stamp = s->service_epoch;
	e->backend = s->backend;
	e->backend_generation = s->backend_generation;
	e->end[0] = (struct weir_end){ q->src_ref, entry_stamp(s, q->src_ref, s->allowed & ALLOW_EGRESS) };
	e->end[1] = (struct weir_end){ q->dst_ref, entry_stamp(s, q->dst_ref, s->allowed & ALLOW_INGRESS) };
	e->last_seen = s->pkt.now;
	e->flags = flags | packet_bits(&s->pkt, 1);
	e->place = s->place;
	e->half_open = s->half_open;
}

/* Key of the reply's entry, from what was decided; returns whether the client stands first in it. */
static __always_inline int make_twin_key(struct scratch *s)
{
	return weir_tuple_make(&s->twin, &s->seen_client, s->route.nat_cport_be, &s->question.dst,
			       s->route.nat_port_be, s->pkt.proto, 0);
}

/* The reply's entry mirrors the forward one, and leads back to the frontend. */
static __always_inline void make_twin(struct scratch *s)
{
	struct weir_flow *e = &s->twin_entry;
	int client_first = make_twin_key(s);

	*e = s->entry;
	e->nat_addr = s->pkt.dst;
	e->nat_port_be = s->pkt.dport_be;
	e->nat_cport_be = s->pkt.sport_be;
	e->flags &= ~(WEIR_FLOW_ORIG_FIRST | WEIR_FLOW_STATE_BITS);
	e->flags |= WEIR_FLOW_REPLY | (client_first ? WEIR_FLOW_ORIG_FIRST : 0);
	e->place = s->twin_place;
}

/* Does the reply entry in the way belong to my own frontend key? Then another CPU was faster. */
static __always_inline int is_my_twin(const struct scratch *s, const struct weir_flow *other)
{
	return (other->flags & WEIR_FLOW_REPLY) && !!(other->flags & WEIR_FLOW_MARKED) == !!s->key.mark &&
	       other->nat_port_be == s->pkt.dport_be && other->nat_cport_be == s->pkt.sport_be &&
	       weir_addr_equal(&other->nat_addr, &s->pkt.dst);
}

/* int, not long: before 6.4 a map's function sets only the lower half of the result, so no long equals -EEXIST. */
static __always_inline int twin_put(struct scratch *s)
{
	make_twin(s);
	place_fill(s->twin_place, &s->twin);
	return bpf_map_update_elem(&conntrack, &s->twin, &s->twin_entry, BPF_NOEXIST);
}

enum orphan {
	ORPHAN_NONE,
	ORPHAN_GONE,
	ORPHAN_ADOPTED,
};

enum twin_insert {
	TWIN_IN, /* inserted */
	TWIN_MINE, /* it is there already: mine, made by another CPU or left over */
	TWIN_TAKEN, /* another connection has this port */
	TWIN_GONE, /* another CPU removed what was in the way */
	TWIN_NO_ROOM,
};

/* One try with the client port in s->route.nat_cport_be. */
__noinline int twin_try(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_flow *other;
	int r;

	keep_arg(skb);
	if (!s)
		return TWIN_NO_ROOM;
	r = twin_put(s);
	if (!r)
		return TWIN_IN;
	other = bpf_map_lookup_elem(&conntrack, &s->twin);
	if (!other)
		return r == -EEXIST ? TWIN_GONE : TWIN_NO_ROOM;
	if (is_my_twin(s, other))
		return TWIN_MINE;
	/* a connection that is over gives its port up */
	s->other = s->twin;
	if (!remove_if_closing(s))
		return TWIN_TAKEN;
	make_twin(s); /* removing used s->twin */
	r = bpf_map_update_elem(&conntrack, &s->twin, &s->twin_entry, BPF_NOEXIST);
	return r ? TWIN_TAKEN : TWIN_IN;
}

/* Just made, by a CPU that has not come to the forward entry yet: nothing has happened to it. */
static __always_inline int is_young(const struct scratch *s, const struct weir_flow *twin)
{
	return (__s32)(s->pkt.now - twin->last_seen) <= 1 && !(twin->flags & WEIR_FLOW_STATE_BITS);
}

/*
 * My twin without its forward entry. A young one is another CPU's that is between its two
 * inserts: it is taken for mine, and whichever of us inserts the forward entry first has made the pair. An old one is a
 * leftover: it goes, and the port is mine. Else the other CPU's flow stands.
 */
static __always_inline enum orphan take_orphan_twin(struct scratch *s)
{
	struct weir_flow *other;

	if (bpf_map_lookup_elem(&conntrack, &s->key))
		return ORPHAN_NONE;
	make_twin_key(s);
	other = bpf_map_lookup_elem(&conntrack, &s->twin);
	if (!other)
		return ORPHAN_NONE;
	if (is_young(s, other))
		return ORPHAN_ADOPTED;
	return flow_delete_entry(&s->twin, other) ? ORPHAN_NONE : ORPHAN_GONE;
}

/*
 * Inserts the reply's entry, whose place is s->twin_place, under the first free client port: the client's own,
 * then a walk through the reserved range, whose start and step the flow's hash
 * gives; WEIR_PORT_TRIES in all.
 */
static __always_inline enum weir_reason twin_search(struct __sk_buff *skb, struct scratch *s)
{
	__u32 hash = flow_hash(&s->pkt), at = hash % WEIR_PORT_COUNT, orphans = 0;
	__u32 step = 1 + PORT_STEP * ((hash >> 16) % (WEIR_PORT_COUNT / PORT_STEP));
	enum orphan orphan;
	int r;

	for (int i = 0; i < WEIR_PORT_TRIES; i++) {
		r = twin_try(skb);
		if (r == TWIN_IN)
			return WEIR_FORWARDED;
		if (r == TWIN_NO_ROOM)
			return WEIR_TABLE_FULL;
		if (r == TWIN_GONE)
			continue; /* the same port again */
		if (r == TWIN_MINE) {
			orphan = orphans ? ORPHAN_NONE : take_orphan_twin(s);
			if (orphan == ORPHAN_NONE)
				return WEIR_RACE;
			s->adopted = orphan == ORPHAN_ADOPTED;
			if (s->adopted)
				return WEIR_FORWARDED;
			orphans = 1; /* the same port again, once */
			continue;
		}
		s->route.nat_cport_be = bpf_htons(WEIR_PORT_MIN + at);
		at = (at + step) % WEIR_PORT_COUNT;
	}
	return WEIR_PORTS_EXHAUSTED;
}

/* Does the entry that another CPU made lead to the reply entry that I hold for mine? */
static __always_inline int shares_my_twin(const struct scratch *s, const struct weir_flow *other)
{
	return weir_flow_is_pair(other->flags) && other->nat_cport_be == s->route.nat_cport_be &&
	       other->nat_port_be == s->route.nat_port_be && weir_addr_equal(&other->nat_addr, &s->route.nat_addr);
}

static __always_inline enum weir_reason insert_reply(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;

	if (place_take(skb, &s->twin_place))
		return WEIR_TABLE_FULL;
	s->route.nat_cport_be = s->pkt.sport_be;
	s->adopted = 0;
	why = twin_put(s) ? twin_search(skb, s) : WEIR_FORWARDED;
	if (why || s->adopted)
		place_return(s->twin_place);
	s->entry.nat_cport_be = s->route.nat_cport_be;
	return why;
}

/* The forward entry could not be made: my reply's goes again, unless another CPU's forward entry leads to it. */
static __always_inline void withdraw_reply(struct scratch *s)
{
	struct weir_flow *other = bpf_map_lookup_elem(&conntrack, &s->key);

	if (s->adopted || (other && shares_my_twin(s, other)))
		return;
	make_twin_key(s); /* making room used s->twin */
	flow_delete_entry(&s->twin, &s->twin_entry);
}

/*
 * The entries. The reply's goes first, so that no reply can miss. RACE: another
 * CPU made them.
 */
static __always_inline enum weir_reason insert_entries(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;
	int r; /* not long: see twin_put() */

	make_entry(s);
	if (s->route.translated) {
		why = insert_reply(skb, s);
		if (why)
			return why;
	}
	if (s->key.mark)
		marked_add(1);
	r = bpf_map_update_elem(&conntrack, &s->key, &s->entry, BPF_NOEXIST);
	if (!r)
		return WEIR_FORWARDED;
	if (s->key.mark)
		marked_add(-1);
	if (s->route.translated)
		withdraw_reply(s);
	return r == -EEXIST ? WEIR_RACE : WEIR_TABLE_FULL;
}

/* Place, ring, entries. */
__noinline int flow_insert(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	keep_arg(skb);
	if (!s)
		return WEIR_NO_SCRATCH;
	if (place_take(skb, &s->place))
		return WEIR_TABLE_FULL;
	place_fill(s->place, &s->key);
	why = half_open_enter(skb);
	if (!why)
		why = insert_entries(skb, s);
	if (why)
		place_return(s->place);
	return why;
}

/* ---- Decisions ---------------------------------------------------------------------------------- */

/* Neither translated nor judged by any set, or sent by this node itself: needs no entry to be let through. */
static __always_inline int needs_no_entry(const struct scratch *s)
{
	const struct question *q = &s->question;
	struct weir_pod *src, *dst;

	if (s->route.translated)
		return 0;
	if (q->host_origin)
		return 1;
	src = pod_by_ref(q->src_ref);
	dst = pod_by_ref(q->dst_ref);
	return !(src && weir_pod_is_judged(READ_WORD(src->word))) &&
	       !(dst && weir_pod_is_judged(READ_WORD(dst->word)));
}

#define NS_PER_S 1000000000ull

/* Flows without entries are about: written at most once a tick. */
static __always_inline void table_was_full(const struct scratch *s)
{
	struct weir_config *c = config_get();

	if (c && c->full_at != s->pkt.now)
		c->full_at = s->pkt.now;
}

/* Not only now: flows that began without an entry go on without one when there is room again. */
static __always_inline int table_is_full(const struct scratch *s)
{
	__u32 memory = WEIR_FULL_MEMORY_S * NS_PER_S >> WEIR_TICK_SHIFT;
	struct weir_config *c = config_get();

	return c && c->full_at && ticks_since(s->pkt.now, c->full_at) < memory;
}

/*
 * A packet in mid-stream of no known flow: towards a VIP the backend is derived
 * anew (the same, while the endpoints stand). A direct one passes only where
 * the table was too full for its flow's entry, and no verdict is needed.
 */
static __always_inline enum weir_reason may_begin(struct scratch *s)
{
	if (s->pkt.begins)
		return WEIR_FORWARDED;
	if (s->by_service && s->pkt.proto == IPPROTO_TCP && !(s->pkt.tcp_flags & TCP_SYN))
		return WEIR_FORWARDED;
	if (!table_is_full(s))
		return WEIR_MID_STREAM;
	if (is_own_node(&s->pkt.dst) && s->pkt.hook == FROM_POD && !s->route.translated)
		return WEIR_UNCACHED; /* an answer to this node's own socket */
	return needs_no_entry(s) ? WEIR_UNCACHED : WEIR_MID_STREAM;
}

/* Only the programs themselves write the reserved addresses, and only behind this look. */
static __always_inline int is_reserved(const struct scratch *s)
{
	struct weir_config *c = config_get();
	const struct weir_addr *a;

	if (!c)
		return 1;
	a = s->pkt.v6 ? &c->hairpin[1] : &c->hairpin[0];
	return weir_addr_equal(a, &s->pkt.src) || weir_addr_equal(a, &s->pkt.dst);
}

static __always_inline enum weir_reason resolve(struct scratch *s)
{
	struct question *q = &s->question;
	enum weir_reason why;

	q->src_ref = 0;
	q->dst_ref = 0;
	q->host_origin = s->pkt.host_origin;
	why = find_ends(s);
	if (why)
		return why;
	if (is_reserved(s))
		return WEIR_RESERVED_ADDRESS;
	s->by_service = 0;
	s->backend = 0;
	s->backend_generation = 0;
	s->route.translated = s->key.mark;
	s->route.nat_addr = s->pkt.dst;
	s->route.nat_port_be = s->pkt.dport_be;
	if (s->pkt.hook == FROM_POD && !s->pkt.multicast) {
		why = service_translate(s);
		if (why)
			return why;
	}
	q->src = s->pkt.src;
	if (s->route.translated & WEIR_FLOW_HAIRPIN) {
		q->dst = s->pkt.src;
		s->seen_client = s->route.nat_addr;
	} else {
		q->dst = s->route.nat_addr;
		s->seen_client = s->pkt.src;
	}
	q->dport_be = s->route.nat_port_be;
	q->proto = s->pkt.proto;
	if (s->pkt.hook == FROM_POD && !s->by_service)
		q->dst_ref = pod_ref_by_addr(&q->dst);
	return WEIR_FORWARDED;
}

/* With enforcement off a denial is only counted; the entry's stamps keep it. */
static __always_inline enum weir_reason enforce(struct scratch *s, enum weir_reason why)
{
	struct weir_config *c = config_get();

	if (why != WEIR_EGRESS_DENIED && why != WEIR_INGRESS_DENIED && why != WEIR_GATED)
		return why;
	if (!c || READ_WORD(c->enforcement) != WEIR_ENFORCE_OFF)
		return why;
	s->route.denied = 1;
	return WEIR_FORWARDED;
}

/* Only now that the packet's source is proven: a spoofed one must not end somebody's connection. */
__noinline int drop_leftover(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_flow *old;

	keep_arg(skb);
	if (!s)
		return WEIR_NO_SCRATCH;
	old = bpf_map_lookup_elem(&conntrack, &s->key);
	if (old && old->half_open == s->leftover_sequence)
		flow_delete(&s->key, old, &s->twin);
	return WEIR_FORWARDED;
}

/* Who, where to, and may it begin at all? FORWARDED, UNCACHED, or the reason to drop. Fills question and route. */
__noinline int flow_resolve(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_trace *t = trace_get();
	enum weir_reason why;

	keep_arg(skb);
	if (!s || !t)
		return WEIR_NO_SCRATCH;
	__builtin_memset(t, 0, sizeof(*t));
	s->pkt.traced = TRACED_DECIDED;
	why = resolve(s);
	if (why)
		return why;
	why = may_begin(s);
	if (why == WEIR_MID_STREAM)
		return why;
	s->route.reply = 0;
	s->route.via_stack = s->pkt.hook == TO_POD;
	s->route.nat_cport_be = s->pkt.sport_be;
	s->route.dst_ref = s->question.dst_ref;
	if (why != WEIR_UNCACHED && s->leftover)
		drop_leftover(skb);
	return why;
}

/*
 * A packet of no known flow. FORWARDED: its entries are made, s->route says
 * where it goes. UNCACHED: the same without entries. MULTICAST: judged for this
 * packet alone. RACE: another CPU made the entries; find them. Else a drop. The steps
 * stand beside each other, not in each other: they share 512 bytes of stack.
 */
static __always_inline enum weir_reason flow_decide(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason begin = flow_resolve(skb), why;

	if (begin && begin != WEIR_UNCACHED)
		return begin;
	why = enforce(s, policy_judge(skb));
	if (why)
		return why;
	if (s->pkt.multicast)
		return WEIR_MULTICAST;
	if (begin != WEIR_UNCACHED) {
		why = flow_insert(skb);
		if (!why && s->by_service && !s->route.denied && event_wanted(WEIR_FORWARDED, s->pkt.now))
			event_tell(skb, WEIR_FORWARDED);
		if (why != WEIR_TABLE_FULL)
			return why;
	}
	table_was_full(s);
	return begin == WEIR_UNCACHED || needs_no_entry(s) ? WEIR_UNCACHED : WEIR_TABLE_FULL;
}
