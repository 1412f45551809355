/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sends an event (include/weir/event.h) to the reader, if there is one. Called for drops, for
 * denials that are not enforced, and for new flows that got a backend. Changes no verdict; it may
 * only judge a denied packet of a known flow once more, to name the rule.
 */
#pragma once

#include <weir/event.h>

#include "flow.bpf.h"

static __always_inline int event_wanted(__u32 reason, __u32 now)
{
	__u32 zero = 0;
	struct weir_watch *w = bpf_map_lookup_elem(&watch, &zero);

	return w && (__s32)(READ_WORD(w->until) - now) > 0 && weir_watch_wants(w, reason);
}

static __always_inline int ring_is_half_full(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) * 2 >
	       bpf_ringbuf_query(&events, BPF_RB_RING_SIZE);
}

/* Counts one event of the pod behind the device: how many came before it in this tick. */
static __always_inline __u32 event_share(struct scratch *s, __u32 device, __u32 reason, __u32 now)
{
	__u32 bucket = bucket_of_device(s, device);
	__u32 at = bucket * WEIR_EVENT_REASONS + (reason & (WEIR_EVENT_REASONS - 1));
	__u64 *word = bpf_map_lookup_elem(&event_shares, &at);

	return word ? window_take(word, now, WEIR_EVENT_BUDGET) : WEIR_EVENT_BUDGET;
}

/* Reserves room for one event. NULL: none, and the loss is counted. */
static __always_inline struct weir_event *event_reserve(struct scratch *s, __u32 device,
							__u32 reason, __u32 now)
{
	struct weir_event_count *c = bpf_map_lookup_elem(&event_counts, &reason);
	__u32 before = event_share(s, device, reason, now);
	struct weir_event *e = NULL;

	if (!c)
		return NULL;
	if (before >= WEIR_EVENT_BUDGET) {
		c->over_budget++;
		return NULL;
	}
	if (before < WEIR_EVENT_RESERVE || !ring_is_half_full())
		e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		c->lost++;
	return e;
}

/*
 * A denied packet of a known flow with current stamps was not judged: judges it now, for the rule's
 * name and its hit count. The packet is dropped in any case.
 */
static __always_inline void judge_known(struct __sk_buff *skb, struct scratch *s)
{
	struct weir_flow *flow = bpf_map_lookup_elem(&conntrack, &s->key);

	if (!flow)
		return;
	original_query(s, flow);
	s->query.src_ref = flow->end[0].ref;
	s->query.dst_ref = flow->end[1].ref;
	policy_judge(skb);
}

/* The addresses of an ICMP error that is about no known flow. */
static __always_inline void fill_error(struct weir_event *e, const struct scratch *s)
{
	e->src = s->quote.src;
	e->dst = s->quote.dst;
	e->proto = s->pkt.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* The packet's own tuple, and the decision about the flow that it would begin. */
static __always_inline void fill_packet(struct weir_event *e, const struct scratch *s)
{
	const struct weir_decision *t = &s->decision;
	const struct pkt *p = &s->pkt;

	e->src = p->src;
	e->dst = p->dst;
	e->sport_be = p->sport_be;
	e->dport_be = p->dport_be;
	e->proto = p->proto;
	if (!(p->decision_parts & DECISION_SERVICE))
		return;
	e->service = t->service;
	e->backend = t->backend;
	if (!t->backend)
		return;
	e->nat_dst = s->route.dst;
	e->nat_dport_be = s->route.dport_be;
	e->flags |= WEIR_EVENT_TRANSLATED;
}

/*
 * The known flow's original tuple, whichever direction this packet has. A reverse entry's key holds
 * the backend, its nat_* the frontend.
 */
static __always_inline void fill_flow(struct weir_event *e, const struct scratch *s,
				      const struct weir_flow *flow)
{
	int orig_first = !!(flow->flags & WEIR_FLOW_ORIG_FIRST);
	int reply = flow->flags & WEIR_FLOW_REPLY;
	const struct weir_backend *b;
	__u32 id = flow->backend;

	e->src = orig_first ? s->key.addr[0] : s->key.addr[1];
	e->dst = orig_first ? s->key.addr[1] : s->key.addr[0];
	e->sport_be = orig_first ? s->key.port_be[0] : s->key.port_be[1];
	e->dport_be = orig_first ? s->key.port_be[1] : s->key.port_be[0];
	e->proto = s->key.proto;
	e->flags |= WEIR_EVENT_KNOWN;
	if (!is_orig(s, flow->flags) && !(s->pkt.decision_parts & DECISION_QUOTE))
		e->flags |= WEIR_EVENT_REPLY;
	if (!(flow->flags & WEIR_FLOW_SERVICE))
		return;
	b = bpf_map_lookup_elem(&backends, &id);
	e->flags |= WEIR_EVENT_TRANSLATED;
	e->backend = id;
	e->service = b ? b->service : 0;
	e->nat_dst = reply ? e->dst : *weir_flow_backend(&s->key, flow);
	e->nat_dport_be = reply ? e->dport_be : flow->nat_port_be;
	if (reply) {
		e->dst = flow->nat_addr;
		e->dport_be = flow->nat_port_be;
		e->sport_be = flow->nat_cport_be;
		if (flow->flags & WEIR_FLOW_HAIRPIN)
			e->src = e->nat_dst;
	}
}

static __always_inline void fill_verdict(struct weir_event *e, const struct weir_decision *t)
{
	e->egress_set = t->egress_set;
	e->egress_rule = t->egress_rule;
	e->ingress_set = t->ingress_set;
	e->ingress_rule = t->ingress_rule;
	e->flags |= WEIR_EVENT_JUDGED;
	if (t->judged_egress)
		e->flags |=
			WEIR_EVENT_JUDGED_EGRESS | (t->allow_egress ? 0 : WEIR_EVENT_EGRESS_DENIED);
	if (t->judged_ingress)
		e->flags |= WEIR_EVENT_JUDGED_INGRESS |
			    (t->allow_ingress ? 0 : WEIR_EVENT_INGRESS_DENIED);
}

static __always_inline int is_denial(__u32 reason)
{
	return reason == WEIR_EGRESS_DENIED || reason == WEIR_INGRESS_DENIED ||
	       reason == WEIR_POLICY_CLOSED || reason == WEIR_GATED || reason == WEIR_NOT_ENFORCED;
}

static __always_inline __u16 event_place(const struct pkt *p)
{
	if (at_uplink(p))
		return WEIR_EVENT_UPLINK | (from_stack(p) ? WEIR_EVENT_TO_POD : 0);
	return pod_sends(p) ? 0 : WEIR_EVENT_TO_POD;
}

/*
 * reason FORWARDED: a new flow got a backend. Others: why the packet is dropped, or NOT_ENFORCED.
 */
__noinline int event_send(struct __sk_buff *skb, __u32 reason)
{
	struct scratch *s = scratch_get();
	struct weir_flow *flow = NULL;
	struct weir_event *e;
	__u32 now;
	int denied_by_entry; /* its stamps deny: nothing was judged */

	keep_arg(skb);
	if (!s)
		return 0;
	now = ticks_now(s);
	denied_by_entry = is_denial(reason) && !(s->pkt.decision_parts & DECISION_SERVICE);
	if (denied_by_entry && !(s->pkt.decision_parts & DECISION_POLICY))
		judge_known(skb, s);
	if (!event_wanted(reason, now))
		return 0;
	e = event_reserve(s, skb->ifindex, reason, now);
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->time_ns = bpf_ktime_get_ns();
	e->reason = reason;
	e->device = skb->ifindex;
	e->len = skb->len;
	e->flags = event_place(&s->pkt);
	if (denied_by_entry)
		flow = bpf_map_lookup_elem(&conntrack, &s->key);
	if (s->pkt.decision_parts & DECISION_QUOTE)
		e->flags |= WEIR_EVENT_ICMP_ERROR;
	if (flow)
		fill_flow(e, s, flow);
	else if (s->pkt.decision_parts & DECISION_QUOTE)
		fill_error(e, s);
	else
		fill_packet(e, s);
	if (s->pkt.decision_parts & DECISION_POLICY)
		fill_verdict(e, &s->decision);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
