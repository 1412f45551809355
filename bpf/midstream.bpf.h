/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Mid-stream packets: TCP without a SYN and of no known connection (docs/design.md, "Mid-stream").
 * Either end may have begun it, so a direct packet passes only if the policies allow both: that its
 * sender began, and that its receiver did. It is judged on its own and gets no entry: the entry
 * would take the key that a translated connection needs for its replies.
 *
 * If the pod is adopted, the host's conntrack may know the connection: host_ct.bpf.c asks it.
 */
#pragma once

#include "flow_create.bpf.h"

/*
 * Not a RST: a client sends one in answer to a reply that was not translated, and it would end a
 * live connection.
 */
static __always_inline int may_be_mid_stream(const struct scratch *s)
{
	return s->pkt.proto == IPPROTO_TCP && !(s->pkt.tcp_flags & (TCP_SYN | TCP_RST)) &&
	       !(s->flow_flags & WEIR_FLOW_TRANSLATED);
}

/* Turns s->query into that of a first packet from the receiver. */
static __always_inline void reverse_query(struct scratch *s)
{
	struct policy_query *q = &s->query;
	__u32 ref = q->src_ref;

	q->src_ref = q->dst_ref;
	q->dst_ref = ref;
	q->src = s->pkt.dst;
	q->dst = s->pkt.src;
	q->dport_be = s->pkt.sport_be;
	q->host_origin = is_own_node(&q->src);
}

/*
 * After flow_create() decided MID_STREAM, with s->query filled. Returns MID_STREAM_ALLOWED, GATED,
 * MARTIAN or MID_STREAM.
 */
static __always_inline enum weir_reason mid_stream(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;

	if (!may_be_mid_stream(s))
		return WEIR_MID_STREAM;
	why = policy_judge(skb);
	if (!why && !s->denied) {
		reverse_query(s);
		why = policy_judge(skb);
	}
	s->route.via_stack = 1; /* the stack may translate it */
	if (why == WEIR_GATED || why == WEIR_MARTIAN)
		return why;
	return why ? WEIR_MID_STREAM : WEIR_MID_STREAM_ALLOWED;
}

static __always_inline enum weir_reason judge_error(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;

	if (s->pkt.multicast || is_link_local(&s->pkt)) /* no reply would pass either */
		return WEIR_ICMP_NO_FLOW;
	s->pkt.host_origin = sent_by_node(skb, &s->pkt);
	why = flow_resolve(skb);
	if (why == WEIR_UNCACHED) {
		why = policy_judge(skb);
		if (!why)
			return WEIR_UNCACHED;
	} else if (why == WEIR_MID_STREAM) {
		why = mid_stream(skb, s);
	}
	return why == WEIR_MID_STREAM_ALLOWED || why == WEIR_GATED ? why : WEIR_ICMP_NO_FLOW;
}

/*
 * An ICMP error about a packet of no known flow (NP-5): passes where a reply to that packet would
 * pass without an entry. s->pkt is such a reply (icmp.bpf.h); the receiver checks the quote against
 * its sockets. Returns UNCACHED, MID_STREAM_ALLOWED, GATED or ICMP_NO_FLOW.
 */
static __always_inline enum weir_reason mid_stream_error(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why = judge_error(skb, s);

	s->pkt.decision_parts |= DECISION_QUOTE; /* an event has the error's own ends */
	if (why == WEIR_ICMP_NO_FLOW)
		s->pkt.decision_parts = DECISION_QUOTE;
	return why;
}

/* Is the pod behind the device adopted (it ran before Weir attached)? */
static __always_inline int is_adopted(struct scratch *s)
{
	struct weir_pod *pod = pod_by_ref(ref_by_device(s, s->pkt.device));

	return pod && weir_pod_flags(READ_WORD(pod->word)) & WEIR_POD_ADOPTED;
}

/*
 * A packet of no known flow may belong to a connection in the host's conntrack: continues in
 * host_ct, which either handles it or tail-calls the first program again. Without host_ct nothing
 * happens.
 */
static __always_inline void ask_host(struct __sk_buff *skb, struct scratch *s)
{
	__u32 zero = 0, now = s->pkt.now | 1; /* another tick: another packet's */
	struct weir_handoff *h = bpf_map_lookup_elem(&handoff, &zero);
	int asked = h && h->host_asked == now;

	if (!h)
		return;
	h->host_asked = 0;
	/*
	 * a connection that has or had an entry here is Weir's, whatever conntrack saw of it later
	 */
	if (asked || s->leftover || s->key.zone || (s->pkt.begins && s->pkt.proto != IPPROTO_UDP) ||
	    !is_adopted(s))
		return;
	h->host_asked = now;
	bpf_tail_call(skb, &tail_calls,
		      pod_sends(&s->pkt) ? WEIR_TAIL_CALL_FROM_ADOPTED : WEIR_TAIL_CALL_TO_ADOPTED);
	h->host_asked = 0;
}
