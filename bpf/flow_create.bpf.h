/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * New connections: may this packet begin one, between which ends, with which translation, and is it
 * allowed? A denied one gets no entry. flow_insert.bpf.h makes the entries.
 */
#pragma once

#include "event.bpf.h"
#include "flow.bpf.h"
#include "flow_insert.bpf.h"

/*
 * Finds and verifies both local ends. SPOOFED: the source is a pod that is not behind the arriving
 * device.
 */
static __always_inline enum weir_reason find_ends(struct __sk_buff *skb, struct scratch *s)
{
	struct policy_query *q = &s->query;
	struct pkt *p = &s->pkt;
	__u32 ref = ref_by_device(s, p->device);
	struct weir_pod *pod = pod_by_ref(ref), *src;

	if (!pod)
		return WEIR_UNKNOWN_DEVICE;
	if (pod_sends(p)) {
		if (!pod_uses_addr(pod, &p->src, p->v6))
			return WEIR_SPOOFED;
		if (!mac_is_proven(skb, pod))
			return WEIR_SPOOFED_MAC;
		q->src_ref = ref;
		return WEIR_FORWARDED;
	}
	if (!p->multicast && !pod_uses_addr(pod, &p->dst, p->v6))
		return WEIR_NOT_FOR_POD;
	q->dst_ref = ref;
	q->src_ref = pod_ref_by_addr(&p->src);
	src = pod_by_ref(q->src_ref);
	return src && !pod_is_behind(src, p->from_device) ? WEIR_SPOOFED : WEIR_FORWARDED;
}

/* Not translated and judged by no set, or sent by this node itself: may pass without an entry. */
static __always_inline int needs_no_entry(const struct scratch *s)
{
	const struct policy_query *q = &s->query;
	struct weir_pod *src, *dst;

	if (s->flow_flags & WEIR_FLOW_TRANSLATED)
		return 0;
	if (q->host_origin)
		return 1;
	src = pod_by_ref(q->src_ref);
	dst = pod_by_ref(q->dst_ref);
	return !(src && weir_pod_is_judged(READ_WORD(src->word))) &&
	       !(dst && weir_pod_is_judged(READ_WORD(dst->word)));
}

#define NS_PER_S 1000000000ull

/* Notes that flows without entries exist: written at most once a tick. */
static __always_inline void note_table_full(const struct scratch *s)
{
	struct weir_config *c = config_get();

	if (c && c->full_at != s->pkt.now)
		c->full_at = s->pkt.now;
}

/*
 * Was the table full lately? Flows that began without an entry continue without one when there is
 * room again.
 */
static __always_inline int table_is_full(const struct scratch *s)
{
	__u32 memory = WEIR_FULL_MEMORY_S * NS_PER_S >> WEIR_TICK_SHIFT;
	struct weir_config *c = config_get();

	return c && c->full_at && ticks_since(s->pkt.now, c->full_at) < memory;
}

/*
 * A packet that begins no flow and belongs to no known one. Towards a VIP its backend is chosen
 * anew, which gives the same one while the endpoints are the same. A direct packet passes only if
 * the table was too full for its flow's entry and no verdict is needed.
 */
static __always_inline enum weir_reason may_begin(struct scratch *s)
{
	if (s->pkt.begins)
		return WEIR_FORWARDED;
	if ((s->flow_flags & WEIR_FLOW_SERVICE) && s->pkt.proto == IPPROTO_TCP &&
	    !(s->pkt.tcp_flags & TCP_SYN))
		return WEIR_FORWARDED;
	if (!table_is_full(s))
		return WEIR_MID_STREAM;
	if (is_own_node(&s->pkt.dst) && pod_sends(&s->pkt) &&
	    !(s->flow_flags & WEIR_FLOW_TRANSLATED))
		return WEIR_UNCACHED; /* a reply to this node's own socket */
	return needs_no_entry(s) ? WEIR_UNCACHED : WEIR_MID_STREAM;
}

/* Reserved addresses are written by the programs only, after this check. */
static __always_inline int is_reserved(const struct scratch *s)
{
	struct weir_config *c = config_get();
	const struct weir_addr *a;

	if (!c)
		return 1;
	a = s->pkt.v6 ? &c->hairpin[1] : &c->hairpin[0];
	return weir_addr_equal(a, &s->pkt.src) || weir_addr_equal(a, &s->pkt.dst);
}

static __always_inline enum weir_reason resolve(struct __sk_buff *skb, struct scratch *s)
{
	struct policy_query *q = &s->query;
	enum weir_reason why;

	q->src_ref = 0;
	q->dst_ref = 0;
	q->host_origin = s->pkt.host_origin;
	why = find_ends(skb, s);
	if (why)
		return why;
	if (is_reserved(s))
		return WEIR_RESERVED_ADDRESS;
	s->flow_flags = s->key.zone ? WEIR_FLOW_TRANSLATED | WEIR_FLOW_ZONED : 0;
	s->rev_zone = 0;
	s->backend = 0;
	s->backend_generation = 0;
	s->route.src = s->pkt.src;
	s->route.dst = s->pkt.dst;
	s->route.sport_be = s->pkt.sport_be;
	s->route.dport_be = s->pkt.dport_be;
	if ((s->pkt.hook & HOOK_SERVES) && !s->pkt.multicast) {
		why = service_translate(skb);
		if (why)
			return why;
	}
	q->src = s->pkt.src;
	q->dst = s->route.dst;
	q->dport_be = s->route.dport_be;
	q->proto = s->pkt.proto;
	if (pod_sends(&s->pkt) && !(s->flow_flags & WEIR_FLOW_SERVICE))
		q->dst_ref = pod_ref_by_addr(&q->dst);
	return WEIR_FORWARDED;
}

/*
 * Resolves the ends and the translation, and checks that the packet may begin a flow. Returns
 * FORWARDED, UNCACHED, or the reason to drop. Fills s->query and s->route.
 */
__noinline int flow_resolve(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	s->pkt.decision_parts = DECISION_SERVICE;
	why = resolve(skb, s);
	if (why)
		return why;
	why = may_begin(s);
	if (why == WEIR_MID_STREAM)
		return why;
	s->route.rewrite = rewrite_of(s->flow_flags, 1);
	s->route.via_stack = !!from_stack(&s->pkt);
	s->route.outside = 0;
	s->route.dst_ref = s->query.dst_ref;
	return why;
}

/*
 * A packet of no known flow. Decided as FORWARDED: the entries are made, s->route is filled; as
 * UNCACHED: the same without entries; as MULTICAST: judged for this packet alone. FLOW_RACE:
 * another CPU made the entries. The steps are called in sequence, not nested: a call chain shares
 * 512 bytes of stack.
 */
static __always_inline enum flow_step flow_create(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason begin = flow_resolve(skb), why;

	if (begin && begin != WEIR_UNCACHED)
		return decided(s, begin);
	why = policy_judge(skb);
	if (why)
		return decided(s, why);
	if (s->pkt.multicast)
		return decided(s, WEIR_MULTICAST);
	if (begin != WEIR_UNCACHED) {
		if (s->leftover) /* a denied packet ends no flow */
			drop_leftover(skb);
		why = flow_insert(skb, s);
		if (why == WEIR_RACE)
			return FLOW_RACE;
		if (!why && (s->flow_flags & WEIR_FLOW_SERVICE) && !s->denied &&
		    event_wanted(WEIR_FORWARDED, s->pkt.now))
			event_send(skb, WEIR_FORWARDED);
		if (why != WEIR_TABLE_FULL && why != WEIR_OVER_SHARE)
			return decided(s, why);
	}
	note_table_full(s);
	if (begin == WEIR_UNCACHED || needs_no_entry(s))
		why = WEIR_UNCACHED;
	return decided(s, why);
}
