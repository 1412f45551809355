/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Policy: words that encode a verdict, identities of addresses, rules and port ranges. */
#pragma once

#include <weir/addr.h>

/* One verdict by one rule for all ports and protocols, or an extent of port_ranges[]. */
enum weir_word_kind {
	WEIR_WORD_DENY,
	WEIR_WORD_ALLOW,
	WEIR_WORD_PORTS, /* a port in no range of the extent is denied */
	WEIR_WORD_CLOSED, /* DENY, since a policy did not fit; only default words */
};

#define WEIR_NO_RULE 0 /* default deny, or no policy */

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

#define WEIR_IDENTITY_NONE 0 /* of an address that no peer in use matches */

/* Key of the networks trie; prefix_len counts all 128 bits. */
struct weir_prefix {
	__u32 prefix_len;
	struct weir_addr addr;
};
WEIR_ASSERT_SIZE(struct weir_prefix, 20);

/* Value of policy_rules and policy_sets[]: a word. An element never changes after insert. */
struct weir_policy_key {
	__u32 set;
	__u32 identity;
};
WEIR_ASSERT_SIZE(struct weir_policy_key, 8);

/*
 * Element of port_ranges[]. Sorted and disjoint within an extent. low and high are points: proto <<
 * 16 | port in host order, so that one comparison orders both. A range may span protocols; a range
 * of TCP, UDP or SCTP alone holds no point of another protocol (NP-38). kind and rule are the
 * halves of a word: the verdict on the points, or PORTS, and their verdicts are in another extent.
 * That one refers to no third (WEIR_OVERLAY_BITS).
 */
struct weir_port_range {
	__u32 low;
	__u32 high; /* inclusive (NP-36) */
	__u32 kind; /* lower half: enum weir_word_kind, and of PORTS the length */
	__u32 rule; /* upper half: the rule, or of PORTS the offset */
};
WEIR_ASSERT_SIZE(struct weir_port_range, 16);

static __always_inline __u64 weir_range_word(const struct weir_port_range *range)
{
	return (__u64)range->rule << 32 | range->kind;
}

#define WEIR_PORT_POINT_MAX 0xffffff

static __always_inline __u32 weir_port_point(__u8 proto, __u16 port_host)
{
	return (__u32)proto << 16 | port_host;
}

/* Value of nodes: one of the first two, and flags. */
enum weir_node_kind {
	WEIR_NODE_OWN = 1 << 0, /* an address of this node (NP-41, NP-42) */
	WEIR_NODE_OTHER = 1 << 1,
	WEIR_NODE_PORTS = 1 << 2, /* an address of this node that serves node ports (SVC-36) */
};
