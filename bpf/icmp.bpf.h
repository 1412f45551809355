/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ICMP errors: they report a packet that did not arrive, and quote its head. An error follows the
 * quoted packet's connection against the quoted packet's direction: same entry, same ends, same
 * verdict. The translation of that direction is applied to the quote, and to the error's own
 * addresses where they are the translated end's (SVC-96). Slow path, entered when parsing returns
 * ICMP_ERROR. Never begins a connection and never changes the state of one. Otherwise a third party
 * could keep the flow alive or close it.
 */
#pragma once

#include "flow_create.bpf.h"
#include "nat.bpf.h"

#define QUOTED_L4 8 /* bytes of the quoted L4 header that every error contains (RFC 792) */
#define TCP_CHECK_OFF offsetof(struct tcphdr, check)
#define UDP_CHECK_OFF offsetof(struct udphdr, check)

/* Is it an error that is passed on: one that says why a packet did not arrive? */
static __always_inline enum weir_reason error_kind(const struct pkt *pkt, __u8 type)
{
	if (pkt->v6)
		return type >= 1 && type <= 4 ? WEIR_FORWARDED : WEIR_ICMP_ERROR;
	switch (type) {
	case 3: /* unreachable; code 4: fragmentation needed */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return WEIR_FORWARDED;
	case 5:
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

/* A quoted first fragment contains its ports: skips its fragment header. */
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
		if (class == ICMP_ABOUT_FLOW || class == ICMP_FOR_LINK)
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
	why = error_kind(&s->pkt, type);
	if (why)
		return why;
	/* a router may have link-local addresses only */
	if (link_local_v6(&s->pkt.dst) || (pod_sends(&s->pkt) && link_local_v6(&s->pkt.src)))
		return WEIR_LINK_LOCAL;
	s->pkt.traced |= TRACED_QUOTE;
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
 * Finds the quoted packet's connection. Returns enum flow_step: decided (s->route is filled if that
 * is FORWARDED or a denial), or FLOW_STALE.
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
	flow = flow_lookup(s);
	if (!flow)
		return decided(s, WEIR_ICMP_NO_FLOW);
	orig = is_orig(s, flow->flags);
	/* packets to a frontend never leave the translating device */
	if (!orig && weir_flow_is_pair(flow->flags) && !(flow->flags & WEIR_FLOW_REPLY))
		return decided(s, WEIR_ICMP_FORGED);
	/* the quoted direction must have sent a packet */
	if (!(flow_flags(&s->key, flow, &s->rev_key) &
	      (orig ? WEIR_FLOW_SEEN_REPLY : WEIR_FLOW_SEEN_ORIG)))
		return decided(s, WEIR_ICMP_FORGED);
	end = check_ends(s, flow, orig);
	if (end == END_GONE)
		return decided(s, WEIR_ICMP_NO_FLOW);
	if (end == END_ELSEWHERE)
		return decided(s, s->reason == WEIR_SPOOFED ? WEIR_ICMP_FORGED : s->reason);
	if (check_stamps(s, flow, orig) == FLOW_STALE)
		return FLOW_STALE;
	route_from_flow(s, flow, orig);
	return FLOW_DECIDED;
}

/*
 * ---- Rewriting ---------------------------------------------------------------------------------
 */

/* Each returns the difference that it makes to the ICMP message's checksum, or -1. */

static __always_inline __s64 quote_ports(struct __sk_buff *skb, const struct scratch *s)
{
	struct ports old = { s->pkt.dport_be, s->pkt.sport_be },
		     new = { s->route.dport_be, s->route.sport_be };

	if (packet_write(skb, s->pkt.l4_off, &new, sizeof(new)))
		return -1;
	return (__s64)word_diff(old.sport_be, new.sport_be) + word_diff(old.dport_be, new.dport_be);
}

/*
 * The quoted L4 checksum, if the quote contains it. SCTP's is not updated: its sender identifies
 * the quote by the verification tag.
 */
static __always_inline __s64 quote_l4_sum(struct __sk_buff *skb, const struct scratch *s,
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
	return packet_write(skb, off, &new, sizeof(new)) ? -1 : word_diff(old, new);
}

static __always_inline int icmp_sum(struct __sk_buff *skb, const struct scratch *s, __u64 diff,
				    __u64 flags)
{
	return packet_sum(skb, s->quote.icmp_off + 2, 0, csum_32(diff), flags);
}

/*
 * The error's own addresses. Its destination is the quoted packet's sender. Its source may be a
 * router, which keeps its address.
 */
static __always_inline int error_addrs(struct __sk_buff *skb, struct scratch *s)
{
	struct route *r = &s->route;
	__u32 diff;

	if (!weir_addr_equal(&s->quote.src, &s->pkt.src))
		r->rewrite &= ~REWRITE_SRC;
	diff = route_diff(s);
	if (nat_addrs(skb))
		return -1;
	return s->pkt.v6 && diff && icmp_sum(skb, s, diff, BPF_F_PSEUDO_HDR) ? -1 : 0;
}

/*
 * Applies s->route to the quote and to the error. s->pkt is the quoted packet reversed, so the
 * quote's source is the route's destination. The quoted IPv4 header checksum compensates for the
 * change of its addresses. Returns 0, or -1 if the packet could not be written.
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
	if (diff &&
	    addrs_write(skb, s->pkt.v6, s->quote.l3_off, r->rewrite & REWRITE_DST ? &r->dst : NULL,
			r->rewrite & REWRITE_SRC ? &r->src : NULL, diff))
		return -1;
	ports = quote_ports(skb, s);
	if (ports < 0)
		return -1;
	sum = quote_l4_sum(skb, s, (__u64)diff + ports);
	if (sum < 0 || icmp_sum(skb, s, (s->pkt.v6 ? (__u64)diff : 0) + ports + sum, 0))
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
