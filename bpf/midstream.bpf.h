/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets in mid-stream: TCP without a SYN, of no connection that the table knows (docs/design.md,
 * "Mid-stream"). Who began it is not known, so a direct one passes only where the policies allow
 * both: that its sender had begun, and that its receiver had. It is judged for itself and makes no
 * entry: the entry would stand under the key that a translated connection needs for its replies.
 *
 * Of a pod that was taken over while it ran, the host's own conntrack may know the connection:
 * host_ct.bpf.c asks it.
 */
#pragma once

#include "flow_create.bpf.h"

/*
 * A RST would end what only seems unknown: a client answers a reply that came untranslated with
 * one.
 */
static __always_inline int may_be_mid_stream(const struct scratch *s)
{
	return s->pkt.proto == IPPROTO_TCP && !(s->pkt.tcp_flags & (TCP_SYN | TCP_RST)) &&
	       !(s->flow_flags & WEIR_FLOW_TRANSLATED);
}

/* The question that the receiver's first packet would have asked. */
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

/* flow_create() said MID_STREAM and left the question. MID_STREAM_ALLOWED, GATED or MID_STREAM. */
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
	s->route.via_stack = 1; /* which knows of translations that are not ours */
	if (why == WEIR_GATED)
		return why;
	return why ? WEIR_MID_STREAM : WEIR_MID_STREAM_ALLOWED;
}

/* Is the pod behind the device one that ran before its hooks came? */
static __always_inline int is_adopted(struct scratch *s)
{
	struct weir_pod *pod = pod_by_ref(ref_by_device(s, s->pkt.device));

	return pod && weir_pod_flags(READ_WORD(pod->word)) & WEIR_POD_ADOPTED;
}

/*
 * A packet of no flow of ours may be of a connection that the host's conntrack keeps: goes on in
 * the program that asks it, and does not come back, unless by the start once more. Where that
 * program is not loaded nothing happens.
 */
static __always_inline void ask_host(struct __sk_buff *skb, struct scratch *s)
{
	__u32 zero = 0, now = s->pkt.now | 1; /* an older mark is another packet's */
	struct weir_handoff *h = bpf_map_lookup_elem(&handoff, &zero);
	int asked = h && h->host_asked == now;

	if (!h)
		return;
	h->host_asked = 0;
	/*
	 * a connection that has, or had, an entry here is ours, whatever conntrack saw of it behind
	 * us
	 */
	if (asked || s->leftover || s->key.zone || (s->pkt.begins && s->pkt.proto != IPPROTO_UDP) ||
	    !is_adopted(s))
		return;
	h->host_asked = now;
	bpf_tail_call(skb, &steps,
		      pod_sends(&s->pkt) ? WEIR_STEP_FROM_ADOPTED : WEIR_STEP_TO_ADOPTED);
	h->host_asked = 0;
}
