/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Parsing: the only place that knows the layout of headers. A packet is parsed once into struct
 * pkt; a malformed, truncated or unknown packet gets a reason of its own and never reaches a table.
 * Bytes are read through bytes.bpf.h, so nonlinear packets need no code here.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>

#include <weir/limits.h>

#include "bytes.bpf.h"
#include "clock.bpf.h"

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

#define TCP_FLAGS_OFF 13
#define TCP_HEADER_MIN 20
#define UDP_HEADER 8
#define SCTP_HEADER 12
#define ICMP_HEADER 8
#define SCTP_CHUNK_INIT 1

/* Types of neighbour discovery, of net/ndisc.h; the uapi has no names for them. */
#define NDISC_ROUTER_SOLICITATION 133
#define NDISC_ROUTER 134
#define NDISC_ADVERTISEMENT 136
#define NDISC_REDIRECT 137

#define IP_FRAGMENT_BITS 0x3fff /* more-fragments flag and offset */
#define FRAGMENT_V4_OFFSET_BITS 0x1fff /* in units of 8 bytes */
#define FRAGMENT_V6_OFFSET_BITS 0xfff8 /* in bytes */
#define V6_FRAGMENT_HEADER 8

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP6_CLIENT_PORT 546

/* IPv4 options (RFC 791) */
#define V4_OPTION_END 0
#define V4_OPTION_NOP 1
#define V4_OPTION_LSRR 131
#define V4_OPTION_SSRR 137
#define V4_OPTIONS_MAX 40 /* bytes, so at most as many options */

/* Of linux/icmp.h, which needs libc's headers. */
enum icmp_type {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
};

#define ICMP_PORT_UNREACH 3 /* code of ICMP_DEST_UNREACH */

/* ICMP and ICMPv6 types by how they are handled. */
enum icmp_class {
	ICMP_CLASS_OTHER, /* judged like a protocol without ports */
	ICMP_CLASS_ECHO_REQUEST,
	ICMP_CLASS_ECHO_REPLY,
	ICMP_CLASS_ABOUT_FLOW, /* errors and redirects */
	ICMP_CLASS_FOR_LINK, /* neighbour discovery and MLD (NP-38) */
};

static __always_inline enum icmp_class icmp_class_v4(__u8 type)
{
	switch (type) {
	case ICMP_ECHO:
		return ICMP_CLASS_ECHO_REQUEST;
	case ICMP_ECHOREPLY:
		return ICMP_CLASS_ECHO_REPLY;
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return ICMP_CLASS_ABOUT_FLOW;
	}
	return ICMP_CLASS_OTHER;
}

static __always_inline enum icmp_class icmp_class_v6(__u8 type)
{
	if (type == ICMPV6_ECHO_REQUEST)
		return ICMP_CLASS_ECHO_REQUEST;
	if (type == ICMPV6_ECHO_REPLY)
		return ICMP_CLASS_ECHO_REPLY;
	if (!(type & ICMPV6_INFOMSG_MASK))
		return ICMP_CLASS_ABOUT_FLOW;
	/* MLD, neighbour discovery and redirects; MLDv2 */
	if ((type >= ICMPV6_MGM_QUERY && type <= NDISC_REDIRECT) || type == ICMPV6_MLD2_REPORT)
		return ICMP_CLASS_FOR_LINK;
	return ICMP_CLASS_OTHER;
}

/* Reads an L4 header; fails if the IP packet ends before it does: padding is not a header. */
static __always_inline int load_l4(struct __sk_buff *skb, const struct pkt *pkt, void *header,
				   const __u32 len)
{
	if (pkt->l4_off + len > pkt->end)
		return -1;
	return packet_read(skb, pkt->l4_off, header, len);
}

/* id: the message's, if it is an echo. */
static __always_inline void icmp_ports(struct pkt *pkt, enum icmp_class class, __be16 id)
{
	__be16 asker = id ? id : bpf_htons(WEIR_ICMP_ID_ZERO),
	       asked = id ? 0 : bpf_htons(WEIR_ICMP_ID_ZERO_PEER);

	if (class == ICMP_CLASS_ECHO_REQUEST) {
		pkt->sport_be = asker;
		pkt->dport_be = asked;
	} else if (class == ICMP_CLASS_ECHO_REPLY) {
		pkt->sport_be = asked;
		pkt->dport_be = asker;
		pkt->begins = 0;
	} else {
		pkt->sport_be = bpf_htons(WEIR_ICMP_OTHER_SRC);
		pkt->dport_be = bpf_htons(WEIR_ICMP_OTHER_DST);
	}
}

static __always_inline int is_mld(__u8 type)
{
	return type < 133 || type == 143;
}

static __always_inline enum weir_reason parse_icmp(struct __sk_buff *skb, struct pkt *pkt)
{
	__u8 h[ICMP_HEADER];
	enum icmp_class class;

	if (load_l4(skb, pkt, h, sizeof(h)))
		return WEIR_TRUNCATED;
	class = pkt->v6 ? icmp_class_v6(h[0]) : icmp_class_v4(h[0]);
	if (class == ICMP_CLASS_FOR_LINK) /* RFC 4861 and 2710: never forwarded from another link */
		return pkt->hops == (is_mld(h[0]) ? 1 : 255) ? WEIR_NEIGHBOUR : WEIR_OFF_LINK;
	if (class == ICMP_CLASS_ABOUT_FLOW)
		return WEIR_ICMP_ERROR;
	icmp_ports(pkt, class, *(__be16 *)(h + 4));
	return WEIR_FORWARDED;
}

static __always_inline enum weir_reason parse_tcp(struct __sk_buff *skb, struct pkt *pkt)
{
	__u8 h[TCP_HEADER_MIN];

	if (load_l4(skb, pkt, h, sizeof(h)))
		return WEIR_TRUNCATED;
	pkt->sport_be = *(__be16 *)h;
	pkt->dport_be = *(__be16 *)(h + 2);
	pkt->tcp_flags = h[TCP_FLAGS_OFF];
	pkt->l4_check = *(__u16 *)(h + offsetof(struct tcphdr, check));
	pkt->begins = (pkt->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
	if ((pkt->tcp_flags & TCP_SYN) && (pkt->tcp_flags & (TCP_RST | TCP_FIN)))
		return WEIR_BAD_HEADER;
	return WEIR_FORWARDED;
}

static __always_inline enum weir_reason parse_udp(struct __sk_buff *skb, struct pkt *pkt)
{
	__be16 h[UDP_HEADER / 2];

	if (load_l4(skb, pkt, h, sizeof(h)))
		return WEIR_TRUNCATED;
	pkt->sport_be = h[0];
	pkt->dport_be = h[1];
	pkt->l4_check = h[3];
	return WEIR_FORWARDED;
}

static __always_inline enum weir_reason parse_sctp(struct __sk_buff *skb, struct pkt *pkt)
{
	__be16 h[SCTP_HEADER / 2 + 2]; /* the common header and the first chunk's */

	if (load_l4(skb, pkt, h, sizeof(h)))
		return WEIR_TRUNCATED;
	pkt->sport_be = h[0];
	pkt->dport_be = h[1];
	pkt->begins = *(__u8 *)&h[SCTP_HEADER / 2] == SCTP_CHUNK_INIT;
	return WEIR_FORWARDED;
}

static __always_inline enum weir_reason parse_l4(struct __sk_buff *skb, struct pkt *pkt)
{
	pkt->begins = 1;
	switch (pkt->proto) {
	case IPPROTO_TCP:
		return parse_tcp(skb, pkt);
	case IPPROTO_UDP:
		return parse_udp(skb, pkt);
	case IPPROTO_SCTP:
		return parse_sctp(skb, pkt);
	case IPPROTO_ICMP:
		return pkt->v6 ? WEIR_FORWARDED : parse_icmp(skb, pkt);
	case IPPROTO_ICMPV6:
		return pkt->v6 ? parse_icmp(skb, pkt) : WEIR_FORWARDED;
	}
	return WEIR_FORWARDED;
}

/* The IPv4 header has options, up to s->pkt.l4_off: is one a source route? */
__noinline int options_check(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	__u32 off, end;
	__u8 h[2];

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	off = s->pkt.l3_off + sizeof(struct iphdr);
	end = s->pkt.l4_off;
	for (int i = 0; i < V4_OPTIONS_MAX && off < end; i++) {
		if (packet_load(skb, off, h, sizeof(h[0])))
			return WEIR_TRUNCATED;
		if (h[0] == V4_OPTION_END)
			return WEIR_FORWARDED;
		if (h[0] == V4_OPTION_NOP) {
			off++;
			continue;
		}
		if (h[0] == V4_OPTION_LSRR || h[0] == V4_OPTION_SSRR)
			return WEIR_SOURCE_ROUTE;
		if (off + 1 >= end || packet_load(skb, off, h, sizeof(h)) || h[1] < 2)
			return WEIR_BAD_HEADER;
		off += h[1];
	}
	return off > end ? WEIR_BAD_HEADER : WEIR_FORWARDED;
}

static __always_inline enum weir_reason parse_v4(struct __sk_buff *skb, struct pkt *pkt)
{
	enum weir_reason why;
	__u32 header_len, total_len;
	struct iphdr ip;

	if (packet_read(skb, pkt->l3_off, &ip, sizeof(ip)))
		return WEIR_TRUNCATED;
	header_len = ip.ihl * 4;
	total_len = bpf_ntohs(ip.tot_len);
	if (ip.version != 4 || header_len < sizeof(ip) || total_len < header_len)
		return WEIR_BAD_HEADER;
	if (pkt->l3_off + total_len > skb->len)
		return WEIR_TRUNCATED;
	pkt->src = weir_addr_from_v4(ip.saddr);
	pkt->dst = weir_addr_from_v4(ip.daddr);
	pkt->multicast = (pkt->dst.b[12] & 0xf0) == 0xe0 || ip.daddr == 0xffffffff;
	pkt->proto = ip.protocol;
	pkt->l4_off = pkt->l3_off + header_len;
	pkt->end = pkt->l3_off + total_len;
	why = header_len > sizeof(ip) ? options_check(skb) : WEIR_FORWARDED;
	if (why)
		return why;
	return ip.frag_off & bpf_htons(IP_FRAGMENT_BITS) ? WEIR_FRAGMENT : WEIR_FORWARDED;
}

/*
 * Walks extension headers up to the first other header; ESP and "no next header" end the walk as
 * protocols without ports. FRAGMENT: l4_off is the fragment header's.
 */
static __always_inline enum weir_reason walk_v6_headers(struct __sk_buff *skb, struct pkt *pkt,
							__u8 next)
{
	__u32 off = pkt->l4_off;
	__u8 h[4]; /* next header, length; of a routing header also its type and segments left */

	for (int i = 0; i <= WEIR_MAX_EXTENSION_HEADERS; i++) {
		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_AH:
			break;
		case IPPROTO_FRAGMENT:
			pkt->l4_off = off;
			return WEIR_FRAGMENT;
		default:
			pkt->proto = next;
			pkt->l4_off = off;
			return WEIR_FORWARDED;
		}
		if (packet_load(skb, off, h, sizeof(h)))
			return WEIR_TRUNCATED;
		if (next == IPPROTO_ROUTING && h[3])
			return WEIR_SOURCE_ROUTE;
		/* AH counts 4-byte units minus two (RFC 4302), the others 8-byte units minus one */
		off += next == IPPROTO_AH ? (h[1] + 2) * 4 : (h[1] + 1) * 8;
		next = h[0];
	}
	return WEIR_EXTENSION_HEADERS;
}

/* struct ipv6hdr with its addresses as words. */
struct ip6_header {
	__u8 version_class;
	__u8 class_flow[3];
	__be16 payload_len;
	__u8 next, hops;
	struct weir_wide src, dst;
};
_Static_assert(sizeof(struct ip6_header) == sizeof(struct ipv6hdr), "the same header");

static __always_inline int link_local_v6(const struct weir_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* Unicast that never leaves its link; neighbour discovery is excepted before this check. */
static __always_inline int is_link_local(const struct pkt *pkt)
{
	return link_local_v6(&pkt->src) || link_local_v6(&pkt->dst);
}

static __always_inline enum weir_reason parse_v6(struct __sk_buff *skb, struct pkt *pkt)
{
	struct ip6_header ip;
	__u32 payload_len;

	if (packet_read(skb, pkt->l3_off, &ip, sizeof(ip)))
		return WEIR_TRUNCATED;
	if (ip.version_class >> 4 != 6)
		return WEIR_BAD_HEADER;
	payload_len = bpf_ntohs(ip.payload_len);
	if (pkt->l3_off + sizeof(ip) + payload_len > skb->len)
		return WEIR_TRUNCATED;
	/* 0: a jumbogram, made by offloads */
	pkt->end = payload_len ? pkt->l3_off + sizeof(ip) + payload_len : skb->len;
	weir_wide_set(&pkt->src_wide, &ip.src);
	weir_wide_set(&pkt->dst_wide, &ip.dst);
	if (weir_addr_is_v4(&pkt->src) || weir_addr_is_v4(&pkt->dst))
		return WEIR_MAPPED_ADDRESS;
	pkt->multicast = pkt->dst.b[0] == 0xff;
	pkt->v6 = 1;
	pkt->hops = ip.hops;
	pkt->l4_off = pkt->l3_off + sizeof(ip);
	return walk_v6_headers(skb, pkt, ip.next);
}

/*
 * DHCPv4 from a client without an address, or to one: broadcast. Unicast DHCP is judged like other
 * traffic.
 */
static __always_inline int is_dhcp(const struct pkt *pkt)
{
	if (pkt->v6 || pkt->proto != IPPROTO_UDP || pkt->dst.w[3] != 0xffffffff)
		return 0;
	if (pod_sends(pkt))
		return !pkt->src.w[3] && pkt->sport_be == bpf_htons(DHCP_CLIENT_PORT) &&
		       pkt->dport_be == bpf_htons(DHCP_SERVER_PORT);
	return pkt->sport_be == bpf_htons(DHCP_SERVER_PORT) &&
	       pkt->dport_be == bpf_htons(DHCP_CLIENT_PORT);
}

/*
 * FORWARDED: parsed, go on. NOT_IP, NEIGHBOUR: pass without a verdict. Others: the reason to drop
 * it.
 */
static __always_inline enum weir_reason pkt_parse(struct __sk_buff *skb, struct scratch *s,
						  __u8 hook)
{
	struct pkt *pkt = &s->pkt;
	enum weir_reason why;

	__builtin_memset(pkt, 0, sizeof(*pkt));
	pkt->hook = hook;
	pkt->device = skb->ifindex;
	pkt->from_device = skb->ingress_ifindex;
	pkt->now = ticks_now(s);
	pkt->l3_off = ETH_HLEN;
	if (skb->vlan_present)
		return WEIR_ETHERTYPE;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		why = parse_v4(skb, pkt);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		why = parse_v6(skb, pkt);
	else
		return skb->protocol == bpf_htons(ETH_P_ARP) ? WEIR_NOT_IP : WEIR_ETHERTYPE;
	if (!why)
		why = parse_l4(skb, pkt);
	if (why)
		return why;
	if (is_dhcp(pkt))
		return WEIR_NEIGHBOUR;
	return is_link_local(pkt) ? WEIR_LINK_LOCAL : WEIR_FORWARDED;
}
