/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Policy: three look-ups per direction, however many policies there are: address to identity, (set,
 * identity) to a word, and if the word is an extent of port ranges, a binary search. Judges struct
 * policy_query, in the flow's original orientation and after translation (NP-46). Writes no table
 * but the hit counts.
 */
#pragma once

#include "hits.bpf.h"
#include "packet.bpf.h"
#include "sender.bpf.h"

enum allowed_bit {
	ALLOW_EGRESS = 1 << 0,
	ALLOW_INGRESS = 1 << 1,
	ALLOW_BOTH = ALLOW_EGRESS | ALLOW_INGRESS,
};

struct policy_verdict {
	__u32 allow;
	__u32 rule; /* WEIR_NO_RULE: default deny, or not isolated */
};

/* Pod addresses are in the hash; the longest prefix answers for all others (NP-27, NP-29). */
static __always_inline __u32 identity_of(const struct weir_addr *addr)
{
	struct weir_prefix prefix = { .prefix_len = 128, .addr = *addr };
	__u32 *identity = bpf_map_lookup_elem(&identities, addr);

	if (!identity)
		identity = bpf_map_lookup_elem(&networks, &prefix);
	return identity ? READ_WORD(*identity) : WEIR_IDENTITY_NONE;
}

static __always_inline __u64 policy_word(__u32 set, __u32 identity)
{
	struct weir_policy_key key = { .set = set, .identity = identity };
	__u64 *word = bpf_map_lookup_elem(&policy_rules, &key);

	if (!word)
		word = bpf_map_lookup_elem(&policy_sets, &set);
	return word ? READ_WORD(*word) : weir_word_verdict(WEIR_WORD_DENY, WEIR_NO_RULE);
}

/*
 * Binary search for proto:port in an extent of sorted, disjoint ranges; a port in no range is
 * denied. A range may lead to another extent, where the search goes on.
 */
static __always_inline struct policy_verdict port_verdict(__u64 word, __u32 point)
{
	__u32 low = weir_word_offset(word), high = low + weir_word_len(word);
	struct policy_verdict none = {};

	for (int i = 0; i < WEIR_RANGE_STEPS && low < high; i++) {
		__u32 middle = low + (high - low) / 2;
		struct weir_port_range *range = bpf_map_lookup_elem(&port_ranges, &middle);

		if (!range)
			return none;
		if (point < range->low) {
			high = middle;
		} else if (point > range->high) {
			low = middle + 1;
		} else if (weir_word_kind(range->kind) == WEIR_WORD_PORTS) {
			low = range->rule;
			high = low + weir_word_len(range->kind);
		} else {
			return (struct policy_verdict){ .allow = range->kind == WEIR_WORD_ALLOW,
							.rule = range->rule };
		}
	}
	return none;
}

/*
 * Does the set allow this peer on this port? Only a rule without ports covers other protocols
 * (NP-38).
 */
static __always_inline struct policy_verdict set_verdict(__u32 set, __u32 identity, __u8 proto,
							 __be16 dport_be)
{
	__u64 word = policy_word(set, identity);

	if (weir_word_kind(word) != WEIR_WORD_PORTS)
		return (struct policy_verdict){ .allow = weir_word_kind(word) == WEIR_WORD_ALLOW,
						.rule = weir_word_rule(word) };
	return port_verdict(word, weir_port_point(proto, bpf_ntohs(dport_be)));
}

static __always_inline int is_own_node(const struct weir_addr *addr)
{
	__u32 *kind = bpf_map_lookup_elem(&nodes, addr);

	return kind && READ_WORD(*kind) & WEIR_NODE_OWN;
}

/*
 * Was the packet sent by a socket of this node (NP-41)? Its source does not prove it: a packet that
 * came in by a device may claim it. Nor does the absence of an input device: fragments that the
 * kernel makes anew of a packet from outside have none, but no socket either. A whole packet of the
 * node may have lost its socket: the clones of a bridge that floods have, and all segments but the
 * last of those that a device cuts.
 */
static __always_inline int sent_by_node(const struct __sk_buff *skb, const struct pkt *pkt)
{
	return from_stack(pkt) && !pkt->from_device && (skb->sk || !pkt->fragmented) &&
	       is_own_node(&pkt->src);
}

static __always_inline __u32 peer_identity(const struct weir_pod *peer,
					   const struct weir_addr *addr)
{
	if (!peer)
		return identity_of(addr);
	return weir_addr_is_v4(addr) ? READ_WORD(peer->identity[0]) : READ_WORD(peer->identity[1]);
}

/*
 * A NetworkPolicy never denies a pod's traffic to itself, also through a Service (NP-40). Cluster
 * policies do apply to the latter, not to the pod's own address (CNP-12): they must be checked
 * before the two functions below return for src_ref == dst_ref, if the flow is a hairpin
 * (s->flow_flags, or the entry's flags).
 */
static __always_inline struct policy_verdict judge_egress(struct policy_query *q, __u32 set,
							  const struct weir_pod *dst)
{
	if (!set || q->src_ref == q->dst_ref ||
	    (!dst && is_own_node(&q->dst))) /* NP-1, NP-40, NP-42 */
		return (struct policy_verdict){ .allow = 1 };
	return set_verdict(set, peer_identity(dst, &q->dst), q->proto, q->dport_be);
}

static __always_inline struct policy_verdict judge_ingress(struct policy_query *q, __u32 set,
							   const struct weir_pod *src)
{
	if (!set || q->src_ref == q->dst_ref || q->host_origin) /* NP-1, NP-40, NP-41 */
		return (struct policy_verdict){ .allow = 1 };
	return set_verdict(set, peer_identity(src, &q->src), q->proto, q->dport_be);
}

/* NP-38: does the echo switch exempt this packet? Other ICMP has ports of its own. */
static __always_inline int is_exempt_echo(const struct policy_query *q)
{
	struct weir_config *c;

	if (q->proto != (weir_addr_is_v4(&q->dst) ? IPPROTO_ICMP : IPPROTO_ICMPV6) ||
	    q->dport_be == bpf_htons(WEIR_ICMP_OTHER_DST))
		return 0;
	c = config_get();
	return c && READ_WORD(c->echo) == WEIR_ECHO_ALWAYS;
}

/*
 * Every denial by a policy or gate is made here. With enforcement off the packet passes and
 * s->denied says so; entries keep the denial in their stamps for when enforcement is on again.
 */
static __always_inline enum weir_reason deny(struct scratch *s, enum weir_reason why)
{
	struct weir_config *c = config_get();

	if (!c || READ_WORD(c->enforcement) != WEIR_ENFORCE_OFF)
		return why;
	s->denied = 1;
	return WEIR_FORWARDED;
}

/* Why a set denies: by its rules, or since one of its policies did not fit. */
static __always_inline enum weir_reason denied_by(__u32 set, enum weir_reason why)
{
	__u64 *word = bpf_map_lookup_elem(&policy_sets, &set);

	return word && weir_word_kind(READ_WORD(*word)) == WEIR_WORD_CLOSED ? WEIR_POLICY_CLOSED
									    : why;
}

/*
 * Judges s->query for both local ends, and leaves the result in s->allowed; an end that is no local
 * pod allows. Both ends are always judged, so that a denial names both. Returns FORWARDED,
 * EGRESS_DENIED, INGRESS_DENIED, POLICY_CLOSED, GATED, or one of never_allowed().
 */
__noinline int policy_judge(struct __sk_buff *skb)
{
	struct policy_verdict egress = { .allow = 1 }, ingress = { .allow = 1 };
	struct scratch *s = scratch_get();
	struct weir_pod *src, *dst;
	struct weir_decision *t;
	__u64 src_word = 0, dst_word = 0;
	enum weir_reason why;
	int exempt;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	t = &s->decision;
	exempt = is_exempt_echo(&s->query);
	src = pod_by_ref(s->query.src_ref);
	dst = pod_by_ref(s->query.dst_ref);
	s->allowed = 0;
	why = never_allowed(&s->query, src);
	if (why)
		return why;
	if (src)
		src_word = READ_WORD(src->word);
	if (dst)
		dst_word = READ_WORD(dst->word);
	if (src && !exempt)
		egress = judge_egress(&s->query, weir_pod_egress_set(src_word), dst);
	if (dst && !exempt)
		ingress = judge_ingress(&s->query, weir_pod_ingress_set(dst_word), src);
	s->allowed = (egress.allow ? ALLOW_EGRESS : 0) | (ingress.allow ? ALLOW_INGRESS : 0);

	t->dst = s->query.dst;
	t->dst_port_be = s->query.dport_be;
	t->judged_egress = !!src;
	t->judged_ingress = !!dst;
	t->allow_egress = egress.allow;
	t->allow_ingress = ingress.allow;
	t->egress_rule = egress.rule;
	t->ingress_rule = ingress.rule;
	t->egress_set = weir_pod_egress_set(src_word);
	t->ingress_set = weir_pod_ingress_set(dst_word);
	s->pkt.decision_parts |= DECISION_POLICY;
	if (weir_pod_flags(src_word | dst_word) & WEIR_POD_GATE) {
		s->allowed = 0;
		return deny(s, WEIR_GATED);
	}
	count_verdict(t->egress_set, egress.rule, egress.allow, s->pkt.now);
	count_verdict(t->ingress_set, ingress.rule, ingress.allow, s->pkt.now);
	if (egress.allow && ingress.allow)
		return WEIR_FORWARDED;
	return deny(s, egress.allow ? denied_by(t->ingress_set, WEIR_INGRESS_DENIED)
				    : denied_by(t->egress_set, WEIR_EGRESS_DENIED));
}
