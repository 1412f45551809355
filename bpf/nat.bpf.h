/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rewrites addresses and ports, both families in one path. An L4 checksum may be partial
 * (CHECKSUM_PARTIAL, as pods send it), so packet_csum() updates it. nat_port_csum() writes one
 * itself once it has proved that it is full, and nat_sctp() as sctp.bpf.h says.
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
	return pkt->l4_off + (pkt->proto == IPPROTO_TCP ? offsetof(struct tcphdr, check)
							: offsetof(struct udphdr, check));
}

/* A UDP checksum of 0 over IPv4 means "none" and stays 0; a computed 0 is sent as 0xffff. */
static __always_inline __u64 l4_csum_flags(const struct pkt *pkt)
{
	return pkt->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

/* ---- Addresses ---------------------------------------------------------------------------- */

/* The difference that s->route's addresses make to a checksum; 0: none. */
static __always_inline __u32 route_diff(const struct scratch *s)
{
	const struct route *r = &s->route;
	__u64 diff = 0;

	if (r->rewrite & REWRITE_SRC)
		diff += addr_diff(&s->pkt.src, &r->src);
	if (r->rewrite & REWRITE_DST)
		diff += addr_diff(&s->pkt.dst, &r->dst);
	return csum_32(diff);
}

/* The IPv4 header checksum, which is always complete: updated inline (RFC 1624). */
static __always_inline int v4_csum_update(struct __sk_buff *skb, __u32 l3_off, __u32 diff)
{
	__u32 off = l3_off + offsetof(struct iphdr, check);
	__u16 check;

	if (packet_read(skb, off, &check, sizeof(check)))
		return -1;
	check = csum_fold((__u64)(__u16)~check + diff);
	return packet_write(skb, off, &check, sizeof(check));
}

/*
 * Writes one address of the IP header at l3_off. Besides the checksums the only place where the
 * families differ. summed: of the packet's own header at an uplink. In IPv4 the header's checksum
 * makes up for the change.
 */
static __always_inline int l3_write_addr(struct __sk_buff *skb, __u8 v6, int summed, __u32 l3_off,
					 int dst, const struct weir_addr *to)
{
	if (v6) {
		l3_off += dst ? offsetof(struct ipv6hdr, daddr) : offsetof(struct ipv6hdr, saddr);
		return summed ? packet_write_summed(skb, l3_off, to, sizeof(*to))
			      : packet_write(skb, l3_off, to, sizeof(*to));
	}
	return packet_write(
		skb, l3_off + (dst ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr)),
		&to->w[3], sizeof(to->w[3]));
}

/*
 * Writes both addresses and updates IPv4's header checksum. diff: the change of the addresses.
 * NULL: that address stays.
 */
static __always_inline int l3_write_addrs(struct __sk_buff *skb, __u8 v6, int summed, __u32 l3_off,
					  const struct weir_addr *src, const struct weir_addr *dst,
					  __u32 diff)
{
	if (!v6 && v4_csum_update(skb, l3_off, diff))
		return -1;
	if (src && l3_write_addr(skb, v6, summed, l3_off, 0, src))
		return -1;
	return dst && l3_write_addr(skb, v6, summed, l3_off, 1, dst) ? -1 : 0;
}

/* Writes the packet's addresses as s->route says. */
__noinline int nat_both_addrs(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct route *r;
	__u32 diff;

	keep_arg(skb);
	if (!s)
		return -1;
	r = &s->route;
	diff = route_diff(s);
	if (!diff)
		return 0;
	return l3_write_addrs(skb, s->pkt.v6, at_uplink(&s->pkt), s->pkt.l3_off,
			      r->rewrite & REWRITE_SRC ? &r->src : NULL,
			      r->rewrite & REWRITE_DST ? &r->dst : NULL, diff);
}

/*
 * The same for one address, the case of all but hairpins: inline, without a call. diff:
 * route_diff().
 */
static __always_inline int nat_one_addr(struct __sk_buff *skb, const struct scratch *s, __u32 diff)
{
	const struct route *r = &s->route;
	int dst = r->rewrite & REWRITE_DST;

	if (!diff)
		return 0;
	if (!s->pkt.v6 && v4_csum_update(skb, s->pkt.l3_off, diff))
		return -1;
	return l3_write_addr(skb, s->pkt.v6, at_uplink(&s->pkt), s->pkt.l3_off, dst,
			     dst ? &r->dst : &r->src);
}

/* ---- L4 checksums ------------------------------------------------------------------------- */

/* UDP: a computed checksum of 0 is sent as 0xffff. */
static __always_inline __u16 l4_csum_sent(const struct pkt *pkt, __u16 check)
{
	return !check && pkt->proto == IPPROTO_UDP ? 0xffff : check;
}

/*
 * A full checksum after a change by diff. Bit for bit as inet_proto_csum_replace_by_diff():
 * nat_port_csum() compares with it.
 */
static __always_inline __u16 csum_full(__u16 check, __u32 diff)
{
	return csum_fold((__u64)diff + ~(__u32)check);
}

/* The same for a partial checksum, which is that of the pseudo header and not complemented. */
static __always_inline __u16 csum_partial(__u16 check, __u32 diff)
{
	return ~csum_fold((__u64)diff + check);
}

/*
 * Updates the checksum for new ports, after packet_csum() updated it for addresses that changed by
 * diff. That update gives one value if the checksum was full and another if it was partial. Full:
 * the ports are added here. Partial: a pseudo header has no ports. If both values are equal (diff
 * 0) or neither fits, the helper does it; a second call costs as much as the rest of a translation.
 */
static __always_inline int nat_port_csum(struct __sk_buff *skb, const struct pkt *pkt, __u32 diff,
					 __u32 from, __u32 to)
{
	__u16 full = l4_csum_sent(pkt, csum_full(pkt->l4_check, diff)), check;
	__u16 partial = l4_csum_sent(pkt, csum_partial(pkt->l4_check, diff));

	if (packet_read(skb, l4_csum_off(pkt), &check, sizeof(check)))
		return -1;
	if (full == partial || (check != full && check != partial))
		return packet_csum(skb, l4_csum_off(pkt), from, to,
				   sizeof(to) | l4_csum_flags(pkt));
	if (check == partial) /* a pseudo header's checksum has no ports */
		return 0;
	check = l4_csum_sent(pkt, csum_fold((__u64)(__u16)~check + (__u32)~from + to));
	return packet_write(skb, l4_csum_off(pkt), &check, sizeof(check));
}

/*
 * Writes the ports, and updates the L4 checksum for them and for addresses that changed by
 * diff.
 */
static __always_inline int nat_l4(struct __sk_buff *skb, const struct pkt *pkt, __u32 diff,
				  struct ports new)
{
	struct ports old = { pkt->sport_be, pkt->dport_be };
	__u32 from, to;

	__builtin_memcpy(&from, &old, sizeof(from));
	__builtin_memcpy(&to, &new, sizeof(to));
	if (diff &&
	    packet_csum(skb, l4_csum_off(pkt), 0, diff, BPF_F_PSEUDO_HDR | l4_csum_flags(pkt)))
		return -1;
	if (from == to)
		return 0;
	if ((pkt->proto != IPPROTO_UDP || pkt->l4_check) && nat_port_csum(skb, pkt, diff, from, to))
		return -1;
	return packet_write(skb, pkt->l4_off, &new, sizeof(new));
}

static __always_inline struct ports route_ports(const struct route *r)
{
	return (struct ports){ r->sport_be, r->dport_be };
}

/* SCTP, whose checksum covers the ports and not the addresses. */
__noinline int nat_sctp(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct ports old, new;
	__u32 from, to;

	keep_arg(skb);
	if (!s)
		return -1;
	old = (struct ports){ s->pkt.sport_be, s->pkt.dport_be };
	new = route_ports(&s->route);
	__builtin_memcpy(&from, &old, sizeof(from));
	__builtin_memcpy(&to, &new, sizeof(to));
	if (sctp_csum_update(skb, from, to) || packet_write(skb, s->pkt.l4_off, &new, sizeof(new)))
		return -1;
	return nat_both_addrs(skb);
}

/* As nat_apply(), for TCP and UDP. */
static __always_inline int nat_plain(struct __sk_buff *skb, const struct scratch *s)
{
	int both = (s->route.rewrite & REWRITE_ADDRS) == REWRITE_ADDRS;
	__u32 diff = route_diff(s);

	if (nat_l4(skb, &s->pkt, diff, route_ports(&s->route)))
		return -1;
	return both ? nat_both_addrs(skb) : nat_one_addr(skb, s, diff);
}

/*
 * Applies s->route to the packet. Returns 0, or -1 if the packet could not be written (it is then
 * dropped).
 */
static __always_inline int nat_apply(struct __sk_buff *skb, const struct scratch *s)
{
	return s->pkt.proto == IPPROTO_SCTP ? nat_sctp(skb) : nat_plain(skb, s);
}
