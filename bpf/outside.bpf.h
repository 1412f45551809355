/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connections of clients outside to frontends, as an uplink sees them (docs/flows.md):
 *
 *   backend on this node     the destination is rewritten and the stack delivers; the pod's own
 *                            hooks judge and keep the connection as the client's. The replies get
 *                            the frontend's address when they leave by an uplink.
 *   on another node, and a   both addresses are rewritten, and the packet leaves by redirect: its
 *   pod by its cluster IP    source is this node's (B.9), which the stack would drop as martian
 *
 * What belongs to no frontend and to no such connection passes untouched (SVC-63, SVC-81).
 */
#pragma once

#include "flow_create.bpf.h"
#include "outside_path.bpf.h"

/* Fills s->route of a flow whose both addresses are rewritten. */
static __always_inline enum weir_reason outside_route(struct scratch *s,
						      const struct weir_flow *flow, int orig)
{
	struct route *r = &s->route;

	if (!(flow->flags & WEIR_FLOW_SNAT))
		return WEIR_FORWARDED;
	if (flow_peer(s, flow))
		return WEIR_RACE;
	r->src = orig ? s->peer : flow->nat_addr;
	r->dst = orig ? flow->nat_addr : s->peer;
	r->sport_be = orig ? flow->nat_cport_be : flow->nat_port_be;
	r->dport_be = orig ? flow->nat_port_be : flow->nat_cport_be;
	r->rewrite = rewrite_of(flow->flags, orig);
	r->dst_ref = orig ? flow->end[1].ref : 0;
	return WEIR_FORWARDED;
}

enum outside_part {
	OUTSIDE_NONE, /* another hook's, or nobody's: the packet passes untouched */
	OUTSIDE_MINE,
	OUTSIDE_FORGED, /* an answer of a pod of this node, or of the node, that comes from outside
			 */
};

/* Which packets of a flow does this hook translate? */
static __always_inline enum outside_part outside_part_of(const struct pkt *p, __u32 flags, int orig)
{
	__u32 reply = flags & WEIR_FLOW_REPLY, snat = flags & WEIR_FLOW_SNAT;

	if (pod_sends(p))
		return !orig && reply && snat ? OUTSIDE_MINE : OUTSIDE_NONE;
	if (from_stack(p))
		return !orig && reply && !snat ? OUTSIDE_MINE : OUTSIDE_NONE;
	if (orig)
		return reply ? OUTSIDE_NONE : OUTSIDE_MINE;
	if (!reply)
		return OUTSIDE_NONE;
	return snat ? OUTSIDE_MINE : OUTSIDE_FORGED;
}

/* Of the packet's flow. A pod's answer has the key that its own device looks up. */
static __always_inline __u8 outside_zone(const struct pkt *p)
{
	return pod_sends(p) ? 0 : WEIR_ZONE_OUTSIDE;
}

/* The packet is no flow's of this hook. */
static __always_inline enum flow_step outside_leave(struct scratch *s, enum outside_part part)
{
	return part == OUTSIDE_FORGED ? decided(s, WEIR_SPOOFED) : FLOW_UNTOUCHED;
}

/* Finds the packet's flow. Decided as FORWARDED or as a denial: s->route is filled. */
__noinline int outside_find(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum outside_part part;
	struct weir_flow *flow;
	enum weir_reason why;
	int orig;

	keep_arg(skb);
	if (!s)
		return FLOW_RACE;
	s->denied = 0;
	if (read_epochs(s))
		return decided(s, WEIR_INTERNAL);
	flow = flow_lookup(s, outside_zone(&s->pkt));
	if (!flow)
		return s->pkt.hook & HOOK_SERVES ? FLOW_NEW : FLOW_UNTOUCHED;
	orig = is_orig(s, flow->flags);
	part = outside_part_of(&s->pkt, flow->flags, orig);
	if (part != OUTSIDE_MINE)
		return outside_leave(s, part);
	if (flow->end[1].ref && check_end(flow->end[1].ref, 0) == END_GONE)
		return flow_leave(s, flow);
	if (check_stamps(s, flow, orig) == FLOW_STALE)
		return FLOW_STALE;
	if (flow_restarts(skb, s, flow, orig))
		return flow_leave(s, flow);
	if (!flow_touch(s, flow, orig))
		return FLOW_NEW;
	s->route.dst_ref = 0;
	route_from_flow(s, flow, orig);
	why = outside_route(s, flow, orig);
	return why ? decided(s, why) : FLOW_DECIDED;
}

/* ---- New connections ---------------------------------------------------------------------- */

/* Addresses that no client outside has. */
static __always_inline enum weir_reason outside_source(const struct scratch *s)
{
	const struct pkt *p = &s->pkt;

	if (is_martian(&p->src, 1) || (p->v6 ? p->src.b[0] == 0xff : p->src.b[12] >= 224))
		return WEIR_MARTIAN;
	if (is_reserved(s))
		return WEIR_RESERVED_ADDRESS;
	return pod_ref_by_addr(&p->src) || is_own_node(&p->src) ? WEIR_SPOOFED : WEIR_FORWARDED;
}

/* The source address of connections that leave by that uplink (SVC-80). */
static __always_inline int source_of_uplink(struct scratch *s, __u32 device)
{
	struct weir_uplink *uplink = bpf_map_lookup_elem(&uplinks, &device);

	if (!uplink)
		return -1;
	s->route.src = s->pkt.v6 ? uplink->addr[1] : uplink->addr[0];
	return weir_addr_is_zero(&s->route.src) ? -1 : 0;
}

/* The client's address and port are replaced. */
static __always_inline enum weir_reason outside_snat(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;
	__u32 device = skb->ifindex;

	s->flow_flags |= WEIR_FLOW_SNAT;
	s->route.outside = 1;
	if (!s->query.dst_ref) {
		why = path_find(skb);
		if (why)
			return why;
		device = s->path.device;
	}
	if (source_of_uplink(s, device))
		return WEIR_NO_ROUTE;
	s->route.sport_be = bpf_htons(WEIR_PORT_MIN + (flow_hash(&s->pkt) >> 8) % WEIR_PORT_COUNT);
	return WEIR_FORWARDED;
}

/* Where the backend is, and what follows from it (B.9). */
static __always_inline enum weir_reason outside_backend(struct __sk_buff *skb, struct scratch *s,
							__u32 external)
{
	/* the node's own socket answers by the stack, so the client's address can stay */
	if (is_own_node(&s->route.dst))
		return WEIR_FORWARDED;
	if (external && s->query.dst_ref) {
		s->query.dst_ref = 0; /* judged at the pod's device */
		return WEIR_FORWARDED;
	}
	return outside_snat(skb, s);
}

/* A new flow to the frontend that was found. */
static __always_inline enum weir_reason outside_frontend(struct __sk_buff *skb, struct scratch *s,
							 __u64 word)
{
	__u32 id = weir_frontend_service(word), flags = weir_frontend_flags(word);
	enum weir_reason why = outside_source(s);

	if (why)
		return why;
	if (!id)
		return WEIR_NO_SERVICE_PORT;
	s->decision.service = id;
	if (flags & WEIR_FRONTEND_RANGES &&
	    !source_allowed(id, &s->pkt.src)) /* before SVC-60: SVC-55 */
		return WEIR_SOURCE_RANGE;
	if (!s->pkt.begins &&
	    (s->pkt.proto != IPPROTO_TCP || s->pkt.tcp_flags & (TCP_SYN | TCP_RST)))
		return WEIR_MID_STREAM;
	why = service_pick(
		s, id, flags & WEIR_FRONTEND_EXTERNAL ? WEIR_LIST_EXTERNAL : WEIR_LIST_INTERNAL);
	s->decision.backend = s->backend;
	return why ? why : outside_backend(skb, s, flags & WEIR_FRONTEND_EXTERNAL);
}

static __always_inline void outside_begin(struct scratch *s)
{
	s->pkt.decision_parts = DECISION_SERVICE;
	s->flow_flags = WEIR_FLOW_OUTSIDE | WEIR_FLOW_TRANSLATED;
	s->backend = 0;
	s->backend_generation = 0;
	s->query.src_ref = 0;
	s->query.dst_ref = 0;
	s->query.host_origin = 0;
	s->route.src = s->pkt.src;
	s->route.dst = s->pkt.dst;
	s->route.sport_be = s->pkt.sport_be;
	s->route.dport_be = s->pkt.dport_be;
	s->route.outside = 0;
	s->route.via_stack = 0;
}

/*
 * Resolves the frontend of a packet that may begin a flow, its backend and translation. Decided as
 * FORWARDED: s->query and s->route are filled. FLOW_UNTOUCHED: no frontend.
 */
__noinline int outside_resolve(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why = WEIR_FORWARDED;
	int found;

	keep_arg(skb);
	if (!s)
		return FLOW_RACE;
	s->frontend.addr = s->pkt.dst;
	s->frontend.port_be = s->pkt.dport_be;
	found = service_find(skb);
	outside_begin(s);
	if (found) {
		s->key.zone = WEIR_ZONE_OUTSIDE;
		why = outside_frontend(skb, s, s->frontend_word);
	} else if (s->key.zone & WEIR_ZONE_DIRECT && s->pkt.begins) {
		s->flow_flags |= WEIR_FLOW_ZONED;
	} else {
		return FLOW_UNTOUCHED;
	}
	s->rev_zone = s->query.dst_ref ? 0 : WEIR_ZONE_OUTSIDE;
	s->query.src = s->pkt.src;
	s->query.dst = s->route.dst;
	s->query.dport_be = s->route.dport_be;
	s->query.proto = s->pkt.proto;
	s->route.rewrite = rewrite_of(s->flow_flags, 1);
	s->route.dst_ref = s->query.dst_ref;
	return decided(s, why);
}

static __always_inline enum weir_reason outside_judge(struct __sk_buff *skb, struct scratch *s)
{
	if (!s->query.dst_ref) {
		s->allowed = ALLOW_BOTH;
		return WEIR_FORWARDED;
	}
	return policy_judge(skb);
}

/* A packet of no known flow. As flow_create(). */
static __always_inline enum flow_step outside_create(struct __sk_buff *skb, struct scratch *s)
{
	enum flow_step step = outside_resolve(skb);
	enum weir_reason why;

	if (step != FLOW_DECIDED || s->reason)
		return step;
	why = outside_judge(skb, s);
	if (why)
		return decided(s, why);
	if (s->leftover) /* a denied packet ends no flow */
		drop_leftover(skb);
	why = flow_insert(skb, s);
	if (why == WEIR_RACE)
		return FLOW_RACE;
	if (why == WEIR_TABLE_FULL || why == WEIR_OVER_SHARE)
		note_table_full(s);
	if (!why && !s->denied && event_wanted(WEIR_FORWARDED, s->pkt.now))
		event_send(skb, WEIR_FORWARDED);
	return decided(s, why);
}

/* Judges a stale flow again and looks at it anew. */
static __always_inline enum flow_step outside_renew(struct __sk_buff *skb)
{
	enum flow_step step = flow_revalidate(skb);

	return step == FLOW_NEW ? step : (enum flow_step)outside_find(skb);
}

/* Finds or makes the flow. Decided, or FLOW_UNTOUCHED. */
static __always_inline enum flow_step outside_flow(struct __sk_buff *skb, struct scratch *s)
{
	enum flow_step step = outside_find(skb);

	if (step == FLOW_UNTOUCHED || (step == FLOW_DECIDED && s->reason == WEIR_FORWARDED))
		return step;
	decision_begin(s);
	if (step == FLOW_STALE)
		step = outside_renew(skb);
	/* RACE: see flow_slow_path() */
	for (int i = 0; i < 2 && step == FLOW_NEW && (s->pkt.hook & HOOK_SERVES); i++) {
		step = outside_create(skb, s);
		if (step != FLOW_RACE)
			break;
		decision_begin(s);
		step = outside_find(skb);
	}
	if (step == FLOW_STALE)
		step = outside_renew(skb);
	s->judged = 0;
	if (step == FLOW_NEW && !(s->pkt.hook & HOOK_SERVES)) /* it is no answer any more */
		return FLOW_UNTOUCHED;
	if (step == FLOW_DECIDED || step == FLOW_UNTOUCHED)
		return step;
	return decided(s, WEIR_RACE);
}
