/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connections: keys and values of the conntrack table, and what can be derived from entries alone:
 * a flow's state and its reverse entry. Shared by packets, gc and user space; reads no table.
 */
#pragma once

#include <linux/in.h>
#include <stddef.h>

#include <weir/addr.h>
#include <weir/limits.h>

enum weir_zone {
	/* a direct flow whose key without this bit is the reverse entry of a translated one */
	WEIR_ZONE_DIRECT = 1 << 0,
	/*
	 * a flow that an uplink translates, none of whose ends is judged there: the pod's own flow
	 * has the same key without this bit
	 */
	WEIR_ZONE_OUTSIDE = 1 << 1,
};

/*
 * Key of the conntrack table. Canonical: the end with the smaller (address, port) comes first, so
 * that both directions find the same entry. ICMP: see enum weir_icmp_port.
 */
struct weir_tuple {
	union {
		struct weir_addr addr[2];
		struct weir_wide wide[2];
	};
	__be16 port_be[2];
	__u8 proto;
	__u8 zone; /* enum weir_zone, or-ed */
	__u16 pad;
};
WEIR_ASSERT_SIZE(struct weir_tuple, 40);

/*
 * Ports of ICMP messages, host order (NP-38). An echo request has its id as source port and 0 as
 * destination port, the reply the reverse. An id of 0, and messages that are no echo, use the ports
 * below, which no echo has. They differ by direction, so that a request and its reply have distinct
 * ends. Messages that are no echo form one flow per direction: none is known to answer another.
 */
enum weir_icmp_port {
	WEIR_ICMP_ID_ZERO = 1, /* in place of the id */
	WEIR_ICMP_ID_ZERO_PEER = 2, /* the other end's port, in place of 0 */
	WEIR_ICMP_OTHER_SRC = 3,
	WEIR_ICMP_OTHER_DST = 4,
};

/* Orders the two ends of a connection. Any total order will do. */
static __always_inline int weir_end_before(const struct weir_wide *a, __be16 a_port_be,
					   const struct weir_wide *b, __be16 b_port_be)
{
	if (a->half[1] != b->half[1]) /* the half in which most pairs differ */
		return a->half[1] < b->half[1];
	if (a->half[0] != b->half[0])
		return a->half[0] < b->half[0];
	return a_port_be < b_port_be;
}

static __always_inline void weir_tuple_ends(struct weir_tuple *ret_key, const struct weir_wide *a,
					    __be16 a_port_be, const struct weir_wide *b,
					    __be16 b_port_be)
{
	weir_wide_set(&ret_key->wide[0], a);
	weir_wide_set(&ret_key->wide[1], b);
	ret_key->port_be[0] = a_port_be;
	ret_key->port_be[1] = b_port_be;
}

/* The only constructor of keys. Returns whether the source comes first in the key. */
static __always_inline int weir_tuple_make_wide(struct weir_tuple *ret_key,
						const struct weir_wide *src, __be16 sport_be,
						const struct weir_wide *dst, __be16 dport_be,
						__u8 proto, __u8 zone)
{
	int first = weir_end_before(src, sport_be, dst, dport_be);

	if (first)
		weir_tuple_ends(ret_key, src, sport_be, dst, dport_be);
	else
		weir_tuple_ends(ret_key, dst, dport_be, src, sport_be);
	ret_key->proto = proto;
	ret_key->zone = zone;
	ret_key->pad = 0;
	return first;
}

/* The same, from addresses of any alignment. */
static __always_inline int weir_tuple_make(struct weir_tuple *ret_key, const struct weir_addr *src,
					   __be16 sport_be, const struct weir_addr *dst,
					   __be16 dport_be, __u8 proto, __u8 zone)
{
	struct weir_wide from = weir_wide(src), to = weir_wide(dst);

	return weir_tuple_make_wide(ret_key, &from, sport_be, &to, dport_be, proto, zone);
}

static __always_inline int weir_tuple_equal(const struct weir_tuple *a, const struct weir_tuple *b)
{
	return weir_addr_equal(&a->addr[0], &b->addr[0]) &&
	       weir_addr_equal(&a->addr[1], &b->addr[1]) && a->port_be[0] == b->port_be[0] &&
	       a->port_be[1] == b->port_be[1] && a->proto == b->proto && a->zone == b->zone;
}

/*
 * One end of a connection: which local pod it is, and the verdict for it. ref is 0 if the end is no
 * pod of this node. stamp is the policy epoch, read before any table, shifted left by one; bit 0
 * says "allowed".
 */
struct weir_end {
	__u32 ref; /* struct weir_pod.ref */
	__u32 stamp; /* written by compare-and-swap only */
};
WEIR_ASSERT_SIZE(struct weir_end, 8);

enum weir_flow_flag {
	/* fixed at insert */
	WEIR_FLOW_ORIG_FIRST = 1 << 0, /* the originator is addr[0] of the key */
	WEIR_FLOW_TRANSLATED = 1 << 1, /* one of a pair; clear: the only entry of its flow */
	WEIR_FLOW_REPLY = 1 << 2, /* the (backend, client) entry of a pair */
	WEIR_FLOW_ZONED = 1 << 3, /* the forward key of this pair has WEIR_ZONE_DIRECT */
	WEIR_FLOW_HOST_ORIGIN = 1 << 4, /* sent by a socket of this node (NP-41) */
	/* came through the host's stack; replies go back through it */
	WEIR_FLOW_VIA_STACK = 1 << 5,
	WEIR_FLOW_SERVICE = 1 << 6, /* translated by a Service (not only for a port collision) */
	WEIR_FLOW_HAIRPIN = 1 << 7, /* of a pair: the client is the backend (SVC-84) */
	/* set by packets, each for its own direction, with an atomic or */
	WEIR_FLOW_SEEN_ORIG = 1 << 8,
	WEIR_FLOW_SEEN_REPLY = 1 << 9,
	WEIR_FLOW_FIN_ORIG = 1 << 10,
	WEIR_FLOW_FIN_REPLY = 1 << 11,
	WEIR_FLOW_RST_ORIG = 1 << 12,
	WEIR_FLOW_RST_REPLY = 1 << 13,
	WEIR_FLOW_OPEN = 1 << 14, /* answered, TCP by a handshake: so not half-open */
	WEIR_FLOW_EXPIRING =
		1 << 15, /* set by gc; deleted a round later unless a packet clears it */
	WEIR_FLOW_DEAD = 1 << 16, /* being deleted: treat as missing */
	WEIR_FLOW_SYN_ACK = 1 << 17, /* TCP: the responder sent one, or the flow began mid-stream */
	/* the RST of that direction came from a pod of this node or from the node */
	WEIR_FLOW_RST_PROVEN_ORIG = 1 << 18,
	WEIR_FLOW_RST_PROVEN_REPLY = 1 << 19,
	/* fixed at insert: */
	WEIR_FLOW_OUTSIDE = 1 << 20, /* of a client outside, translated at an uplink */
	/*
	 * of a pair: the client's address changes too. The one that is not in the entry's key is in
	 * that of the reverse entry: gc_slots[].other
	 */
	WEIR_FLOW_SNAT = 1 << 21,
	/* bits 24-31: low bits of the tick of the last RST (WEIR_FLOW_RST_TICK) */
};

/*
 * Value of the conntrack table: 64 bytes, one cache line.
 *
 * An untranslated flow has one entry and leaves nat_* unused. A translated flow is a pair, linked
 * by nat_*:
 *   - the forward entry (client, frontend): nat_addr:nat_port is the backend, nat_cport the
 * client's port towards it, which differs from the client's own after a port collision;
 *   - the reverse entry (backend, client:nat port): nat_addr:nat_port is the frontend, nat_cport
 * the client's own port.
 *
 * In a hairpin the pod is client and backend, and sees the reserved address as its peer: that is
 * nat_addr of the forward entry, and the client in the reverse entry's key.
 */
struct weir_flow {
	/* read by every packet: next to the key in the table's element */
	struct weir_end end[2]; /* [0] the originator, [1] the responder (after translation) */
	__u32 flags; /* enum weir_flow_flag */
	__u32 last_seen; /* tick of the last packet in this entry's direction */
	union {
		struct weir_addr nat_addr;
		struct weir_wide nat_wide;
	};
	__be16 nat_port_be;
	__be16 nat_cport_be;
	__u32 service_stamp; /* service epoch read before the first table */
	__u32 backend; /* index of backends[] */
	__u32 backend_generation;
	__u32 gc_slot; /* of its key in gc_slots[] */
	__u32 sequence; /* unique among live flows */
};
WEIR_ASSERT_SIZE(struct weir_flow, 64);

#define WEIR_FLOW_RST_TICK_SHIFT 24
#define WEIR_FLOW_RST_TICK (0xffu << WEIR_FLOW_RST_TICK_SHIFT)

#define WEIR_TICK_SHIFT 27 /* 134 ms a tick */
#define WEIR_NO_GC_SLOT 0xffffffffu /* an entry that no packet made: gc does not see it */

/* How an element of gc_slots[] is used. */
enum weir_gc_use {
	WEIR_GC_FREE,
	WEIR_GC_USED,
	WEIR_GC_HALF_OPEN, /* by the forward or only entry of a flow that is not open */
	WEIR_GC_SUSPECT, /* gc found no entry for it; freed in the next round */
};

/*
 * For what a gc slot is used, and for which pod: one word, so that each change is one
 * compare-and-swap, and the counts follow it exactly.
 */
union weir_gc_mark {
	struct {
		__u16 used; /* enum weir_gc_use */
		__u16 bucket; /* of the pod that the flow counts for, or WEIR_OUTSIDE_BUCKET */
	};
	__u32 word;
};

/* Element of gc_slots[]: the key of an entry, for gc. */
struct weir_key_slot {
	struct weir_tuple key;
	union weir_gc_mark mark;
	__u32 other; /* of an entry with WEIR_FLOW_SNAT: the slot of its reverse entry */
};
WEIR_ASSERT_SIZE(struct weir_key_slot, 48);

/* Element of flow_shares[]: what the pods of a bucket hold of the connection table. */
struct weir_flow_share {
	__u32 entries;
	__u32 half_open;
	__u32 cursor; /* gc slot at which the search for an entry to evict goes on */
	__u32 newest; /* gc slot of the last flow that began */
	__u32 skip; /* new flows until the next search, after one that found nothing */
	__u32 evicted; /* flows evicted for newer ones of the same bucket */
};
WEIR_ASSERT_SIZE(struct weir_flow_share, 24);

/*
 * One datagram in fragments, at one pod's device, so that other pods cannot add to it. id: 16 bits
 * in IPv4. proto: 0 in IPv6.
 */
struct weir_fragment_key {
	struct weir_addr src, dst; /* as on the wire */
	__be32 id_be;
	__u32 device;
	__u8 proto;
	__u8 to_pod; /* sent to the device's pod, not by it */
	__u8 pad[2];
};
WEIR_ASSERT_SIZE(struct weir_fragment_key, 44);

/* What the first fragment tells about the later ones (SVC-97). */
struct weir_fragment {
	__be16 sport_be, dport_be;
	__u16 header_end; /* length of the headers, bytes, which later fragments must not overlap */
	__u8 proto;
	__u8 begins; /* struct pkt.begins for the later ones */
	__u32 seen; /* tick */
};
WEIR_ASSERT_SIZE(struct weir_fragment, 12);

/* One first fragment. Written by the CPU that made sequence odd; read if that stays the same. */
struct weir_fragment_slot {
	__u32 sequence;
	struct weir_fragment_key key;
	struct weir_fragment value;
};
WEIR_ASSERT_SIZE(struct weir_fragment_slot, 60);

/* Element of fragments[]: the first fragments of one bucket of pods and direction. */
struct weir_fragment_ring {
	__u32 next; /* sequence number of the next one; its slot has the oldest */
	struct weir_fragment_slot slot[WEIR_FRAGMENT_RING_LEN];
};
WEIR_ASSERT_SIZE(struct weir_fragment_ring, 4 + WEIR_FRAGMENT_RING_LEN * 60);

/* ---- State, and the reverse entry --------------------------------------------------------- */

#define WEIR_FLOW_SEEN_BOTH (WEIR_FLOW_SEEN_ORIG | WEIR_FLOW_SEEN_REPLY)
#define WEIR_FLOW_FIN_BOTH (WEIR_FLOW_FIN_ORIG | WEIR_FLOW_FIN_REPLY)
#define WEIR_FLOW_RST_ANY (WEIR_FLOW_RST_ORIG | WEIR_FLOW_RST_REPLY)
#define WEIR_FLOW_RST_PROVEN_SHIFT 6 /* from the bit of a RST to that of its proof */

/* Set by packets, each for its own direction. */
#define WEIR_FLOW_STATE_BITS                                                             \
	(WEIR_FLOW_SEEN_BOTH | WEIR_FLOW_FIN_BOTH | WEIR_FLOW_RST_ANY | WEIR_FLOW_OPEN | \
	 WEIR_FLOW_SYN_ACK | WEIR_FLOW_RST_PROVEN_ORIG | WEIR_FLOW_RST_PROVEN_REPLY)

enum weir_flow_state {
	/* TCP */
	WEIR_STATE_OPENING,
	WEIR_STATE_OPEN,
	WEIR_STATE_CLOSING, /* FIN in both directions, or a RST: weir_flow_is_reset() */
	/* all other protocols */
	WEIR_STATE_ONE_WAY,
	WEIR_STATE_ANSWERED,
};

/*
 * Is a TCP flow ended by a RST that no later packet refuted? Anybody outside can forge one, with
 * any sequence number, and the pod ignores it: an open flow lives on unless the RST's source is
 * proven.
 */
static __always_inline int weir_flow_is_reset(__u32 flags)
{
	__u32 rst = flags & WEIR_FLOW_RST_ANY;

	return rst & (flags >> WEIR_FLOW_RST_PROVEN_SHIFT) || (rst && !(flags & WEIR_FLOW_OPEN));
}

/* flags: of the flow's only entry, or of both entries of a pair, or-ed. */
static __always_inline enum weir_flow_state weir_flow_state(__u32 flags, __u8 proto)
{
	if (proto != IPPROTO_TCP)
		return (flags & WEIR_FLOW_SEEN_BOTH) == WEIR_FLOW_SEEN_BOTH ? WEIR_STATE_ANSWERED
									    : WEIR_STATE_ONE_WAY;
	if (weir_flow_is_reset(flags) || (flags & WEIR_FLOW_FIN_BOTH) == WEIR_FLOW_FIN_BOTH)
		return WEIR_STATE_CLOSING;
	return flags & WEIR_FLOW_OPEN ? WEIR_STATE_OPEN : WEIR_STATE_OPENING;
}

static __always_inline int weir_flow_is_pair(__u32 flags)
{
	return !!(flags & WEIR_FLOW_TRANSLATED);
}

/* The client's address in an entry's key, and the other end's. */
static __always_inline const struct weir_addr *weir_flow_client(const struct weir_tuple *key,
								const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_ORIG_FIRST ? &key->addr[0] : &key->addr[1];
}

static __always_inline const struct weir_addr *weir_flow_far(const struct weir_tuple *key,
							     const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_ORIG_FIRST ? &key->addr[1] : &key->addr[0];
}

/* The backend that a pair's forward entry leads to. */
static __always_inline const struct weir_addr *weir_flow_backend(const struct weir_tuple *key,
								 const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_HAIRPIN ? weir_flow_client(key, flow) : &flow->nat_addr;
}

/* Zones of the two keys of a pair. */
static __always_inline __u8 weir_forward_zone(__u32 flags)
{
	return (flags & WEIR_FLOW_ZONED ? WEIR_ZONE_DIRECT : 0) |
	       (flags & WEIR_FLOW_OUTSIDE ? WEIR_ZONE_OUTSIDE : 0);
}

/* A backend that is judged as a pod of this node answers at its own device. */
static __always_inline __u8 weir_rev_zone(const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_OUTSIDE && !flow->end[1].ref ? WEIR_ZONE_OUTSIDE : 0;
}

/*
 * Key of the reverse entry: the client's end and nat_*, for both entries of a pair that has not
 * WEIR_FLOW_SNAT. A hairpin's
 * reverse entry leads from the pod to the frontend, its forward entry from the reserved address to
 * the pod.
 */
static __always_inline void weir_flow_rev_key(const struct weir_tuple *key,
					      const struct weir_flow *flow,
					      struct weir_tuple *ret_rev)
{
	__u32 hairpin = flow->flags & WEIR_FLOW_HAIRPIN, reply = flow->flags & WEIR_FLOW_REPLY;
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	const struct weir_addr *near = &flow->nat_addr, *far = near;

	if (hairpin && reply)
		client = !client;
	if (hairpin && !reply)
		far = client ? &key->addr[1] : &key->addr[0];
	else
		near = client ? &key->addr[1] : &key->addr[0];
	weir_tuple_make(ret_rev, near, flow->nat_cport_be, far, flow->nat_port_be, key->proto,
			reply ? weir_forward_zone(flow->flags) : weir_rev_zone(flow));
}

/*
 * The client's other address, of an entry with WEIR_FLOW_SNAT; other: key of the reverse entry,
 * which has the end that nat_* name, and the client's. NULL: it is another flow's key.
 */
static __always_inline const struct weir_addr *weir_flow_peer(const struct weir_flow *flow,
							      const struct weir_tuple *other)
{
	int far = other->port_be[1] == flow->nat_port_be &&
		  weir_addr_equal(&other->addr[1], &flow->nat_addr);

	if (!far && (other->port_be[0] != flow->nat_port_be ||
		     !weir_addr_equal(&other->addr[0], &flow->nat_addr)))
		return NULL;
	if ((far ? other->port_be[0] : other->port_be[1]) != flow->nat_cport_be)
		return NULL;
	return far ? &other->addr[0] : &other->addr[1];
}

/*
 * Is other, found under weir_flow_rev_key(), the reverse entry of flow? It is if it leads back to
 * key.
 */
static __always_inline int weir_flow_is_rev(const struct weir_tuple *key,
					    const struct weir_flow *flow,
					    const struct weir_flow *other)
{
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	int by_client = (flow->flags & WEIR_FLOW_HAIRPIN) && (flow->flags & WEIR_FLOW_REPLY);

	return weir_flow_is_pair(other->flags) &&
	       ((flow->flags ^ other->flags) & WEIR_FLOW_REPLY) &&
	       !((flow->flags ^ other->flags) & WEIR_FLOW_HAIRPIN) &&
	       other->nat_cport_be == (client ? key->port_be[1] : key->port_be[0]) &&
	       other->nat_port_be == (client ? key->port_be[0] : key->port_be[1]) &&
	       weir_addr_equal(&other->nat_addr,
			       by_client ? weir_flow_client(key, flow) : weir_flow_far(key, flow));
}
