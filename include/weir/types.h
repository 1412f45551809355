/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Everything that the BPF programs and user space both see: addresses, map
 * keys and values, and the few words that change while packets read them.
 *
 * Nothing here is written twice anywhere else. Byte order: addresses and every
 * field that ends in _be are network order; all else is host order. A value
 * that changes after insert is one aligned word (docs/design.md, "Atomic").
 */
#pragma once

#include <linux/types.h>

#define WEIR_LAYOUT_VERSION 3 /* raised whenever a key or a value below changes */

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define WEIR_ASSERT_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " is " #size " bytes")

/* ---- Addresses ------------------------------------------------------------------------------- */

/* One address of either family. IPv4 is kept as ::ffff:a.b.c.d (PARSE-4). */
struct weir_addr {
	union {
		__u8 b[16];
		__be32 w[4]; /* no wider member: keys that hold an address stay 4-aligned, without holes */
	};
};
WEIR_ASSERT_SIZE(struct weir_addr, 16);

/*
 * An address as the packet's path moves and compares it: two words, 8-aligned.
 * Halves are copied one by one: clang 14 copies the whole struct byte by byte.
 */
struct weir_wide {
	__u64 half[2];
};
WEIR_ASSERT_SIZE(struct weir_wide, sizeof(struct weir_addr));

static __always_inline struct weir_wide weir_wide(const struct weir_addr *addr)
{
	struct weir_wide wide;

	__builtin_memcpy(&wide, addr, sizeof(wide));
	return wide;
}

static __always_inline void weir_wide_set(struct weir_wide *to, const struct weir_wide *from)
{
	to->half[0] = from->half[0];
	to->half[1] = from->half[1];
}

static __always_inline int weir_wide_equal(const struct weir_wide *a, const struct weir_wide *b)
{
	return !((a->half[0] ^ b->half[0]) | (a->half[1] ^ b->half[1]));
}

#define WEIR_V4_PREFIX_BITS 96 /* an IPv4 /n is a /(96 + n) here */

static __always_inline int weir_addr_equal(const struct weir_addr *a, const struct weir_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

static __always_inline int weir_addr_is_zero(const struct weir_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

static __always_inline int weir_addr_is_v4(const struct weir_addr *a)
{
	return !(a->w[0] | a->w[1]) && a->b[8] == 0 && a->b[9] == 0 && a->b[10] == 0xff && a->b[11] == 0xff;
}

static __always_inline struct weir_addr weir_addr_from_v4(__be32 v4)
{
	struct weir_addr a = {};

	a.b[10] = 0xff;
	a.b[11] = 0xff;
	a.w[3] = v4;
	return a;
}

/* ---- Connections ----------------------------------------------------------------------------- */

/*
 * Key of the conntrack table. Canonical: the end with the smaller (address,
 * port) comes first, so both directions of a connection find the same entry.
 * ICMP: see enum weir_icmp_port.
 */
struct weir_tuple {
	union {
		struct weir_addr addr[2];
		struct weir_wide wide[2];
	};
	__be16 port_be[2];
	__u8 proto;
	__u8 mark; /* 1: a direct flow whose plain key is the reply entry of a translated one */
	__u16 pad;
};
WEIR_ASSERT_SIZE(struct weir_tuple, 40);

/*
 * Ports of ICMP messages, host order (NP-38). An echo request has the id as its source port and 0 as destination port,
 * the reply the other way round. Where the id is 0 itself, and for messages that are neither, there are ports that no
 * echo has, and that differ: who is asked must not find the entry of who asks. For the latter each direction is a flow
 * of its own, because nothing says that one answers the other.
 */
enum weir_icmp_port {
	WEIR_ICMP_ID_ZERO = 1, /* in place of the id */
	WEIR_ICMP_ID_ZERO_PEER = 2, /* in place of 0, opposite of the former */
	WEIR_ICMP_OTHER_SRC = 3,
	WEIR_ICMP_OTHER_DST = 4,
};

/* Orders two ends of a connection; any total order will do, as long as everybody uses this one. */
static __always_inline int weir_end_before(const struct weir_wide *a, __be16 a_port_be, const struct weir_wide *b,
					   __be16 b_port_be)
{
	if (a->half[1] != b->half[1]) /* the half in which most pairs differ */
		return a->half[1] < b->half[1];
	if (a->half[0] != b->half[0])
		return a->half[0] < b->half[0];
	return a_port_be < b_port_be;
}

static __always_inline void weir_tuple_ends(struct weir_tuple *ret_key, const struct weir_wide *a,
					    __be16 a_port_be, const struct weir_wide *b, __be16 b_port_be)
{
	weir_wide_set(&ret_key->wide[0], a);
	weir_wide_set(&ret_key->wide[1], b);
	ret_key->port_be[0] = a_port_be;
	ret_key->port_be[1] = b_port_be;
}

/* The one constructor of keys. Returns whether the source stands first in the key. */
static __always_inline int weir_tuple_make_wide(struct weir_tuple *ret_key, const struct weir_wide *src,
						__be16 sport_be, const struct weir_wide *dst, __be16 dport_be,
						__u8 proto, __u8 mark)
{
	int first = weir_end_before(src, sport_be, dst, dport_be);

	if (first)
		weir_tuple_ends(ret_key, src, sport_be, dst, dport_be);
	else
		weir_tuple_ends(ret_key, dst, dport_be, src, sport_be);
	ret_key->proto = proto;
	ret_key->mark = mark;
	ret_key->pad = 0;
	return first;
}

/* The same from addresses that stand anywhere. */
static __always_inline int weir_tuple_make(struct weir_tuple *ret_key, const struct weir_addr *src,
					   __be16 sport_be, const struct weir_addr *dst, __be16 dport_be,
					   __u8 proto, __u8 mark)
{
	struct weir_wide from = weir_wide(src), to = weir_wide(dst);

	return weir_tuple_make_wide(ret_key, &from, sport_be, &to, dport_be, proto, mark);
}

static __always_inline int weir_tuple_equal(const struct weir_tuple *a, const struct weir_tuple *b)
{
	return weir_addr_equal(&a->addr[0], &b->addr[0]) && weir_addr_equal(&a->addr[1], &b->addr[1]) &&
	       a->port_be[0] == b->port_be[0] && a->port_be[1] == b->port_be[1] && a->proto == b->proto &&
	       a->mark == b->mark;
}

/*
 * One local end of a connection: which pod it was, and what was decided for it.
 * ref is 0 where the end is no pod of this node. stamp is the policy epoch that
 * was read before the first table, shifted left by one, with "allowed" in bit 0.
 */
struct weir_end {
	__u32 ref; /* struct weir_pod.ref */
	__u32 stamp; /* written by compare-and-exchange only */
};
WEIR_ASSERT_SIZE(struct weir_end, 8);

enum weir_flow_flag {
	/* fixed at insert */
	WEIR_FLOW_ORIG_FIRST = 1 << 0, /* the originator is addr[0] of the key */
	WEIR_FLOW_TRANSLATED = 1 << 1, /* one of a pair; clear: the only entry of its flow */
	WEIR_FLOW_REPLY = 1 << 2, /* the (backend, client) entry of a pair */
	WEIR_FLOW_MARKED = 1 << 3, /* the forward key of this pair carries the mark */
	WEIR_FLOW_HOST_ORIGIN = 1 << 4, /* sent by a socket of this node (NP-41) */
	WEIR_FLOW_VIA_STACK = 1 << 5, /* came through the host's stack, so replies go through it */
	WEIR_FLOW_SERVICE = 1 << 6, /* translated by a Service (not only for a port collision) */
	WEIR_FLOW_HAIRPIN = 1 << 7, /* of a pair: the client is the backend (SVC-84) */
	/* written as packets pass, each by its own direction, with atomic or */
	WEIR_FLOW_SEEN_ORIG = 1 << 8,
	WEIR_FLOW_SEEN_REPLY = 1 << 9,
	WEIR_FLOW_FIN_ORIG = 1 << 10,
	WEIR_FLOW_FIN_REPLY = 1 << 11,
	WEIR_FLOW_RST_ORIG = 1 << 12,
	WEIR_FLOW_RST_REPLY = 1 << 13,
	WEIR_FLOW_OPEN = 1 << 14, /* both directions seen: no longer in the half-open ring */
	WEIR_FLOW_EXPIRING = 1 << 15, /* marked by the sweep; deleted on its next round */
	WEIR_FLOW_DEAD = 1 << 16, /* about to be deleted: treat as missing */
	/* bits 24-31: low bits of the tick at which this entry last saw a RST (WEIR_FLOW_RST_TICK) */
};

/*
 * Value of the conntrack table: 64 bytes, one cache line.
 *
 * Untranslated flow: one entry, nat_* unused. Translated flow: two entries,
 * linked by their nat_* fields:
 *   forward (client, frontend): nat_addr:nat_port is the backend, nat_cport the
 *     client's port towards it (differs from the client's own after a collision);
 *   reply (backend, client:nat port): nat_addr:nat_port is the frontend,
 *     nat_cport the client's own port.
 * Of a hairpin the client and the backend are one, which sees the reserved
 * address: that is nat_addr of the forward entry, and the client in the key of
 * the reply's.
 */
struct weir_flow {
	/* what every packet reads stands first, beside the key in the table's element */
	struct weir_end end[2]; /* [0] the originator, [1] the responder (after translation) */
	__u32 flags; /* enum weir_flow_flag */
	__u32 last_seen; /* ticks of 2^WEIR_TICK_SHIFT ns; of this entry's own direction(s) */
	union {
		struct weir_addr nat_addr;
		struct weir_wide nat_wide;
	};
	__be16 nat_port_be;
	__be16 nat_cport_be;
	__u32 service_stamp; /* service epoch read before the first table */
	__u32 backend; /* index of backends[] */
	__u32 backend_generation;
	__u32 place; /* of its key in flow_keys[] */
	__u32 half_open; /* sequence number in the half-open ring; no two flows at a time have the same */
};
WEIR_ASSERT_SIZE(struct weir_flow, 64);

#define WEIR_FLOW_RST_TICK_SHIFT 24
#define WEIR_FLOW_RST_TICK (0xffu << WEIR_FLOW_RST_TICK_SHIFT)

#define WEIR_TICK_SHIFT 27 /* 134 ms a tick */
#define WEIR_NO_PLACE 0xffffffffu /* an entry that no packet made: the sweep does not find it */

/* A key waiting for the sweep, or for its turn in the half-open ring. */
struct weir_flow_key {
	struct weir_tuple key;
	__u32 used;
	__u32 sequence; /* half-open ring only: which insert wrote this place */
};
WEIR_ASSERT_SIZE(struct weir_flow_key, 48);

/*
 * Key of fragments: a datagram that comes in fragments. By the pod's device, so
 * that nobody at another one can add to it. id: 16 bits in IPv4. proto: 0 in IPv6.
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

/* What its first fragment said, for the later ones (SVC-97). */
struct weir_fragment {
	__be16 sport_be, dport_be;
	__u16 header_end; /* bytes from the datagram's start that later fragments may not replace */
	__u8 proto;
	__u8 begins; /* struct pkt.begins of a later one */
	__u32 seen; /* tick */
};
WEIR_ASSERT_SIZE(struct weir_fragment, 12);

/* ---- Words: what flips while packets read ----------------------------------------------------- */

/* One verdict and one rule for all ports and protocols, or a run of port_ranges[]. */
enum weir_word_kind {
	WEIR_WORD_DENY,
	WEIR_WORD_ALLOW,
	WEIR_WORD_PORTS, /* what no range of the run holds is denied */
};

#define WEIR_NO_RULE 0 /* rule id of a default deny, and of "no policy" */

static __always_inline __u64 weir_word_verdict(enum weir_word_kind kind, __u32 rule)
{
	return (__u64)rule << 32 | kind;
}

static __always_inline __u64 weir_word_ports(__u32 offset, __u32 len)
{
	return (__u64)offset << 32 | (__u64)len << 2 | WEIR_WORD_PORTS;
}

static __always_inline enum weir_word_kind weir_word_kind(__u64 word)
{
	return (enum weir_word_kind)(word & 3);
}

static __always_inline __u32 weir_word_rule(__u64 word)
{
	return word >> 32;
}

static __always_inline __u32 weir_word_offset(__u64 word)
{
	return word >> 32;
}

static __always_inline __u32 weir_word_len(__u64 word)
{
	return (__u32)word >> 2;
}

/* A run of elements of backend_slots[]. */
static __always_inline __u64 weir_run(__u32 offset, __u32 len)
{
	return (__u64)offset << 32 | len;
}

static __always_inline __u32 weir_run_offset(__u64 run)
{
	return run >> 32;
}

static __always_inline __u32 weir_run_len(__u64 run)
{
	return (__u32)run;
}

/* ---- Pods ------------------------------------------------------------------------------------- */

/* ref of a slot: its index, and a generation raised whenever the slot gets another attachment. */
#define WEIR_SLOT_BITS 16
#define WEIR_SLOT_MASK ((1u << WEIR_SLOT_BITS) - 1)

static __always_inline __u32 weir_ref(__u32 slot, __u32 generation)
{
	return generation << WEIR_SLOT_BITS | slot;
}

static __always_inline __u32 weir_ref_slot(__u32 ref)
{
	return ref & WEIR_SLOT_MASK;
}

enum weir_pod_flag {
	WEIR_POD_GATE = 1 << 0, /* no plan for this pod yet: hold everything (NP-53) */
	WEIR_POD_ADOPTED =
		1 << 1, /* it ran before its hooks came: the host's conntrack may know its connections */
};

/* The word of a pod: both policy sets and its flags, flipped together. Set 0 means "not isolated". */
static __always_inline __u64 weir_pod_word(__u32 ingress_set, __u32 egress_set, __u32 flags)
{
	return (__u64)ingress_set << 40 | (__u64)egress_set << 16 | flags;
}

static __always_inline __u32 weir_pod_ingress_set(__u64 word)
{
	return word >> 40;
}

static __always_inline __u32 weir_pod_egress_set(__u64 word)
{
	return (word >> 16) & 0xffffff;
}

static __always_inline __u32 weir_pod_flags(__u64 word)
{
	return word & 0xffff;
}

/* Does any policy set, or the gate, have a say about this pod's packets? */
static __always_inline int weir_pod_is_judged(__u64 word)
{
	return !!(word & ~(__u64)WEIR_POD_ADOPTED);
}

/* Value of pods[]: slot 0 is never used, so that ref 0 means "nobody". */
struct weir_pod {
	__u64 word; /* weir_pod_word(); one store */
	/* by family, as addr: an ipBlock matches one address and not the other (NP-29); one store each */
	__u32 identity[2];
	__u32 ref; /* weir_ref(); 0: the slot is free. Written last when a pod comes, first when it goes */
	__u32 ifindex; /* the host's end of the pod's veth */
	__u8 mac[6]; /* of the pod's own end */
	__u16 generation; /* of the last ref, also while the slot is free: the next one starts behind it */
	struct weir_addr addr[2]; /* [0] IPv4, [1] IPv6; all zero: none */
};
WEIR_ASSERT_SIZE(struct weir_pod, 64);

/* ---- Identities and policy --------------------------------------------------------------------- */

#define WEIR_IDENTITY_NONE 0 /* an address that no peer in use matches */

/* Key of the networks trie; prefix_len counts all 128 bits. */
struct weir_prefix {
	__u32 prefix_len;
	struct weir_addr addr;
};
WEIR_ASSERT_SIZE(struct weir_prefix, 20);

/* Value of policy_rules and of policy_sets[] is a word; the element never changes after insert. */
struct weir_policy_key {
	__u32 set;
	__u32 identity;
};
WEIR_ASSERT_SIZE(struct weir_policy_key, 8);

/*
 * Element of port_ranges[]. Sorted and disjoint within a run. low and high are
 * points: proto << 16 | port with the port in host order, so that one compare
 * orders both. A range may span protocols; one of TCP, UDP or SCTP alone holds
 * no point of any other protocol (NP-38).
 */
struct weir_port_range {
	__u32 low;
	__u32 high; /* inclusive (NP-36) */
	__u32 kind; /* WEIR_WORD_DENY or WEIR_WORD_ALLOW */
	__u32 rule;
};
WEIR_ASSERT_SIZE(struct weir_port_range, 16);

#define WEIR_PORT_POINT_MAX 0xffffff

static __always_inline __u32 weir_port_point(__u8 proto, __u16 port_host)
{
	return (__u32)proto << 16 | port_host;
}

/* ---- Services ----------------------------------------------------------------------------------- */

/*
 * Key of frontends. port 0 with proto 0 is "this is a known cluster IP": its
 * value is service 0, and a packet to it that no other frontend takes is not
 * for the stack (SVC-32, SVC-64).
 */
struct weir_frontend {
	struct weir_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 scope; /* 0; node-port scopes come later */
};
WEIR_ASSERT_SIZE(struct weir_frontend, 20);

enum weir_service_flag {
	/* hasAny of B.3: an empty run then means DROP, not REJECT (SVC-60, SVC-61) */
	WEIR_SERVICE_USABLE = 1 << 0,
};

/* Value of services[]; service 0 stands for "no service". Each member is one store. */
struct weir_service {
	__u64 internal; /* weir_run() of backend_slots[]: cluster IP traffic */
	__u64 external; /* not used yet */
	__u64 flags; /* enum weir_service_flag */
};
WEIR_ASSERT_SIZE(struct weir_service, 24);

enum weir_backend_flag {
	/* no packet reads either */
	WEIR_BACKEND_SERVING = 1 << 0, /* so that the next apply sees that it stopped */
	WEIR_BACKEND_TAKEN =
		1 << 1, /* the id is in use: stored last, cleared when no packet can hold it any more */
};

/*
 * Value of backends[]: one endpoint of one service port. Backend 0 is never
 * used. It says itself what it stands for, so names has no element for it.
 */
struct weir_backend {
	struct weir_addr addr;
	__be16 port_be;
	__u16 flags; /* enum weir_backend_flag */
	__u32 service;
	__u32 generation; /* raised when the endpoint stops serving, and whenever the id is reused */
	__u32 slot_hint; /* written by packets: the pod that had this address last; proven before it is believed */
};
WEIR_ASSERT_SIZE(struct weir_backend, 32);

/* ---- Names ---------------------------------------------------------------------------------------- */

enum weir_name_kind {
	WEIR_NAME_IDENTITY = 1,
	WEIR_NAME_POLICY_SET,
	WEIR_NAME_PORT_SET, /* id is the offset of its run, len its length */
	WEIR_NAME_RULE,
	WEIR_NAME_SERVICE,
	WEIR_NAME_BACKEND, /* never in the map: see struct weir_backend */
	WEIR_NAME_BACKEND_RUN, /* never in the map: see struct weir_service */
	WEIR_NAME_POD, /* of an attachment record; id is the slot */
	_WEIR_NAME_MAX,
};

/* Key of names: what the thing is, by the hash of its content. */
struct weir_name {
	__u32 kind; /* enum weir_name_kind */
	__u8 hash[16];
};
WEIR_ASSERT_SIZE(struct weir_name, 20);

struct weir_name_id {
	__u32 id;
	__u32 len;
};
WEIR_ASSERT_SIZE(struct weir_name_id, 8);

/* ---- Node-wide state -------------------------------------------------------------------------------- */

enum weir_node_kind {
	WEIR_NODE_OWN = 1, /* an address of this node (NP-41, NP-42) */
	WEIR_NODE_OTHER = 2,
};

/* What an apply still owes: set before its first flip, so that a rerun after a kill pays it. */
enum weir_pending {
	WEIR_PENDING_POLICY = 1 << 0, /* an epoch */
	WEIR_PENDING_SERVICE = 1 << 1,
	WEIR_PENDING_BARRIER = 1 << 2, /* before anything is given out again */
};

enum weir_enforcement {
	WEIR_ENFORCE_ON,
	WEIR_ENFORCE_OFF, /* services still work, denials pass */
};

enum weir_echo {
	WEIR_ECHO_BY_POLICY, /* a rule without ports allows it, one with ports does not (NP-38) */
	WEIR_ECHO_ALWAYS, /* echo requests and replies pass every policy */
};

/* The one element of config[]; the first line is read by every packet. */
struct weir_config {
	__u32 policy_epoch; /* 31 bits used; raised after an apply that an open flow could feel */
	__u32 service_epoch;
	__u32 enforcement; /* enum weir_enforcement */
	__u32 pending; /* enum weir_pending; user space only */
	__u64 generation; /* counts applies; names /run/weir/plan-<generation> */
	__u32 layout_version; /* WEIR_LAYOUT_VERSION of whoever made the maps */
	/* time limits, in ticks; enum in config.h says which */
	__u32 timeout[7];
	/* sweep */
	__u32 sweep_slice; /* places a tick */
	__u32 marked_flows; /* entries under marked keys, or about to be: written by packets and the sweep */
	__u32 sweep_interval_us;
	__u32 conntrack_places; /* size of flow_keys[] */
	__u32 half_open_places; /* size of half_open[], a power of two */
	__u32 echo; /* enum weir_echo */
	__u64 sweeps; /* rounds completed: written by the sweep */
	__u64 half_open_sequence; /* next sequence number: written by packets */
	__u64 full_at; /* tick at which the connection table was last full: written by packets */
	struct weir_addr hairpin[2]; /* [0] IPv4, [1] IPv6: whom a pod sees that reaches itself (SVC-84) */
};
WEIR_ASSERT_SIZE(struct weir_config, 136);

enum weir_timeout {
	WEIR_TIMEOUT_TCP_OPENING,
	WEIR_TIMEOUT_TCP_OPEN,
	WEIR_TIMEOUT_TCP_CLOSING,
	WEIR_TIMEOUT_UDP_ONE_WAY,
	WEIR_TIMEOUT_UDP_ANSWERED,
	WEIR_TIMEOUT_ECHO,
	WEIR_TIMEOUT_OTHER, /* any other protocol */
	_WEIR_TIMEOUT_MAX,
};

/* Value of counters, an element for each reason. */
struct weir_counter {
	__u64 packets;
	__u64 bytes;
};
WEIR_ASSERT_SIZE(struct weir_counter, 16);

/* Value of rule_hits and set_hits, by id. */
struct weir_hits {
	__u64 packets; /* judged by that rule; set_hits: denied because no rule of the set matched */
	__u64 last; /* tick of the last one; 0: never */
};
WEIR_ASSERT_SIZE(struct weir_hits, 16);

/*
 * What the last packet on this CPU was decided by: read by user space after
 * BPF_PROG_TEST_RUN (`--engine bpf`, differential tests). Written only when a
 * packet is judged, not on the established path.
 */
struct weir_trace {
	struct weir_addr dst; /* after translation */
	__be16 dst_port_be;
	__u8 judged_egress; /* the source is a pod of this node and was judged */
	__u8 judged_ingress;
	__u8 allow_egress;
	__u8 allow_ingress;
	__u16 reason; /* enum weir_reason */
	__u32 egress_rule; /* WEIR_NO_RULE: default deny, or no policy at all */
	__u32 ingress_rule;
	__u32 egress_set; /* 0: not isolated */
	__u32 ingress_set;
	__u32 service; /* 0: no service */
	__u32 backend;
};
WEIR_ASSERT_SIZE(struct weir_trace, 48);

/* What a program hands to the one that it goes on in (steps); on one CPU, for one packet. */
struct weir_handoff {
	__u32 host_asked; /* tick of the packet of which the host's conntrack was asked (bpf/midstream.bpf.h) */
	__u32 pad; /* values of per-CPU maps are rounded up to 8 bytes */
};
WEIR_ASSERT_SIZE(struct weir_handoff, 8);

/* Argument of the `store_word` program: one word stored in place in a hash map (docs/design.md, "Atomic"). */
enum weir_store_map {
	WEIR_STORE_IDENTITY, /* identities[addr] = value */
	WEIR_STORE_FRONTEND, /* frontends[frontend] = value */
};

struct weir_store {
	__u32 map; /* enum weir_store_map */
	__u32 value;
	union {
		struct weir_addr addr;
		struct weir_frontend frontend;
	};
	__u32 pad;
	/* the program returns 0, or -ENOENT when the key is not there */
};
WEIR_ASSERT_SIZE(struct weir_store, 32);
