/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the steps of one program pass to each other: the parsed packet, the keys, and the decision.
 * A per-CPU array element, because a whole call chain shares 512 bytes of stack, and because older
 * verifiers (6.1) refuse map keys in memory that was passed to a global function: every step
 * fetches the scratch itself. tc programs do not nest on a CPU, so no other packet writes it
 * meanwhile.
 */
#pragma once

#include "pods.bpf.h"

/*
 * Properties of the hook where a program runs. The entry program sets them once (struct pkt.hook);
 * the steps ask for the property that they need, never for the program.
 */
enum hook_property {
	/* the device proves that its pod is the source; clear: its pod is the destination */
	HOOK_POD_SENDS = 1 << 0,
	HOOK_FROM_STACK = 1 << 1, /* the packet comes from the stack and continues in it */
	HOOK_SERVES = 1 << 2, /* a new flow to a Service gets a backend here */
	HOOK_OUTSIDE = 1 << 3, /* at an uplink: neither end is the device's pod */
	/* the host end of a pod's veth: tc ingress and tc egress */
	HOOK_FROM_POD = HOOK_POD_SENDS | HOOK_SERVES,
	HOOK_TO_POD = HOOK_FROM_STACK,
	HOOK_FROM_UPLINK = HOOK_OUTSIDE | HOOK_SERVES,
	HOOK_TO_UPLINK = HOOK_OUTSIDE | HOOK_FROM_STACK,
};

enum decision_part {
	DECISION_SERVICE = 1 << 0, /* a new flow: service and backend */
	DECISION_POLICY = 1 << 1, /* sets, rules and verdicts */
	DECISION_QUOTE = 1 << 2, /* an ICMP error: its own ends are in struct quote */
};

/* struct pkt.fragment */
enum fragment_kind {
	FRAGMENT_NONE, /* not fragmented; also a fragment header around a whole packet (RFC 6946) */
	FRAGMENT_HEAD, /* the first one, with the L4 header */
	FRAGMENT_LATER, /* without the L4 header: l4_off is unset */
};

/* The parsed packet: offsets and values, never pointers. Addresses and ports as on the wire. */
struct pkt {
	union {
		struct weir_addr src;
		struct weir_wide src_wide;
	};
	union {
		struct weir_addr dst;
		struct weir_wide dst_wide;
	};
	__be16 sport_be, dport_be; /* echo: id and 0, or 0 and id (struct weir_tuple) */
	__u16 l3_off, l4_off;
	__u16 l4_check; /* TCP and UDP: the checksum as received */
	__u32 end; /* end of the IP packet; padding may follow */
	__u8 proto; /* IPPROTO_* of the last parsed header */
	__u8 v6;
	__u8 tcp_flags; /* enum tcp_flag */
	__u8 begins; /* may be the first packet of a flow: SYN, a datagram, an echo request */
	__u8 multicast;
	__u8 hook; /* enum hook_property, or-ed */
	__u8 host_origin; /* sent by a socket of this node (NP-41) */
	__u8 decision_parts; /* enum decision_part: the valid parts of struct scratch.decision */
	__u8 fragment; /* enum fragment_kind */
	__u8 fragmented; /* a fragment, or a whole packet with a fragment header */
	__u8 hops; /* IPv6: the hop limit */
	__u32 device; /* the pod's device */
	__u32 from_device; /* where the packet entered this node; 0: a socket of this node */
	__u32 now; /* ticks (flow.h) */
};

/* Input of a policy verdict: always in the flow's original orientation, after translation. */
struct policy_query {
	struct weir_addr src, dst;
	__be16 dport_be;
	__u8 proto;
	__u8 host_origin;
	__u32 src_ref, dst_ref; /* struct weir_pod.ref; 0: no pod of this node */
};

/* Parts of struct route to write to the packet. */
enum rewrite {
	REWRITE_SRC = 1 << 0, /* address */
	REWRITE_DST = 1 << 1,
	REWRITE_ADDRS = REWRITE_SRC | REWRITE_DST,
	REWRITE_PORTS = 1 << 2, /* both ports; with an address, or alone after a port collision */
};

/* How the packet is rewritten, at one end or both, and where it goes. */
struct route {
	union {
		struct weir_addr src;
		struct weir_wide src_wide;
	};
	union {
		struct weir_addr dst;
		struct weir_wide dst_wide;
	};
	__be16 sport_be, dport_be;
	__u8 rewrite; /* enum rewrite, or-ed; for a new flow all fields above are set in any case */
	__u8 via_stack;
	/* of a flow with WEIR_FLOW_SNAT: leaves by redirect; not filled by flow_find() */
	__u8 outside;
	__u32 dst_ref; /* the local pod to redirect to; 0: the stack */
};

/* Where a packet leaves the node by redirect (outside_path.bpf.h). */
struct path {
	__u32 device;
	__u32 family; /* of hop: AF_INET or AF_INET6 */
	struct weir_addr hop; /* next hop; IPv4 in w[3] */
	__u32 mtu; /* with TOO_BIG */
};

/* An ICMP error that a packet is answered with. */
struct answer {
	__u8 type, code;
	__be32 info; /* the last word of its header */
};

/* An ICMP error, while s->pkt is the quoted packet reversed (icmp.bpf.h). */
struct quote {
	struct weir_addr src, dst; /* of the error itself */
	__u32 icmp_off; /* of the error's ICMP header */
	__u32 l3_off; /* of the quoted IP header; pkt.l4_off is the quoted L4 header's */
};

/* A search for a flow to evict (flow_room.bpf.h). */
struct eviction {
	__u32 half_open_only; /* only flows that count as half-open */
	__u32 keep_young; /* young flows are kept as if they were open */
	__u32 most; /* enum evict_class */
	__u32 need, removed; /* entries */
	__u32 cursor; /* gc slot to visit */
	__u32 best, best_slot, best_idle, best_sequence; /* found */
	__u32 lookups, candidates, last_seen;
};

struct scratch {
	struct pkt pkt;
	__u32 reason; /* enum weir_reason, with FLOW_DECIDED */
	__u32 denied; /* denied, but enforcement is off: deny() */
	struct weir_tuple key; /* of this packet's flow */
	struct weir_tuple rev_key; /* of the reverse entry */
	struct weir_tuple other; /* of another flow that is to be removed */
	struct weir_tuple other_rev; /* of the reverse entry of that flow */
	struct weir_tuple snat_rev; /* snat_rev_key() */
	struct weir_flow snat_flow; /* snat_peer(): its members nat_* */
	struct weir_addr peer;
	__u32 rev_flags; /* read_rev_flags() */
	__u8 rev_zone; /* of rev_key */
	struct weir_flow entry; /* being made */
	struct weir_flow rev_entry;
	struct policy_query query;
	/* of the last packet that was decided or judged: struct pkt.decision_parts says which */
	struct weir_decision decision;
	struct route route;
	struct weir_frontend frontend;
	__u64 frontend_word; /* of service_find() */
	__u32 first; /* the packet's source comes first in key */
	__u32 policy_epoch, service_epoch; /* read before any table */
	__u32 zoned_flows; /* weir_config.zoned_flows, read with the epochs */
	__u32 backend, backend_generation;
	__u32 leftover; /* the entry at key must be removed first: */
	__u32 leftover_sequence; /* the sequence of that entry */
	__u32 rev_shared; /* the reverse entry was made by another CPU for the same flow */
	/* of a new flow: the bits of enum weir_flow_flag that are fixed at insert */
	__u32 flow_flags;
	/* flow_revalidate() judged the flow of this sequence for this packet: allowed is its
	 * verdict */
	__u32 judged, judged_sequence;
	__u32 allowed; /* of the last policy_judge(): bit 0 egress, bit 1 ingress */
	__u32 gc_slot, rev_gc_slot, sequence;
	__u32 bucket; /* of the pod that a new flow counts for */
	struct eviction eviction;
	struct quote quote;
	/* of a first fragment, until its verdict is known: fragment_keep() */
	struct weir_fragment_key fragment_key;
	struct weir_fragment fragment;
	__u32 reply; /* a rejected packet gets a reply */
	struct answer answer;
	struct path path;
	__u32 piece[16]; /* part of the packet, while a reply quotes it */
	__u32 last_ref; /* result of the last ref_by_device() */
	__u32 clock_ticks; /* ticks_now() at clock_jiffies */
	__u64 clock_jiffies;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_map SEC(".maps");

static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch_map, &zero);
}

/* Clears the decision: after the established path, before the first step that decides. */
static __always_inline void decision_begin(struct scratch *s)
{
	__builtin_memset(&s->decision, 0, sizeof(s->decision));
	s->denied = 0;
}

/* Publishes the decision for user space. Not called on the established path. */
static __always_inline void decision_publish(struct scratch *s, __u32 reason)
{
	__u32 zero = 0;
	struct weir_decision *t = bpf_map_lookup_elem(&last_decision, &zero);

	s->decision.reason = reason;
	if (t)
		*t = s->decision;
}

/*
 * First line of every global function: marks its only argument as used. clang 14 drops unused
 * arguments of non-inlined functions at the call too, and the verifier then reports "Caller passes
 * invalid args". Remove when clang 16 is the minimum.
 */
static __always_inline void keep_arg(struct __sk_buff *skb)
{
	asm volatile("" : : "r"(skb));
}

static __always_inline int pod_sends(const struct pkt *pkt)
{
	return pkt->hook & HOOK_POD_SENDS;
}

static __always_inline int at_uplink(const struct pkt *pkt)
{
	return pkt->hook & HOOK_OUTSIDE;
}

static __always_inline int from_stack(const struct pkt *pkt)
{
	return pkt->hook & HOOK_FROM_STACK;
}
