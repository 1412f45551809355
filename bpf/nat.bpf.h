/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rewriting addresses and ports, both families by one path. L4 checksums change
 * only through bpf_l4_csum_replace: pods send CHECKSUM_PARTIAL, and a sum
 * computed here would be wrong once a device on the way has no offload.
 */
#pragma once

#include <linux/tcp.h>
#include <linux/udp.h>
#include <stddef.h>

#include "packet.bpf.h"

struct ports {
	__be16 sport_be, dport_be;
};

static __always_inline __u32 l4_csum_off(const struct pkt *pkt)
{
	return pkt->l4_off +
	       (pkt->proto == IPPROTO_TCP ? offsetof(struct tcphdr, check) : offsetof(struct udphdr, check));
}

/* A UDP sum of 0 over IPv4 means "none" and stays; one that comes out as 0 is sent as 0xffff. */
static __always_inline __u64 l4_csum_flags(const struct pkt *pkt)
{
	return pkt->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

/* The offset of source or destination address and its length, by family: the one place where they differ. */
static __always_inline __u32 addr_off(const struct pkt *pkt, int dst)
{
	if (pkt->v6)
		return pkt->l3_off + (dst ? offsetof(struct ipv6hdr, daddr) : offsetof(struct ipv6hdr, saddr));
	return pkt->l3_off + (dst ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr));
}

/* What replacing one address by another adds to a ones' complement sum. */
static __always_inline __u32 addr_diff(const struct weir_addr *old, const struct weir_addr *new)
{
	__u64 sum = 0;

	/* the first 12 bytes of two IPv4 addresses are alike: together with their complement they add nothing */
	for (int i = 0; i < 4; i++)
		sum += (__u64)(__u32)~old->w[i] + new->w[i];
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The header's own sum, which is always complete: inline (RFC 1624). */
static __always_inline int update_v4_csum(struct __sk_buff *skb, const struct pkt *pkt, __u32 diff)
{
	__u32 off = pkt->l3_off + offsetof(struct iphdr, check);
	__u16 check;

	if (packet_read(skb, off, &check, sizeof(check)))
		return -1;
	check = csum_fold((__u64)(__u16)~check + diff);
	return packet_write(skb, off, &check, sizeof(check));
}

/* One address of an IP header and that header's own sum. diff: addr_diff() to it. */
static __always_inline int addr_write(struct __sk_buff *skb, const struct pkt *pkt, const struct weir_addr *to,
				      int dst, __u32 diff)
{
	__u32 off = addr_off(pkt, dst);

	if (pkt->v6)
		return packet_write(skb, off, to, sizeof(*to));
	return update_v4_csum(skb, pkt, diff) || packet_write(skb, off, &to->w[3], sizeof(to->w[3]));
}

static __always_inline int nat_addr(struct __sk_buff *skb, const struct pkt *pkt, const struct weir_addr *from,
				    const struct weir_addr *to, int dst)
{
	__u32 diff = addr_diff(from, to);

	if (weir_addr_equal(from, to))
		return 0;
	if (bpf_l4_csum_replace(skb, l4_csum_off(pkt), 0, diff, BPF_F_PSEUDO_HDR | l4_csum_flags(pkt)))
		return -1;
	return addr_write(skb, pkt, to, dst, diff);
}

static __always_inline int nat_ports(struct __sk_buff *skb, const struct pkt *pkt, struct ports new)
{
	struct ports old = { pkt->sport_be, pkt->dport_be };
	__u32 from, to;

	__builtin_memcpy(&from, &old, sizeof(from));
	__builtin_memcpy(&to, &new, sizeof(to));
	if (from == to)
		return 0;
	if (bpf_l4_csum_replace(skb, l4_csum_off(pkt), from, to, sizeof(to) | l4_csum_flags(pkt)))
		return -1;
	return packet_write(skb, pkt->l4_off, &new, sizeof(new));
}

/*
 * A pod reaches itself through a Service: both ends change, and in both directions alike. What it sends comes back to
 * it, from the reserved address or from the frontend.
 */
__noinline int nat_hairpin(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct ports ports;
	struct pkt *p;

	keep_arg(skb);
	if (!s)
		return -1;
	p = &s->pkt;
	if (s->route.reply)
		ports = (struct ports){ s->route.nat_port_be, s->route.nat_cport_be };
	else
		ports = (struct ports){ s->route.nat_cport_be, s->route.nat_port_be };
	if (nat_addr(skb, p, &p->dst, &p->src, 1) || nat_addr(skb, p, &p->src, &s->route.nat_addr, 0))
		return -1;
	return nat_ports(skb, p, ports) ? -1 : 0;
}

/* Applies s->route to the packet. 0, or -1 when the packet could not be written (it is dropped then). */
static __always_inline int nat_apply(struct __sk_buff *skb, const struct scratch *s)
{
	const struct pkt *p = &s->pkt;
	struct ports ports;
	int r;

	if (s->route.translated & WEIR_FLOW_HAIRPIN)
		return nat_hairpin(skb);
	if (s->route.reply) {
		ports = (struct ports){ s->route.nat_port_be, s->route.nat_cport_be };
		r = nat_addr(skb, p, &p->src, &s->route.nat_addr, 0);
	} else {
		ports = (struct ports){ s->route.nat_cport_be, s->route.nat_port_be };
		r = nat_addr(skb, p, &p->dst, &s->route.nat_addr, 1);
	}
	return r ? r : nat_ports(skb, p, ports);
}
