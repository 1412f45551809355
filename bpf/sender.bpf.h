/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a packet may never be, whatever policies say: with a MAC address that is not its sender's,
 * with an address that is never on a wire, or a way around the policies of others. The source
 * address itself is proven in flow_create.bpf.h, ARP and neighbour discovery in neighbour.bpf.h.
 */
#pragma once

#include "packet.bpf.h"

/* 0: the frame's source is the pod's MAC. One branch, since every packet of a pod gets here. */
static __always_inline __u32 mac_diff(struct __sk_buff *skb, const struct weir_pod *pod)
{
	__u8 mac[ETH_ALEN] __attribute__((aligned(4)));

	if (packet_read_link(skb, ETH_ALEN, mac, sizeof(mac)))
		return 1;
	return (*(const __u32 *)mac ^ *(const __u32 *)pod->mac) |
	       (*(const __u16 *)(mac + 4) ^ *(const __u16 *)(pod->mac + 4));
}

static __always_inline int pod_has_flag(const struct weir_pod *pod, __u32 flag)
{
	return !!(weir_pod_flags(READ_WORD(pod->word)) & flag);
}

/*
 * Is the frame's source MAC the sending pod's? A bridge learns from every frame, so this is asked
 * for every frame that a pod sends, also of known flows.
 */
static __always_inline int mac_is_proven(struct __sk_buff *skb, const struct weir_pod *pod)
{
	return !mac_diff(skb, pod) || pod_has_flag(pod, WEIR_POD_ANY_SENDER);
}

/* Loopback, 0.0.0.0/8, 240.0.0.0/4 and ::. The limited broadcast is one of them as a source only.
 */
static __always_inline int is_martian(const struct weir_addr *a, int source)
{
	if (weir_addr_is_v4(a))
		return a->b[12] == 0 || a->b[12] == 127 ||
		       (a->b[12] >= 240 && (source || a->w[3] != 0xffffffff));
	return !(a->w[0] | a->w[1] | a->w[2]) && !(a->w[3] & bpf_htonl(~1u));
}

/* From a host without an address: a DHCP client, a bridge that asks for group members (IGMP). */
static __always_inline int asks_the_link(const struct policy_query *q)
{
	return weir_addr_is_v4(&q->dst) && !q->src.w[3] && q->dst.b[12] >= 224;
}

/* Only servers send to the client's port (RFC 2131, RFC 8415). */
static __always_inline int is_dhcp_server(const struct policy_query *q)
{
	return q->proto == IPPROTO_UDP &&
	       q->dport_be == (weir_addr_is_v4(&q->dst) ? bpf_htons(DHCP_CLIENT_PORT)
							: bpf_htons(DHCP6_CLIENT_PORT));
}

/* Whoever ends it would take what is inside for a packet of another peer (NP-42). */
static __always_inline int is_tunnel(const struct policy_query *q)
{
	struct weir_config *c;

	switch (q->proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
		return 1;
	case IPPROTO_UDP:
		c = config_get();
		return !c || weir_is_overlay_port(c, bpf_ntohs(q->dport_be));
	}
	return 0;
}

/*
 * Of a flow in its original orientation, after translation. src: the pod of this node that sends
 * it, or NULL. FORWARDED, or the reason to drop it: no policy and no switch allows it.
 */
static __always_inline enum weir_reason never_allowed(const struct policy_query *q,
						      const struct weir_pod *src)
{
	if (is_martian(&q->dst, 0) || (is_martian(&q->src, 1) && !asks_the_link(q)))
		return WEIR_MARTIAN;
	if (!src)
		return WEIR_FORWARDED;
	if (is_dhcp_server(q) && !pod_has_flag(src, WEIR_POD_ANY_SENDER))
		return WEIR_DHCP_SERVER;
	if (is_tunnel(q) && !pod_has_flag(src, WEIR_POD_TUNNELS))
		return WEIR_TUNNEL;
	return WEIR_FORWARDED;
}

static __always_inline int is_never_allowed(enum weir_reason why)
{
	return why == WEIR_MARTIAN || why == WEIR_DHCP_SERVER || why == WEIR_TUNNEL;
}
