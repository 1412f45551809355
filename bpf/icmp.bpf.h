/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ICMP errors: they report a packet that did not arrive, and quote its head. An error follows the
 * quoted packet's connection against the quoted packet's direction: same entry, same ends, same
 * verdict. The translation of that direction is applied to the quote, and to the error's own
 * addresses where they are the translated end's (SVC-96). Slow path, entered when parsing returns
 * ICMP_ERROR. Never creates a flow, refreshes one or changes its TCP state: otherwise a third party
 * could keep the flow alive or close it. It may cause the revalidation that any packet of the flow
 * would.
 */
#pragma once

#include "flow_create.bpf.h"
#include "nat.bpf.h"

#define QUOTED_L4 8 /* bytes of the quoted L4 header that every error contains (RFC 792) */
#define TCP_CHECK_OFF offsetof(struct tcphdr, check)
#define UDP_CHECK_OFF offsetof(struct udphdr, check)

/* Passed on are errors that say why a packet did not arrive. */
static __always_inline enum weir_reason icmp_error_check(const struct pkt *pkt, __u8 type)
{
	if (pkt->v6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB ? WEIR_FORWARDED
									       : WEIR_ICMP_ERROR;
	switch (type) {
	case ICMP_DEST_UNREACH: /* "fragmentation needed" too */
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return WEIR_FORWARDED;
	case ICMP_REDIRECT:
		return WEIR_ICMP_REDIRECT;
	}
	return WEIR_ICMP_ERROR;
}

/*
 * s->pkt becomes the quoted packet reversed: what its receiver would send back. The error's own
 * addresses are in s->quote.
 */
static __always_inline enum weir_reason quote_v4(struct __sk_buff *skb, struct scratch *s)
{
	struct quote *q = &s->quote;
	struct iphdr ip;

	if (q->l3_off + sizeof(ip) > s->pkt.end || packet_read(skb, q->l3_off, &ip, sizeof(ip)))
		return WEIR_ICMP_QUOTE;
	if (ip.version != 4 || ip.ihl * 4 < sizeof(ip) ||
	    (ip.frag_off & bpf_htons(FRAGMENT_V4_OFFSET_BITS)))
		return WEIR_ICMP_QUOTE;
	s->pkt.dst = weir_addr_from_v4(ip.saddr);
	s->pkt.src = weir_addr_from_v4(ip.daddr);
	s->pkt.proto = ip.protocol;
	s->pkt.l4_off = q->l3_off + ip.ihl * 4;
	return WEIR_FORWARDED;
}

/* Skips the quoted fragment header; only a first fragment has the ports. */
static __always_inline enum weir_reason quote_fragment(struct __sk_buff *skb, struct scratch *s)
{
	__u8 h[V6_FRAGMENT_HEADER];

	if (packet_read(skb, s->pkt.l4_off, h, sizeof(h)))
		return WEIR_ICMP_QUOTE;
	if (*(__be16 *)(h + 2) & bpf_htons(FRAGMENT_V6_OFFSET_BITS))
		return WEIR_ICMP_QUOTE;
	s->pkt.l4_off += V6_FRAGMENT_HEADER;
	s->pkt.proto = h[0];
	return WEIR_FORWARDED;
}

static __always_inline enum weir_reason quote_v6(struct __sk_buff *skb, struct scratch *s)
{
	struct quote *q = &s->quote;
	enum weir_reason why;
	struct ipv6hdr ip;

	if (q->l3_off + sizeof(ip) > s->pkt.end || packet_read(skb, q->l3_off, &ip, sizeof(ip)))
		return WEIR_ICMP_QUOTE;
	__builtin_memcpy(&s->pkt.dst, &ip.saddr, sizeof(s->pkt.dst));
	__builtin_memcpy(&s->pkt.src, &ip.daddr, sizeof(s->pkt.src));
	if (ip.version != 6 || weir_addr_is_v4(&s->pkt.src) || weir_addr_is_v4(&s->pkt.dst))
		return WEIR_ICMP_QUOTE;
	s->pkt.l4_off = q->l3_off + sizeof(ip);
	why = walk_v6_headers(skb, &s->pkt, ip.nexthdr);
	if (why == WEIR_FRAGMENT)
		why = quote_fragment(skb, s);
	return why ? WEIR_ICMP_QUOTE : WEIR_FORWARDED;
}

/*
 * Reversed: the quoted source port becomes the destination port. An error is never about an error
 * (RFC 1122).
 */
static __always_inline enum weir_reason quote_ports_read(struct __sk_buff *skb, struct scratch *s)
{
	struct pkt *p = &s->pkt;
	enum icmp_class class;
	__u8 h[QUOTED_L4];
	__be16 sport;

	if (load_l4(skb, p, h, sizeof(h)))
		return WEIR_ICMP_QUOTE;
	switch (p->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		p->dport_be = *(__be16 *)h;
		p->sport_be = *(__be16 *)(h + 2);
		return WEIR_FORWARDED;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (p->proto != (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
			return WEIR_FORWARDED;
		class = p->v6 ? icmp_class_v6(h[0]) : icmp_class_v4(h[0]);
		if (class == ICMP_CLASS_ABOUT_FLOW || class == ICMP_CLASS_FOR_LINK)
			return WEIR_ICMP_QUOTE;
		icmp_ports(p, class, *(__be16 *)(h + 4));
		sport = p->sport_be;
		p->sport_be = p->dport_be;
		p->dport_be = sport;
	}
	return WEIR_FORWARDED;
}

/*
 * Reads the error, and replaces s->pkt with the packet that the quoted packet's receiver would
 * send.
 */
__noinline int quote_read(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;
	__u8 type;

	keep_arg(skb);
	if (!s || load_l4(skb, &s->pkt, &type, sizeof(type)))
		return WEIR_INTERNAL;
	why = icmp_error_check(&s->pkt, type);
	if (why)
		return why;
	/*
	 * from the stack only the destination counts: a router's error may come from a link-local
	 * address
	 */
	if (link_local_v6(&s->pkt.dst) || (pod_sends(&s->pkt) && link_local_v6(&s->pkt.src)))
		return WEIR_LINK_LOCAL;
	if (is_martian(&s->pkt.src, 1))
		return WEIR_MARTIAN;
	s->pkt.decision_parts |= DECISION_QUOTE;
	s->quote.src = s->pkt.src;
	s->quote.dst = s->pkt.dst;
	s->quote.icmp_off = s->pkt.l4_off;
	s->quote.l3_off = s->pkt.l4_off + ICMP_HEADER;
	s->pkt.begins = 0;
	s->pkt.tcp_flags = 0; /* 8 quoted bytes have none */
	why = s->pkt.v6 ? quote_v6(skb, s) : quote_v4(skb, s);
	if (!why)
		why = quote_ports_read(skb, s);
	if (why)
		return why;
	/*
	 * an error goes to the quoted packet's sender; a pod reports what it received, a router
	 * what it forwarded
	 */
	if (!weir_addr_equal(&s->quote.dst, &s->pkt.dst) ||
	    (pod_sends(&s->pkt) && !weir_addr_equal(&s->quote.src, &s->pkt.src)))
		return WEIR_ICMP_FORGED;
	return WEIR_FORWARDED;
}

/*
 * Finds the quoted packet's connection. Returns FLOW_DECIDED (s->route is filled if s->reason is
 * FORWARDED or a denial), FLOW_STALE, or FLOW_RACE without scratch.
 */
__noinline int quote_find(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_flow *flow;
	enum flow_end end;
	int orig;

	keep_arg(skb);
	if (!s)
		return FLOW_RACE;
	s->denied = 0;
	if (read_epochs(s))
		return decided(s, WEIR_INTERNAL);
	flow = flow_lookup(s, 0);
	if (!flow)
		return decided(s, WEIR_ICMP_NO_FLOW);
	orig = is_orig(s, flow->flags);
	/*
	 * no packet leaves this device with a frontend as destination, so no sender can quote one
	 */
	if (!orig && weir_flow_is_pair(flow->flags) && !(flow->flags & WEIR_FLOW_REPLY))
		return decided(s, WEIR_ICMP_FORGED);
	/* the quoted direction must have sent a packet */
	if (!(flow_flags(&s->key, flow, &s->rev_key) &
	      (orig ? WEIR_FLOW_SEEN_REPLY : WEIR_FLOW_SEEN_ORIG)))
		return decided(s, WEIR_ICMP_FORGED);
	end = check_ends(skb, s, flow, orig);
	if (end == END_GONE)
		return decided(s, WEIR_ICMP_NO_FLOW);
	if (end == END_ELSEWHERE)
		return decided(s, s->reason == WEIR_SPOOFED ? WEIR_ICMP_FORGED : s->reason);
	if (check_stamps(s, flow, orig) == FLOW_STALE)
		return FLOW_STALE;
	route_from_flow(s, flow, orig);
	return FLOW_DECIDED;
}

/* ---- Rewriting ---------------------------------------------------------------------------- */

/* Writes the quoted ports. Returns the change of the ICMP checksum, or -1. */

static __always_inline __s64 quote_ports_write(struct __sk_buff *skb, const struct scratch *s)
{
	struct ports old = { .sport_be = s->pkt.dport_be,
			     .dport_be = s->pkt.sport_be }, /* reversed */
		new = { .sport_be = s->route.dport_be, .dport_be = s->route.sport_be };

	if (packet_write(skb, s->pkt.l4_off, &new, sizeof(new)))
		return -1;
	return (__s64)word_diff(old.sport_be, new.sport_be) + word_diff(old.dport_be, new.dport_be);
}

/*
 * Updates the quoted L4 checksum, if the quote contains it. SCTP's is not updated: its sender
 * identifies the quote by the verification tag. Returns the change of the ICMP checksum, or -1.
 */
static __always_inline __s64 quote_l4_csum(struct __sk_buff *skb, const struct scratch *s,
					   __u64 diff)
{
	__u32 off = s->pkt.l4_off + (s->pkt.proto == IPPROTO_TCP ? TCP_CHECK_OFF : UDP_CHECK_OFF);
	__u16 old, new;

	if (s->pkt.proto != IPPROTO_TCP && s->pkt.proto != IPPROTO_UDP)
		return 0;
	if (off + sizeof(old) > s->pkt.end)
		return 0;
	if (packet_read(skb, off, &old, sizeof(old)))
		return -1;
	if (s->pkt.proto == IPPROTO_UDP && !old)
		return 0;
	new = csum_fold((__u64)(__u16)~old + diff);
	if (s->pkt.proto == IPPROTO_UDP && !new)
		new = 0xffff;
	if (packet_write(skb, off, &new, sizeof(new)))
		return -1;
	return word_diff(old, new);
}

static __always_inline int icmp_csum(struct __sk_buff *skb, const struct scratch *s, __u64 diff,
				     __u64 flags)
{
	return packet_csum(skb, s->quote.icmp_off + 2, 0, csum_32(diff), flags);
}

/*
 * Rewrites the error's own addresses. Its destination is the quoted packet's sender. Clears
 * REWRITE_SRC if its source is not the translated end (a router). Returns 0 or -1.
 */
static __always_inline int error_addrs(struct __sk_buff *skb, struct scratch *s)
{
	struct route *r = &s->route;
	__u32 diff;

	if (!weir_addr_equal(&s->quote.src, &s->pkt.src))
		r->rewrite &= ~REWRITE_SRC;
	diff = route_diff(s);
	if (nat_both_addrs(skb))
		return -1;
	return s->pkt.v6 && diff && icmp_csum(skb, s, diff, BPF_F_PSEUDO_HDR) ? -1 : 0;
}

/*
 * Applies s->route to the quote and to the error. s->pkt is the quoted packet reversed, so the
 * quote's source is the route's destination. In IPv4 the changes of the quote's addresses and of
 * its header checksum cancel out in the ICMP checksum; IPv6 has no header checksum, so diff is
 * added. Returns 0, or -1 if the packet could not be written.
 */
__noinline int quote_nat(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct route *r;
	__s64 ports, sum;
	__u32 diff;

	keep_arg(skb);
	if (!s)
		return -1;
	r = &s->route;
	diff = route_diff(s);
	if (diff && l3_write_addrs(skb, s->pkt.v6, 0, s->quote.l3_off,
				   r->rewrite & REWRITE_DST ? &r->dst : NULL,
				   r->rewrite & REWRITE_SRC ? &r->src : NULL, diff))
		return -1;
	ports = quote_ports_write(skb, s);
	if (ports < 0)
		return -1;
	sum = quote_l4_csum(skb, s, (__u64)diff + ports);
	if (sum < 0 || icmp_csum(skb, s, (s->pkt.v6 ? (__u64)diff : 0) + ports + sum, 0))
		return -1;
	return error_addrs(skb, s);
}

/* FORWARDED or a denial: s->route is filled. Others: the reason to drop it. */
static __always_inline enum weir_reason quoted_flow(struct __sk_buff *skb, struct scratch *s)
{
	enum flow_step step = quote_find(skb);

	if (step == FLOW_STALE) {
		if (flow_revalidate(skb) == FLOW_NEW)
			return WEIR_ICMP_NO_FLOW;
		step = quote_find(skb);
		s->judged = 0;
	}
	return step == FLOW_DECIDED ? s->reason : WEIR_RACE;
}

/* FORWARDED: rewritten as needed, s->route is filled. Others: the reason to drop it. */
__noinline int icmp_error(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	why = quote_read(skb);
	if (!why)
		why = quoted_flow(skb, s);
	if (why || !s->route.rewrite)
		return why;
	return quote_nat(skb) ? WEIR_INTERNAL : WEIR_FORWARDED;
}
