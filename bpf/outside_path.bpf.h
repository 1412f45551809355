/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The way of packets that do not go through the stack, since their source is an address of this
 * node or a frontend: the stack drops those as martians. What the stack would do is done here:
 * route, neighbour, hop limit, MTU, and the ICMP errors for the last two.
 */
#pragma once

#include "forward.bpf.h"
#include "nat.bpf.h"
#include "reject.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define TTL_OFF offsetof(struct iphdr, ttl)
#define HOPS_OFF offsetof(struct ipv6hdr, hop_limit)
#define ICMP_TIME_EXCEEDED_TTL 0
#define ICMP_FRAGMENTATION_NEEDED 4

/* ---- Route -------------------------------------------------------------------------------- */

/* Length of one IP packet: of a large segment that a device will cut, that of its parts. */
static __always_inline __u32 wire_len(const struct __sk_buff *skb, const struct pkt *p)
{
	__u32 len = p->end - p->l3_off, head = p->l4_off - p->l3_off;
	__u32 part = skb->gso_size;

	if (!part)
		return len;
	/* the TCP header that the part was cut from has options of at most 40 bytes */
	part += head + (p->proto == IPPROTO_TCP ? TCP_HEADER_MIN : UDP_HEADER);
	return part < len ? part : len;
}

static __always_inline void fib_ends(struct bpf_fib_lookup *fib, const struct pkt *p,
				     const struct weir_addr *src, const struct weir_addr *dst)
{
	fib->family = p->v6 ? AF_INET6 : AF_INET;
	if (p->v6) {
		__builtin_memcpy(fib->ipv6_src, src, sizeof(*src));
		__builtin_memcpy(fib->ipv6_dst, dst, sizeof(*dst));
	} else {
		fib->ipv4_src = src->w[3];
		fib->ipv4_dst = dst->w[3];
	}
}

static __always_inline void path_from_fib(struct path *path, const struct bpf_fib_lookup *fib)
{
	path->device = fib->ifindex;
	path->family = fib->family;
	if (fib->family == AF_INET6)
		__builtin_memcpy(&path->hop, fib->ipv6_dst, sizeof(path->hop));
	else
		path->hop.w[3] = fib->ipv4_dst;
}

/* Finds s->path of a packet from s->route.src to s->route.dst. FORWARDED, NO_ROUTE or TOO_BIG. */
__noinline int path_find(struct __sk_buff *skb)
{
	struct bpf_fib_lookup fib = {};
	struct scratch *s = scratch_get();
	long r;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	fib_ends(&fib, &s->pkt, &s->route.src, &s->route.dst);
	fib.l4_protocol = s->pkt.proto;
	fib.sport = s->route.sport_be;
	fib.dport = s->route.dport_be;
	fib.ifindex = skb->ifindex;
	fib.tot_len = wire_len(skb, &s->pkt);
	r = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	if (r == BPF_FIB_LKUP_RET_FRAG_NEEDED) {
		s->path.mtu = fib.mtu_result;
		return WEIR_TOO_BIG;
	}
	if (r != BPF_FIB_LKUP_RET_SUCCESS && r != BPF_FIB_LKUP_RET_NO_NEIGH)
		return WEIR_NO_ROUTE;
	path_from_fib(&s->path, &fib);
	return WEIR_FORWARDED;
}

/* Sends the packet along s->path. The kernel finds the neighbour. */
static __always_inline int path_take(struct scratch *s)
{
	struct bpf_redir_neigh hop = {};

	hop.nh_family = s->path.family;
	if (hop.nh_family == AF_INET6)
		__builtin_memcpy(hop.ipv6_nh, &s->path.hop, sizeof(s->path.hop));
	else
		hop.ipv4_nh = s->path.hop.w[3];
	return bpf_redirect_neigh(s->path.device, &hop, sizeof(hop), 0);
}

/* ---- Hop limit ---------------------------------------------------------------------------- */

static __always_inline int hops_v4(struct __sk_buff *skb, const struct pkt *p)
{
	__u32 check_off = p->l3_off + offsetof(struct iphdr, check);
	__u8 old[2], new[2];
	__u16 check, from, to;

	if (packet_read(skb, p->l3_off + TTL_OFF, old, sizeof(old)) || old[0] <= 1 ||
	    packet_read(skb, check_off, &check, sizeof(check)))
		return -1;
	new[0] = old[0] - 1;
	new[1] = old[1]; /* the protocol: the other half of the word that is summed */
	__builtin_memcpy(&from, old, sizeof(from));
	__builtin_memcpy(&to, new, sizeof(to));
	check = csum_fold((__u64)(__u16)~check + word_diff(from, to));
	return packet_write(skb, p->l3_off + TTL_OFF, new, sizeof(new)) ||
	       packet_write(skb, check_off, &check, sizeof(check));
}

/* Takes one hop. Nonzero: the packet had none left, or could not be written. */
__noinline int hops_take(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	__u8 hops;

	keep_arg(skb);
	if (!s)
		return -1;
	if (!s->pkt.v6)
		return hops_v4(skb, &s->pkt);
	if (s->pkt.hops <= 1)
		return -1;
	hops = s->pkt.hops - 1;
	return packet_write_summed(skb, s->pkt.l3_off + HOPS_OFF, &hops, sizeof(hops));
}

/* ---- Answers ------------------------------------------------------------------------------ */

/* The frame goes back to the neighbour that it came from. */
static __always_inline int turn_macs(struct __sk_buff *skb)
{
	__u8 old[12], new[12];

	if (packet_read_link(skb, 0, old, sizeof(old)))
		return -1;
	__builtin_memcpy(new, old + 6, 6);
	__builtin_memcpy(new + 6, old, 6);
	return packet_write(skb, 0, new, sizeof(new));
}

static __always_inline struct answer too_big(const struct pkt *p, __u32 mtu)
{
	if (p->v6)
		return (struct answer){ ICMPV6_PKT_TOOBIG, 0, bpf_htonl(mtu) };
	return (struct answer){ ICMP_DEST_UNREACH, ICMP_FRAGMENTATION_NEEDED, bpf_htonl(mtu) };
}

static __always_inline struct answer time_exceeded(const struct pkt *p)
{
	return (struct answer){ p->v6 ? ICMPV6_TIME_EXCEED : ICMP_TIME_EXCEEDED,
				ICMP_TIME_EXCEEDED_TTL, 0 };
}

/* Is a packet dropped for this reason answered? Fills s->answer; a RST needs none. */
static __always_inline int has_answer(struct scratch *s, enum weir_reason why)
{
	if (s->pkt.fragment == FRAGMENT_LATER || s->pkt.decision_parts & DECISION_QUOTE)
		return 0; /* RFC 1122 */
	if (weir_verdict_of(why) == WEIR_REJECT) {
		s->answer = unreachable(&s->pkt);
		return may_answer(&s->pkt);
	}
	if (why == WEIR_TOO_BIG)
		s->answer = too_big(&s->pkt, s->path.mtu);
	else if (why == WEIR_HOPS_EXCEEDED)
		s->answer = time_exceeded(&s->pkt);
	else
		return 0;
	return 1;
}

/*
 * The packet becomes its answer, from the address that it was sent to. A function of its own for
 * its stack.
 */
__noinline int outside_answer(struct __sk_buff *skb, __u32 why)
{
	struct scratch *s = scratch_get();

	if (!s || turn_macs(skb))
		return -1;
	return weir_verdict_of(why) == WEIR_REJECT && s->pkt.proto == IPPROTO_TCP ? reply_tcp(skb)
										  : reply_icmp(skb);
}

/* As drop(), at an uplink: answers where a router or the frontend would. */
static __always_inline int drop_outside(struct __sk_buff *skb, struct scratch *s,
					enum weir_reason why)
{
	if (!has_answer(s, why))
		return drop(skb, why);
	if (!reject_admitted(s, WEIR_OUTSIDE_BUCKET)) {
		drop(skb, WEIR_REJECT_LIMITED);
		decision_publish(s, why); /* the decision is the same */
		return TC_ACT_SHOT;
	}
	drop(skb, why);
	if (outside_answer(skb, why))
		return TC_ACT_SHOT;
	if (pod_sends(&s->pkt))
		return redirect_to_pod(skb, skb->ifindex);
	return bpf_redirect(skb->ifindex, 0);
}
