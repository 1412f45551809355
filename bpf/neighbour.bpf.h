/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ARP, neighbour discovery and MLD from a pod: it speaks for itself alone, and never as a router.
 * Otherwise it could take its neighbours' packets, or the node's default route, on the link that
 * they share. Slow path.
 *
 * A pod's IPv6 link-local address is in no table. One that has the form of EUI-64 must be made from
 * the pod's own MAC. Any other (stable privacy addresses, RFC 7217) is taken as its own, unless it
 * is a node's.
 */
#pragma once

#include "flow.bpf.h"

#define ARP_ETHERNET 1 /* hardware type */
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_message {
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 operation;
	__u16 sender_mac[3];
	__u16 sender[2];
	__u16 target_mac[3];
	__u16 target[2];
};
WEIR_ASSERT_SIZE(struct arp_message, 28);

#define ND_TARGET 8 /* of solicitations and advertisements: offset of the target, then options */
#define ND_HEADER (ND_TARGET + 16)
#define ND_OPTIONS_MAX 4
/* An option of the link-layer address kinds; the length of all is a multiple of it. */
struct nd_option {
	__u8 type, len;
	__u16 mac[3];
};
WEIR_ASSERT_SIZE(struct nd_option, 8);

#define ND_SOURCE_MAC 1 /* types of options */
#define ND_TARGET_MAC 2

static __always_inline int is_arp(const struct arp_message *m)
{
	return m->hardware == bpf_htons(ARP_ETHERNET) && m->protocol == bpf_htons(ETH_P_IP) &&
	       m->hardware_len == 6 && m->protocol_len == 4 &&
	       (m->operation == bpf_htons(ARP_REQUEST) || m->operation == bpf_htons(ARP_REPLY));
}

/* mac: not aligned to more than its halfwords. */
static __always_inline int is_own_mac(const struct weir_pod *pod, const __u16 *mac)
{
	const __u16 *own = (const __u16 *)pod->mac;

	return mac[0] == own[0] && mac[1] == own[1] && mac[2] == own[2];
}

static __always_inline int is_own_v4(const struct weir_pod *pod, const __u16 *addr)
{
	const __u16 *own = (const __u16 *)&pod->addr[0].w[3];

	return addr[0] == own[0] && addr[1] == own[1];
}

/* Sender 0 is a probe for the pod's own address (RFC 5227). */
static __always_inline enum weir_reason arp_check(struct __sk_buff *skb, const struct weir_pod *pod)
{
	struct arp_message m;

	if (packet_load(skb, ETH_HLEN, &m, sizeof(m)))
		return WEIR_TRUNCATED;
	if (!is_arp(&m) || !is_own_mac(pod, m.sender_mac) || weir_addr_is_zero(&pod->addr[0]))
		return WEIR_SPOOFED_ARP;
	if (is_own_v4(pod, m.sender))
		return WEIR_FORWARDED;
	return !m.sender[0] && !m.sender[1] && m.operation == bpf_htons(ARP_REQUEST) &&
			       is_own_v4(pod, m.target)
		       ? WEIR_FORWARDED
		       : WEIR_SPOOFED_ARP;
}

static __always_inline int is_eui64(const struct weir_addr *a)
{
	return a->b[11] == 0xff && a->b[12] == 0xfe;
}

static __always_inline int is_eui64_of(const struct weir_addr *a, const __u8 *mac)
{
	return a->b[8] == (mac[0] ^ 2) && a->b[9] == mac[1] && a->b[10] == mac[2] &&
	       a->b[13] == mac[3] && a->b[14] == mac[4] && a->b[15] == mac[5];
}

static __always_inline int is_own_link_local(const struct weir_pod *pod, const struct weir_addr *a)
{
	if (a->w[0] != bpf_htonl(0xfe800000) || a->w[1])
		return 0;
	if (is_eui64(a))
		return is_eui64_of(a, pod->mac);
	return !bpf_map_lookup_elem(&nodes, a);
}

static __always_inline int speaks_for(const struct weir_pod *pod, const struct weir_addr *a)
{
	return pod_has_addr(pod, a, 1) || is_own_link_local(pod, a);
}

/* Every link-layer address among the options is the pod's own. */
static __always_inline enum weir_reason nd_options(struct __sk_buff *skb, const struct pkt *p,
						   const struct weir_pod *pod, __u32 off)
{
	struct nd_option option;

	for (int i = 0; i < ND_OPTIONS_MAX && off < p->end; i++) {
		if (off + sizeof(option) > p->end || packet_load(skb, off, &option, sizeof(option)))
			return WEIR_TRUNCATED;
		if (!option.len)
			return WEIR_BAD_HEADER;
		if ((option.type == ND_SOURCE_MAC || option.type == ND_TARGET_MAC) &&
		    (option.len != 1 || !is_own_mac(pod, option.mac)))
			return WEIR_SPOOFED_NEIGHBOUR;
		off += option.len * sizeof(option);
	}
	return off == p->end ? WEIR_FORWARDED : WEIR_SPOOFED_NEIGHBOUR;
}

/* A solicitation asks for any address; from no address it announces one (duplicate detection). */
static __always_inline enum weir_reason nd_target(struct __sk_buff *skb, const struct pkt *p,
						  const struct weir_pod *pod, __u8 type,
						  int from_none)
{
	struct weir_addr target;

	if (p->l4_off + ND_HEADER > p->end ||
	    packet_load(skb, p->l4_off + ND_TARGET, &target, sizeof(target)))
		return WEIR_TRUNCATED;
	if (type == NDISC_ADVERTISEMENT ? from_none || !speaks_for(pod, &target)
					: from_none && !speaks_for(pod, &target))
		return WEIR_SPOOFED_NEIGHBOUR;
	return nd_options(skb, p, pod, p->l4_off + ND_HEADER);
}

static __always_inline enum weir_reason nd_check(struct __sk_buff *skb, const struct pkt *p,
						 const struct weir_pod *pod)
{
	int from_none = weir_addr_is_zero(&p->src);
	__u8 type;

	if (packet_load(skb, p->l4_off, &type, sizeof(type)))
		return WEIR_TRUNCATED;
	if (type == ICMPV6_MGM_QUERY || type == NDISC_ROUTER || type == NDISC_REDIRECT)
		return WEIR_ROUTER_MESSAGE;
	if (!from_none && !speaks_for(pod, &p->src))
		return WEIR_SPOOFED_NEIGHBOUR;
	if (is_mld(type))
		return WEIR_FORWARDED;
	if (type == NDISC_ROUTER_SOLICITATION)
		return nd_options(skb, p, pod, p->l4_off + ND_TARGET);
	return nd_target(skb, p, pod, type, from_none);
}

/*
 * ARP, or what pkt_parse() returned NEIGHBOUR for, from a pod. Returns FORWARDED or the reason to
 * drop it.
 */
__noinline int neighbour_check(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_pod *pod;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	pod = pod_by_ref(ref_by_device(s, s->pkt.device));
	if (!pod)
		return WEIR_UNKNOWN_DEVICE;
	if (pod_has_flag(pod, WEIR_POD_ANY_SENDER))
		return WEIR_FORWARDED;
	if (mac_diff(skb, pod))
		return WEIR_SPOOFED_MAC;
	if (skb->protocol == bpf_htons(ETH_P_ARP))
		return arp_check(skb, pod);
	if (s->pkt.proto != IPPROTO_ICMPV6) /* a DHCP client's message */
		return WEIR_FORWARDED;
	return nd_check(skb, &s->pkt, pod);
}
