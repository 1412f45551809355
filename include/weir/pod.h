/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Local pods: the value of pods[], and references to a pod. */
#pragma once

#include <weir/addr.h>

/*
 * ref: index of a slot, and a generation that is raised whenever the slot gets another attachment.
 */
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

/*
 * What packets can fill is divided by buckets of pods: each pod has the bucket of its slot, and
 * shares it only if there are more slots than buckets.
 */
#define WEIR_POD_BUCKETS 1024 /* a power of two */
/* One more: connections of clients outside, which an uplink translates. */
#define WEIR_OUTSIDE_BUCKET WEIR_POD_BUCKETS
#define WEIR_BUCKETS (WEIR_POD_BUCKETS + 1)

static __always_inline __u32 weir_pod_bucket(__u32 ref)
{
	return weir_ref_slot(ref) & (WEIR_POD_BUCKETS - 1);
}

enum weir_pod_flag {
	WEIR_POD_GATE = 1 << 0, /* no plan for this pod yet: drop everything (NP-53) */
	/* it ran before Weir attached: the host's conntrack may know its connections */
	WEIR_POD_ADOPTED = 1 << 1,
	/* opt-outs of its attachment record: */
	WEIR_POD_ANY_SENDER = 1 << 2, /* may speak for other MACs, neighbours and routers */
	WEIR_POD_TUNNELS = 1 << 3, /* may send tunnels to nodes */
};

#define WEIR_POD_OPEN_FLAGS (WEIR_POD_ADOPTED | WEIR_POD_ANY_SENDER | WEIR_POD_TUNNELS)

/*
 * The word of a pod: both policy sets and its flags, changed by one store. Set 0 means "not
 * isolated".
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

/* Is any policy set or the gate in force for this pod's packets? */
static __always_inline int weir_pod_is_judged(__u64 word)
{
	return !!(word & ~(__u64)WEIR_POD_OPEN_FLAGS);
}

/* Value of attachments[], by ifindex of the host's end of a pod's veth. */
struct weir_attachment {
	__u32 slot; /* of pods[] */
	/*
	 * ifindex of the bridge or VRF that the device belongs to, 0: none. What the pod sends may
	 * come back from the stack as a packet of that device.
	 */
	__u32 master;
};
WEIR_ASSERT_SIZE(struct weir_attachment, 8);

/* Value of pods[]. Slot 0 is never used: ref 0 means "no pod". */
struct weir_pod {
	__u64 word; /* weir_pod_word(); one store */
	/*
	 * by family, as addr: an ipBlock may match one of the two addresses (NP-29); one store each
	 */
	__u32 identity[2];
	/*
	 * weir_ref(); 0: the slot is free. Written last when a pod is added, first when it is
	 * removed
	 */
	__u32 ref;
	__u32 ifindex; /* the host's end of the pod's veth */
	__u8 mac[6]; /* of the pod's own end */
	__u16 generation; /* of the last ref, kept while the slot is free */
	struct weir_addr addr[2]; /* [0] IPv4, [1] IPv6; all zero: none */
};
WEIR_ASSERT_SIZE(struct weir_pod, 64);
