/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the steps of one program hand to each other: the parsed packet, the keys, and what was
 * decided. It lives in a per-CPU array element, because the 512 bytes of stack are shared by a
 * whole call chain, and because older verifiers (6.1) refuse map keys that lie in memory handed to
 * a global function: every step fetches the scratch itself. Programs at tc do not nest on a CPU, so
 * nobody else writes it while a packet is handled.
 */
#pragma once

#include "maps.bpf.h"

/*
 * What is so at the place where a program runs. An entry program says it once (struct pkt.hook);
 * the steps behind it ask for the property that they need, never which program runs.
 */
enum hook_property {
	HOOK_POD_SENDS = 1 << 0, /* the device's pod is the source, which the device proves; clear:
				    the destination */
	HOOK_FROM_STACK = 1 << 1, /* the packet comes from the stack, and goes on by it */
	HOOK_SERVES = 1 << 2, /* new flows are given a backend here, where a Service has their
				 destination */
	/* the host's end of a pod's veth: tc ingress and tc egress */
	HOOK_FROM_POD = HOOK_POD_SENDS | HOOK_SERVES,
	HOOK_TO_POD = HOOK_FROM_STACK,
};

enum traced {
	TRACED_DECIDED = 1 << 0, /* it began anew: service and backend */
	TRACED_JUDGED = 1 << 1, /* sets, rules and verdicts */
	TRACED_QUOTE =
		1 << 2, /* not of the trace: an ICMP error, whose own ends are in struct quote */
};

/* struct pkt.fragment */
enum fragment_kind {
	FRAGMENT_NONE, /* whole, also where it is alone in a fragment header (RFC 6946) */
	FRAGMENT_HEAD, /* has the L4 header */
	FRAGMENT_LATER, /* has none: l4_off means nothing */
};

/*
 * The parsed packet: offsets and values, never pointers. Addresses and ports as they are on the
 * wire.
 */
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
	__u16 l4_check; /* TCP and UDP: the sum as it came */
	__u32 end; /* where the IP packet ends; behind it is padding */
	__u8 proto; /* IPPROTO_*; of the last header that was understood */
	__u8 v6;
	__u8 tcp_flags; /* enum tcp_flag */
	__u8 begins; /* may be the first packet of a flow: SYN, a datagram, an echo request */
	__u8 multicast;
	__u8 hook; /* enum hook_property, or-ed */
	__u8 host_origin; /* sent by a socket of this node (NP-41) */
	__u8 traced; /* enum traced: what of struct scratch.decision is about this packet */
	__u8 fragment; /* enum fragment_kind */
	__u8 hops; /* IPv6: the hop limit */
	__u32 device; /* the pod's device */
	__u32 from_device; /* where the packet came into this node; 0: from a socket of this node */
	__u32 now; /* ticks (flow.h) */
};

/* What a verdict is made from: always in the flow's original orientation, after translation. */
struct policy_query {
	struct weir_addr src, dst;
	__be16 dport_be;
	__u8 proto;
	__u8 host_origin;
	__u32 src_ref, dst_ref; /* struct weir_pod.ref; 0: no pod of this node */
};

/* What of struct route the packet gets. */
enum rewrite {
	REWRITE_SRC = 1 << 0, /* address */
	REWRITE_DST = 1 << 1,
	REWRITE_ADDRS = REWRITE_SRC | REWRITE_DST,
	REWRITE_PORTS = 1 << 2, /* both; always with an address, alone after a collision */
};

/* How the packet is to be rewritten, at either end or both, and where it goes. */
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
	__u8 rewrite; /* enum rewrite, or-ed; of a new flow all fields above are filled whatever it
			 says */
	__u8 via_stack;
	__u32 dst_ref; /* the local pod to redirect to; 0: the stack */
};

/* An ICMP error, while s->pkt is the quoted packet turned round (icmp.bpf.h). */
struct quote {
	struct weir_addr src, dst; /* of the error itself */
	__u32 icmp_off; /* of the error's ICMP header */
	__u32 l3_off; /* of the quoted IP header; the quoted L4 header's is pkt.l4_off */
};

struct scratch {
	struct pkt pkt;
	__u32 reason; /* enum weir_reason: of FLOW_DECIDED */
	__u32 denied; /* the verdict is deny, but enforcement is off: deny() */
	struct weir_tuple key; /* of this packet; zoned where its flow is */
	struct weir_tuple rev; /* of the linked entry, and of inserts */
	struct weir_tuple other; /* of another flow that has to go */
	struct weir_flow entry; /* being made */
	struct weir_flow rev_entry;
	struct policy_query query;
	struct weir_trace decision; /* of the last packet that was decided or judged: struct
				       pkt.traced says which */
	struct route route;
	struct weir_frontend frontend;
	__u32 first; /* the packet's source stands first in key */
	__u32 policy_epoch, service_epoch; /* read before the first table */
	__u32 zoned_flows; /* as they are; read with them */
	__u32 backend, backend_generation;
	__u32 leftover; /* an entry stands at key that must be removed first: */
	__u32 leftover_sequence; /* its half_open */
	__u32 adopted; /* the reply's entry is another CPU's, of the same flow */
	__u32 flow_flags; /* of a new flow: enum weir_flow_flag, what does not change later */
	__u32 allowed; /* of the last judgement: bit 0 egress, bit 1 ingress */
	__u32 gc_slot, rev_gc_slot, half_open;
	struct quote quote;
	__u32 answer; /* of a rejected packet: it gets one */
	__u32 piece[16]; /* a piece of the packet, while an answer quotes it */
	__u32 last_ref; /* of the pod that ref_by_device() found last */
	__u32 clock_ticks; /* ticks_now(), as it was at: */
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

static __always_inline struct weir_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

/* Behind the established path, before the first step that decides something. */
static __always_inline void decision_begin(struct scratch *s)
{
	__builtin_memset(&s->decision, 0, sizeof(s->decision));
	s->denied = 0;
}

/*
 * Shows user space what was decided, and why. Written only where a packet left the established
 * path.
 */
static __always_inline void trace_write(struct scratch *s, __u32 reason)
{
	__u32 zero = 0;
	struct weir_trace *t = bpf_map_lookup_elem(&trace, &zero);

	s->decision.reason = reason;
	if (t)
		*t = s->decision;
}

/* A value that user space or another CPU stores as one word: read once, as one word. */
#define READ_WORD(x) (*(const volatile __typeof__(x) *)&(x))

/*
 * First line of every global function: marks its only argument as used. clang 14 drops unused
 * arguments of non-inlined functions at the call too, and the verifier then says "Caller passes
 * invalid args". To go when clang 16 is the floor.
 */
static __always_inline void keep_arg(struct __sk_buff *skb)
{
	asm volatile("" : : "r"(skb));
}

/* The pod that a ref stands for, or NULL when the slot has another attachment by now. */
static __always_inline struct weir_pod *pod_by_ref(__u32 ref)
{
	__u32 slot = weir_ref_slot(ref);
	struct weir_pod *pod;

	if (!ref)
		return NULL;
	pod = bpf_map_lookup_elem(&pods, &slot);
	return pod && READ_WORD(pod->ref) == ref ? pod : NULL;
}

/* ref of the local pod that has an address, or 0. */
static __always_inline __u32 pod_ref_by_addr(const struct weir_addr *addr)
{
	__u32 *slot = bpf_map_lookup_elem(&endpoints, addr);
	struct weir_pod *pod;

	if (!slot)
		return 0;
	pod = bpf_map_lookup_elem(&pods, slot);
	return pod ? READ_WORD(pod->ref) : 0;
}

static __always_inline int pod_sends(const struct pkt *pkt)
{
	return pkt->hook & HOOK_POD_SENDS;
}

static __always_inline int from_stack(const struct pkt *pkt)
{
	return pkt->hook & HOOK_FROM_STACK;
}
