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

#include "csum.bpf.h"
#include "packet.bpf.h"
#include "sctp.bpf.h"

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

/* ---- L4 sums ------------------------------------------------------------------------------------ */

/* UDP: a sum that comes out as 0 is sent as 0xffff. */
static __always_inline __u16 l4_csum_sent(const struct pkt *pkt, __u16 check)
{
	return !check && pkt->proto == IPPROTO_UDP ? 0xffff : check;
}

/* A sum over everything, after a change by diff; and one of the pseudo header alone, as offloads leave it. */
static __always_inline __u16 csum_whole(__u16 check, __u32 diff)
{
	return csum_fold((__u64)diff + (__u32) ~(__u32)check);
}

static __always_inline __u16 csum_partial(__u16 check, __u32 diff)
{
	return ~csum_fold((__u64)diff + check);
}

/*
 * The sum for new ports, behind a change of addresses by addr_diff. Whether it is a whole one
 * no program can ask, but what the kernel made of the addresses tells: then the
 * second call is not needed, which costs as much as all the rest of a translation. diff 0 tells
 * nothing.
 */
static __always_inline int nat_port_sum(struct __sk_buff *skb, const struct pkt *pkt, __u32 addr_diff, __u32 from,
					__u32 to)
{
	__u16 whole = l4_csum_sent(pkt, csum_whole(pkt->l4_check, addr_diff)), check;
	__u16 partial = l4_csum_sent(pkt, csum_partial(pkt->l4_check, addr_diff));

	if (packet_read(skb, l4_csum_off(pkt), &check, sizeof(check)))
		return -1;
	if (whole == partial || (check != whole && check != partial))
		return bpf_l4_csum_replace(skb, l4_csum_off(pkt), from, to, sizeof(to) | l4_csum_flags(pkt));
	if (check == partial) /* ports are not in it */
		return 0;
	check = l4_csum_sent(pkt, csum_fold((__u64)(__u16)~check + (__u32)~from + to));
	return packet_write(skb, l4_csum_off(pkt), &check, sizeof(check));
}

/* Ports, and the L4 sum for them and for addresses that changed by addr_diff. */
static __always_inline int nat_l4(struct __sk_buff *skb, const struct pkt *pkt, __u32 addr_diff, struct ports new)
{
	struct ports old = { pkt->sport_be, pkt->dport_be };
	__u32 from, to;

	__builtin_memcpy(&from, &old, sizeof(from));
	__builtin_memcpy(&to, &new, sizeof(to));
	if (addr_diff &&
	    bpf_l4_csum_replace(skb, l4_csum_off(pkt), 0, addr_diff, BPF_F_PSEUDO_HDR | l4_csum_flags(pkt)))
		return -1;
	if (from == to)
		return 0;
	if ((pkt->proto != IPPROTO_UDP || pkt->l4_check) && nat_port_sum(skb, pkt, addr_diff, from, to))
		return -1;
	return packet_write(skb, pkt->l4_off, &new, sizeof(new));
}

/* The ports that the packet gets. */
static __always_inline struct ports route_ports(const struct route *r)
{
	return r->reply ? (struct ports){ r->nat_port_be, r->nat_cport_be }
			: (struct ports){ r->nat_cport_be, r->nat_port_be };
}

/*
 * A pod reaches itself through a Service: both ends change, and in both directions alike. What it sends comes back to
 * it, from the reserved address or from the frontend.
 */
__noinline int nat_hairpin(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	__u32 dst, src;
	__u64 both;

	keep_arg(skb);
	if (!s)
		return -1;
	dst = addr_diff(&s->pkt.dst, &s->pkt.src);
	src = addr_diff(&s->pkt.src, &s->route.nat_addr);
	both = (__u64)dst + src;
	both = (both & 0xffffffff) + (both >> 32);
	if (nat_l4(skb, &s->pkt, both, route_ports(&s->route)))
		return -1;
	return addr_write(skb, &s->pkt, &s->pkt.src, 1, dst) ||
			       addr_write(skb, &s->pkt, &s->route.nat_addr, 0, src)
		       ? -1
		       : 0;
}

/* One address of an SCTP packet; a function of its own for the verifier's sake. */
__noinline int sctp_addr(struct __sk_buff *skb, __u32 dst)
{
	struct scratch *s = scratch_get();
	const struct weir_addr *from, *to;

	if (!s)
		return -1;
	from = dst ? &s->pkt.dst : &s->pkt.src;
	to = dst && (s->route.translated & WEIR_FLOW_HAIRPIN) ? &s->pkt.src : &s->route.nat_addr;
	return addr_write(skb, &s->pkt, to, dst, addr_diff(from, to)) ? -1 : 0;
}

/* SCTP, whose sum has the ports in it and no addresses. */
__noinline int nat_sctp(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct ports old, new;
	int hairpin, reply;
	__u32 from, to;

	keep_arg(skb);
	if (!s)
		return -1;
	hairpin = s->route.translated & WEIR_FLOW_HAIRPIN;
	reply = s->route.reply;
	old = (struct ports){ s->pkt.sport_be, s->pkt.dport_be };
	new = route_ports(&s->route);
	__builtin_memcpy(&from, &old, sizeof(from));
	__builtin_memcpy(&to, &new, sizeof(to));
	if (sctp_sum_update(skb, from, to) || packet_write(skb, s->pkt.l4_off, &new, sizeof(new)))
		return -1;
	if ((hairpin || !reply) && sctp_addr(skb, 1))
		return -1;
	return (hairpin || reply) && sctp_addr(skb, 0) ? -1 : 0;
}

/* As nat_apply(), for all but SCTP. */
static __always_inline int nat_plain(struct __sk_buff *skb, const struct scratch *s)
{
	const struct pkt *p = &s->pkt;
	const struct weir_addr *old = s->route.reply ? &p->src : &p->dst;
	__u32 diff = weir_addr_equal(old, &s->route.nat_addr) ? 0 : addr_diff(old, &s->route.nat_addr);

	if (s->route.translated & WEIR_FLOW_HAIRPIN)
		return nat_hairpin(skb);
	if (nat_l4(skb, p, diff, route_ports(&s->route)))
		return -1;
	return diff ? addr_write(skb, p, &s->route.nat_addr, !s->route.reply, diff) : 0;
}

/* Applies s->route to the packet. 0, or -1 when the packet could not be written (it is dropped then). */
static __always_inline int nat_apply(struct __sk_buff *skb, const struct scratch *s)
{
	return s->pkt.proto == IPPROTO_SCTP ? nat_sctp(skb) : nat_plain(skb, s);
}
