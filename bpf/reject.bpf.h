/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * REJECT (SVC-60, SVC-64): the packet becomes its own reply and goes back through the sender's
 * device, from the address that it was sent to: a RST for TCP, ICMP port unreachable for all else,
 * which quotes the packet as it was sent. The sender's source address is proven by now, so that no
 * reply goes to a third party. No reply to a RST, to ICMP other than an echo request, to multicast,
 * above WEIR_REJECTS_A_TICK, or to a gated pod.
 *
 * The checksums are written so that they are right whether or not the kernel treats the packet as
 * complete (CHECKSUM_PARTIAL stays set): TCP's through packet_csum(). ICMP's is complete, and the
 * kernel leaves it alone in a partial packet.
 */
#pragma once

#include "flow_create.bpf.h"
#include "forward.bpf.h"
#include "nat.bpf.h"

#define REJECT_TTL 64
#define IP_DONT_FRAGMENT 0x4000
#define QUOTE_CHUNK sizeof(((struct scratch *)0)->piece)
#define QUOTE_CHUNKS ((WEIR_REJECT_MAX_V6 + QUOTE_CHUNK - 1) / QUOTE_CHUNK)

struct icmp_error_header {
	__u8 type, code;
	__u16 check;
	__be32 info;
};

static __always_inline int may_answer(const struct pkt *p)
{
	if (p->multicast)
		return 0;
	if (p->proto == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return p->begins &&
		       p->dport_be != bpf_htons(WEIR_ICMP_OTHER_DST); /* an echo request */
	return p->proto == IPPROTO_TCP ? !(p->tcp_flags & TCP_RST)
				       : p->proto == IPPROTO_SCTP || p->begins;
}

static __always_inline int reject_admitted(const struct scratch *s, __u32 at)
{
	__u64 *word = bpf_map_lookup_elem(&rejects, &at);

	return word && window_take(word, s->pkt.now, WEIR_REJECTS_A_TICK) < WEIR_REJECTS_A_TICK;
}

/* The same for both families: the first 12 bytes of an IPv4 address here sum to 0. */
static __always_inline __u64 pseudo_csum(const struct pkt *p, __u8 proto, __u32 l4_len)
{
	return csum_words(p->src.w, 4,
			  csum_words(p->dst.w, 4, bpf_htonl(l4_len) + (__u64)bpf_htonl(proto)));
}

/* IP header of the reply: addresses swapped. Built in scratch to save stack. */
static __always_inline int write_l3(struct __sk_buff *skb, struct scratch *s, __u8 proto,
				    __u16 l4_len)
{
	struct ipv6hdr *v6 = (struct ipv6hdr *)s->piece;
	struct iphdr *v4 = (struct iphdr *)s->piece;
	const struct pkt *p = &s->pkt;

	__builtin_memset(s->piece, 0, sizeof(s->piece));
	if (p->v6) {
		v6->version = 6;
		v6->nexthdr = proto;
		v6->hop_limit = REJECT_TTL;
		v6->payload_len = bpf_htons(l4_len);
		__builtin_memcpy(&v6->saddr, &p->dst, sizeof(p->dst));
		__builtin_memcpy(&v6->daddr, &p->src, sizeof(p->src));
		return packet_write(skb, p->l3_off, v6, sizeof(*v6));
	}
	v4->version = 4;
	v4->ihl = sizeof(*v4) / 4;
	v4->ttl = REJECT_TTL;
	v4->protocol = proto;
	v4->tot_len = bpf_htons(sizeof(*v4) + l4_len);
	v4->frag_off = bpf_htons(IP_DONT_FRAGMENT);
	v4->saddr = p->dst.w[3];
	v4->daddr = p->src.w[3];
	v4->check = csum_fold(csum_words(s->piece, sizeof(*v4) / 4, 0));
	return packet_write(skb, p->l3_off, v4, sizeof(*v4));
}

static __always_inline __u32 l3_len(const struct pkt *p)
{
	return p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

/* RFC 9293, 3.10.7.1. */
static __always_inline void reset_for(struct tcphdr *rst, const struct tcphdr *segment,
				      __u32 payload)
{
	rst->source = segment->dest;
	rst->dest = segment->source;
	rst->doff = sizeof(*rst) / 4;
	rst->rst = 1;
	if (segment->ack) {
		rst->seq = segment->ack_seq;
	} else {
		rst->ack = 1;
		rst->ack_seq =
			bpf_htonl(bpf_ntohl(segment->seq) + payload + segment->syn + segment->fin);
	}
}

/* Cuts the packet after a TCP header, and removes IP options and extension headers. */
static __always_inline int shrink_to_tcp(struct __sk_buff *skb, const struct pkt *p)
{
	__s32 surplus = p->l4_off - p->l3_off - l3_len(p);

	if (packet_cut(skb, p->l4_off + sizeof(struct tcphdr)))
		return -1;
	return surplus > 0 ? packet_take_room(skb, surplus) : 0;
}

/*
 * The packet becomes a RST. Returns 0, or -1 if it could not be written. A function of its own for
 * its stack.
 */
__noinline int reply_tcp(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct tcphdr segment, rst = {};
	__u32 header, at, check, sum;
	struct pkt *p;

	keep_arg(skb);
	if (!s)
		return -1;
	p = &s->pkt;
	at = p->l3_off + l3_len(p);
	check = at + offsetof(struct tcphdr, check);
	if (packet_read(skb, p->l4_off, &segment, sizeof(segment)))
		return -1;
	header = segment.doff * 4;
	if (header < sizeof(segment) || p->l4_off + header > p->end)
		return -1;
	reset_for(&rst, &segment, p->end - p->l4_off - header);
	sum = csum_32(csum_words((const __u32 *)&rst, sizeof(rst) / 4, 0));
	rst.check = 0xffff; /* the neutral value, of a complete checksum and of a partial one */
	if (shrink_to_tcp(skb, p) || write_l3(skb, s, IPPROTO_TCP, sizeof(rst)) ||
	    packet_write(skb, at, &rst, sizeof(rst)) || packet_csum(skb, check, 0, sum, 0))
		return -1;
	sum = csum_32(pseudo_csum(p, IPPROTO_TCP, sizeof(rst)));
	return packet_csum(skb, check, 0, sum, BPF_F_PSEUDO_HDR) ? -1 : 0;
}

/* Checksum of len bytes from the network header on. */
static __always_inline int reject_quote_csum(struct __sk_buff *skb, struct scratch *s, __u32 len,
					     __u64 *ret_sum)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < QUOTE_CHUNKS && i * QUOTE_CHUNK < len; i++) {
		__u32 left = len - i * QUOTE_CHUNK;
		/* 1 to QUOTE_CHUNK, in a form in which 6.1's verifier sees both bounds */
		__u64 n = 1 + (opaque(left < QUOTE_CHUNK ? left - 1 : QUOTE_CHUNK - 1) &
			       (QUOTE_CHUNK - 1));

		__builtin_memset(s->piece, 0, QUOTE_CHUNK);
		if (packet_load(skb, s->pkt.l3_off + i * QUOTE_CHUNK, s->piece, n))
			return -1;
		sum = csum_words(s->piece, QUOTE_CHUNK / 4, sum);
	}
	*ret_sum = sum;
	return 0;
}

/*
 * How many bytes of the packet, from the network header on, a reply with headers of that length
 * quotes.
 */
static __always_inline __u32 reject_quote_len(const struct pkt *p, __u32 head)
{
	__u32 len = p->end - p->l3_off,
	      max = (p->v6 ? WEIR_REJECT_MAX_V6 : WEIR_REJECT_MAX_V4) - head;

	return len < max ? len : max;
}

/* "Port unreachable". */
static __always_inline struct answer unreachable(const struct pkt *p)
{
	if (p->v6)
		return (struct answer){ ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, 0 };
	return (struct answer){ ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0 };
}

/* The packet becomes the ICMP error s->answer. Returns 0, or -1 if it could not be written. */
__noinline int reply_icmp(struct __sk_buff *skb)
{
	struct icmp_error_header header = {};
	struct scratch *s = scratch_get();
	__u32 head, quote;
	__u64 sum;
	__u8 proto;

	keep_arg(skb);
	if (!s)
		return -1;
	header.type = s->answer.type;
	header.code = s->answer.code;
	header.info = s->answer.info;
	head = l3_len(&s->pkt) + sizeof(header);
	quote = reject_quote_len(&s->pkt, head);
	proto = s->pkt.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	if (packet_cut(skb, s->pkt.l3_off + quote) || reject_quote_csum(skb, s, quote, &sum) ||
	    packet_make_room(skb, head))
		return -1;
	if (s->pkt.v6)
		sum += pseudo_csum(&s->pkt, proto, sizeof(header) + quote);
	header.check = csum_fold(csum_32(csum_words((const __u32 *)&header, 2, sum)));
	if (write_l3(skb, s, proto, sizeof(header) + quote) ||
	    packet_write(skb, s->pkt.l3_off + l3_len(&s->pkt), &header, sizeof(header)))
		return -1;
	return 0;
}

/*
 * A packet is to be rejected for reason why. Returns the reason to count. s->reply: a reply is
 * due, and the frame is addressed back to the pod that sent it; all after its MACs is unchanged.
 */
__noinline int reject_admit(struct __sk_buff *skb, __u32 why)
{
	struct scratch *s = scratch_get();
	struct weir_pod *pod;

	if (!s)
		return WEIR_INTERNAL;
	s->reply = 0;
	pod = pod_by_ref(ref_by_device(s, skb->ifindex));
	if (!pod)
		return WEIR_INTERNAL;
	if ((weir_pod_flags(READ_WORD(pod->word)) & WEIR_POD_GATE) && deny(s, WEIR_GATED))
		return WEIR_GATED;
	if (!may_answer(&s->pkt))
		return why;
	if (!reject_admitted(s, weir_pod_bucket(READ_WORD(pod->ref))))
		return WEIR_REJECT_LIMITED;
	s->reply = !address_to_pod(skb, pod);
	return why;
}

/* The packet becomes its reply and goes back. Returns the program's result. */
__noinline int reject_reply(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	if (!s)
		return TC_ACT_SHOT;
	s->answer = unreachable(&s->pkt);
	if (s->pkt.proto == IPPROTO_TCP ? reply_tcp(skb) : reply_icmp(skb))
		return TC_ACT_SHOT;
	return redirect_to_pod(skb, skb->ifindex);
}

/*
 * As drop(), for a packet that a pod sent: replies if the reason's verdict is REJECT. The steps do
 * not nest, to save stack.
 */
static __always_inline int drop_from_pod(struct __sk_buff *skb, struct scratch *s,
					 enum weir_reason why)
{
	enum weir_reason counted;

	/* no reply to a later fragment (RFC 1122): the first one got it */
	if (weir_verdict_of(why) != WEIR_REJECT || s->pkt.fragment == FRAGMENT_LATER)
		return drop(skb, why);
	counted = reject_admit(skb, why);
	drop(skb, counted);
	if (counted == WEIR_REJECT_LIMITED)
		decision_publish(s, why); /* the decision is the same */
	return s->reply ? reject_reply(skb) : TC_ACT_SHOT;
}
