/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Local pods: the value of pods[], and the numbers that stand for one.
 */
#pragma once

#include <weir/addr.h>

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
	WEIR_POD_ADOPTED = 1 << 1, /* it ran before its hooks came: the host's conntrack may know
				      its connections */
};

/*
 * The word of a pod: both policy sets and its flags, flipped together. Set 0 means "not isolated".
 */
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
	/*
	 * by family, as addr: an ipBlock matches one address and not the other (NP-29); one store
	 * each
	 */
	__u32 identity[2];
	__u32 ref; /* weir_ref(); 0: the slot is free. Written last when a pod comes, first when it
		      goes */
	__u32 ifindex; /* the host's end of the pod's veth */
	__u8 mac[6]; /* of the pod's own end */
	__u16 generation; /* of the last ref, also while the slot is free: the next one starts
			     behind it */
	struct weir_addr addr[2]; /* [0] IPv4, [1] IPv6; all zero: none */
};
WEIR_ASSERT_SIZE(struct weir_pod, 64);
