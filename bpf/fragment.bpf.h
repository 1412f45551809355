/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Fragments: the first one has the ports, the later ones follow it (SVC-97). The first fragment's
 * ports are kept by (addresses, id). A later fragment that finds them is handled like any packet of
 * that connection: its ends are verified and its verdict is checked, so that it never passes when
 * the connection is denied. Nothing is queued or reassembled. Slow path, entered when parsing
 * returns FRAGMENT. Never passes a later fragment that could overwrite a header that the first one
 * was judged by.
 */
#pragma once

#include "flow.bpf.h"
#include "nat.bpf.h"

#define V4_ID_OFF offsetof(struct iphdr, id) /* followed by the flags and the offset */
#define V4_MORE 0x2000
#define V6_MORE 1
#define DATAGRAM_MAX 65535

/*
 * The part of a datagram's payload that is cut into fragments: where it begins in this packet, and
 * which part this packet has.
 */
struct piece {
	__be32 id;
	__u32 start; /* offset in this packet */
	__u32 offset; /* of this part in the datagram */
	__u32 more;
};

static __always_inline enum weir_reason piece_v4(struct __sk_buff *skb, struct pkt *pkt,
						 struct piece *piece)
{
	__be16 h[2];
	__u32 bits;

	if (packet_read(skb, pkt->l3_off + V4_ID_OFF, h, sizeof(h)))
		return WEIR_TRUNCATED;
	bits = bpf_ntohs(h[1]);
	piece->id = h[0];
	piece->start = pkt->l4_off;
	piece->offset = (bits & FRAGMENT_V4_OFFSET_BITS) * 8;
	piece->more = bits & V4_MORE;
	return WEIR_FORWARDED;
}

/* Headers after the fragment header are in the first fragment only. */
static __always_inline enum weir_reason piece_v6(struct __sk_buff *skb, struct pkt *pkt,
						 struct piece *piece)
{
	enum weir_reason why;
	__u8 h[V6_FRAGMENT_HEADER];
	__u32 bits;

	if (load_l4(skb, pkt, h, sizeof(h)))
		return WEIR_TRUNCATED;
	bits = bpf_ntohs(*(__be16 *)(h + 2));
	piece->id = *(__be32 *)(h + 4);
	piece->offset = bits & FRAGMENT_V6_OFFSET_BITS;
	piece->more = bits & V6_MORE;
	pkt->l4_off += V6_FRAGMENT_HEADER;
	piece->start = pkt->l4_off;
	if (piece->offset)
		return WEIR_FORWARDED;
	why = walk_v6_headers(skb, pkt, h[0]);
	if (why == WEIR_FRAGMENT)
		return WEIR_BAD_HEADER; /* a fragment in a fragment */
	return why == WEIR_TRUNCATED && piece->more ? WEIR_FRAGMENT_TINY : why;
}

/*
 * Every fragment but the last has a length that is a multiple of 8, none is empty, and together
 * they are at most a datagram long.
 */
static __always_inline int piece_is_sane(const struct pkt *pkt, const struct piece *piece)
{
	__u32 len = pkt->end - piece->start;

	if (piece->start >= pkt->end || piece->offset + len > DATAGRAM_MAX)
		return 0;
	return !piece->more || !(len & 7);
}

/* IPv6 identifies a datagram by addresses and id alone (RFC 8200). */
static __always_inline void fragment_key(struct weir_fragment_key *key, const struct pkt *pkt,
					 __be32 id)
{
	*key = (struct weir_fragment_key){ .src = pkt->src,
					   .dst = pkt->dst,
					   .id_be = id,
					   .device = pkt->device,
					   .to_pod = !pod_sends(pkt),
					   .proto = pkt->v6 ? 0 : pkt->proto };
}

/* Length of the L4 header's fixed part. No byte before its end may come from a later fragment. */
static __always_inline __u32 l4_fixed(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return TCP_HEADER_MIN;
	case IPPROTO_SCTP:
		return SCTP_HEADER + 4; /* with the first chunk's header */
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return UDP_HEADER;
	}
	return 0;
}

_Static_assert(UDP_HEADER == ICMP_HEADER, "l4_fixed() says the same of both");

/* A first or only fragment. Kept when its verdict is known: fragment_keep(). */
static __always_inline enum weir_reason head(struct __sk_buff *skb, struct scratch *s,
					     const struct piece *piece)
{
	struct pkt *pkt = &s->pkt;
	enum weir_reason why = parse_l4(skb, pkt);

	/* neighbour discovery is never fragmented (RFC 6980), ICMP errors are never that long */
	if (why == WEIR_NEIGHBOUR || why == WEIR_OFF_LINK ||
	    (why == WEIR_ICMP_ERROR && piece->more))
		return WEIR_FRAGMENT;
	if (why == WEIR_TRUNCATED && piece->more)
		return WEIR_FRAGMENT_TINY;
	if (why || !piece->more)
		return why;
	pkt->fragment = FRAGMENT_HEAD;
	fragment_key(&s->fragment_key, pkt, piece->id);
	s->fragment = (struct weir_fragment){
		.sport_be = pkt->sport_be,
		.dport_be = pkt->dport_be,
		.header_end = pkt->l4_off - piece->start + l4_fixed(pkt->proto),
		.proto = pkt->proto,
		.begins = pkt->begins && pkt->proto != IPPROTO_TCP && pkt->proto != IPPROTO_SCTP,
		.seen = pkt->now,
	};
	return WEIR_FORWARDED;
}

static __always_inline int fragment_key_equal(const struct weir_fragment_key *a,
					      const struct weir_fragment_key *b)
{
	return a->id_be == b->id_be && a->device == b->device && a->proto == b->proto &&
	       a->to_pod == b->to_pod && weir_addr_equal(&a->src, &b->src) &&
	       weir_addr_equal(&a->dst, &b->dst);
}

static __always_inline __u32 ring_of_source(const struct pkt *p)
{
	__u32 h = 0;

	for (int i = 0; i < 4; i++)
		h = mix(h, p->src.w[i]);
	return (h ^ h >> 16) & (WEIR_FRAGMENT_OUTSIDE_RINGS - 1);
}

/*
 * The first fragments that the pod behind the packet's device sends, or is sent; at an uplink,
 * those of a few senders.
 */
static __always_inline struct weir_fragment_ring *fragment_ring(struct scratch *s)
{
	__u32 at;

	if (at_uplink(&s->pkt))
		at = WEIR_POD_BUCKETS * 2 + ring_of_source(&s->pkt);
	else
		at = weir_pod_bucket(ref_by_device(s, s->pkt.device)) * 2 + !pod_sends(&s->pkt);
	return bpf_map_lookup_elem(&fragments, &at);
}

/* A read with a full barrier on both sides. */
static __always_inline __u32 read_sequence(struct weir_fragment_slot *slot)
{
	return __sync_fetch_and_add(&slot->sequence, 0);
}

/* The slot of the datagram at s->fragment_key, or -1. */
static __always_inline int fragment_find(struct scratch *s, const struct weir_fragment_ring *ring)
{
	for (int i = 0; i < WEIR_FRAGMENT_RING_LEN; i++)
		if (fragment_key_equal(&ring->slot[i].key, &s->fragment_key))
			return i;
	return -1;
}

/*
 * A first fragment passes: keeps its ports for the later ones, in the slot of the oldest of the
 * same pod. A fragment that is denied, or not the pod's own, takes no slot.
 */
__noinline int fragment_keep(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_fragment_ring *ring;
	struct weir_fragment_slot *slot;
	__u32 sequence;
	int at;

	keep_arg(skb);
	ring = s ? fragment_ring(s) : NULL;
	if (!ring)
		return 0;
	at = fragment_find(s, ring); /* sent again: it has a slot */
	if (at < 0)
		at = __sync_fetch_and_add(&ring->next, 1);
	slot = &ring->slot[at & (WEIR_FRAGMENT_RING_LEN - 1)];
	sequence = read_sequence(slot);
	/* another CPU writes a fragment of this pod here: this one is lost */
	if (sequence & 1 ||
	    __sync_val_compare_and_swap(&slot->sequence, sequence, sequence + 1) != sequence)
		return 0;
	slot->key = s->fragment_key;
	slot->value = s->fragment;
	__sync_fetch_and_add(&slot->sequence, 1);
	return 0;
}

/* Copies the first fragment of s->fragment_key to s->fragment. Returns 0, or -1 if none is kept. */
static __always_inline int fragment_recall(struct scratch *s)
{
	const __u32 lives = ((__u64)WEIR_FRAGMENT_S * 1000000000) >> WEIR_TICK_SHIFT;
	struct weir_fragment_ring *ring = fragment_ring(s);
	struct weir_fragment_slot *slot;
	__u32 sequence;
	int at = ring ? fragment_find(s, ring) : -1;

	if (at < 0)
		return -1;
	slot = &ring->slot[at & (WEIR_FRAGMENT_RING_LEN - 1)];
	sequence = read_sequence(slot);
	s->fragment = slot->value;
	/* RACE: another CPU reuses the slot */
	if (!fragment_key_equal(&slot->key, &s->fragment_key) || sequence & 1 ||
	    read_sequence(slot) != sequence)
		return -1;
	return ticks_since(s->pkt.now, s->fragment.seen) > lives ? -1 : 0;
}

static __always_inline enum weir_reason later(struct scratch *s, const struct piece *piece)
{
	const struct weir_fragment *first = &s->fragment;
	struct pkt *pkt = &s->pkt;

	fragment_key(&s->fragment_key, pkt, piece->id);
	if (fragment_recall(s))
		return WEIR_FRAGMENT_FIRST;
	if (piece->offset < first->header_end)
		return WEIR_FRAGMENT_OVERLAP;
	pkt->proto = first->proto;
	pkt->sport_be = first->sport_be;
	pkt->dport_be = first->dport_be;
	pkt->begins = first->begins;
	pkt->tcp_flags = pkt->proto == IPPROTO_TCP ? TCP_ACK : 0;
	pkt->fragment = FRAGMENT_LATER;
	return WEIR_FORWARDED;
}

/* FORWARDED: s->pkt is a packet of a connection now. Others: as pkt_parse(). */
__noinline int fragment_parse(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct piece piece = {};
	enum weir_reason why;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	s->pkt.fragmented = 1;
	why = s->pkt.v6 ? piece_v6(skb, &s->pkt, &piece) : piece_v4(skb, &s->pkt, &piece);
	if (!why && !piece_is_sane(&s->pkt, &piece))
		why = WEIR_BAD_HEADER;
	if (why)
		return why;
	if (is_link_local(&s->pkt))
		return WEIR_LINK_LOCAL;
	return piece.offset ? later(s, &piece) : head(skb, s, &piece);
}

/*
 * SCTP's CRC covers all fragments, and the change that new ports make to it depends on the length
 * that follows.
 */
static __always_inline int sctp_ports_change(const struct scratch *s)
{
	return s->pkt.proto == IPPROTO_SCTP &&
	       (s->route.sport_be != s->pkt.sport_be || s->route.dport_be != s->pkt.dport_be);
}

/*
 * Applies s->route to a fragment. A first one is translated like any packet: a TCP or UDP checksum
 * covers the whole datagram and changes with the first fragment's header. Later ones contain
 * addresses only.
 */
__noinline int fragment_nat(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	if (sctp_ports_change(s))
		return WEIR_FRAGMENT_SCTP;
	/* for SCTP only addresses change, which its checksum does not cover */
	if (s->pkt.fragment != FRAGMENT_LATER && s->pkt.proto != IPPROTO_SCTP)
		return nat_plain(skb, s) ? WEIR_INTERNAL : WEIR_FORWARDED;
	return nat_both_addrs(skb) ? WEIR_INTERNAL : WEIR_FORWARDED;
}
