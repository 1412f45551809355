/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Events: what happened to a packet other than following a known connection. There is one for every
 * drop, for every packet that a policy would have denied, and for every new flow that got a
 * backend; never for an allowed packet of an established flow.
 *
 * Events go to one ring, and only while a reader listens: it writes to `watch` which reasons it
 * wants and until when, and renews that. Each pod has a budget per reason and tick, so that neither
 * another pod's flood nor another reason's hides an event; what was not sent is counted in
 * `event_counts`.
 */
#pragma once

#include <weir/addr.h>
#include <weir/reason.h>

/* Events of one reason and pod in one tick (134 ms): some 480 a second. */
#define WEIR_EVENT_BUDGET 64
/*
 * While the ring is more than half full, only the first few of each reason, pod and tick are sent:
 * a reader that a flood outruns still sees the others.
 */
#define WEIR_EVENT_RESERVE 4
/* event_shares[] has a word for each reason of a bucket of pods. */
#define WEIR_EVENT_REASONS 64 /* a power of two */
_Static_assert(_WEIR_REASON_MAX <= WEIR_EVENT_REASONS, "every reason has a word");

enum weir_event_flag {
	WEIR_EVENT_TO_POD = 1 << 0, /* at tc egress of the pod's device; clear: at ingress */
	WEIR_EVENT_KNOWN = 1 << 1, /* a packet of a known flow, whose first packet gave the tuple */
	WEIR_EVENT_REPLY = 1 << 2, /* of a known flow: travels from its destination to its source */
	WEIR_EVENT_TRANSLATED = 1 << 3, /* nat_* are filled */
	WEIR_EVENT_JUDGED = 1 << 4, /* the sets, rules and the next four bits are filled */
	WEIR_EVENT_JUDGED_EGRESS = 1 << 5, /* the source is a pod of this node and was judged */
	WEIR_EVENT_JUDGED_INGRESS = 1 << 6,
	WEIR_EVENT_EGRESS_DENIED = 1 << 7,
	WEIR_EVENT_INGRESS_DENIED = 1 << 8,
	/* the tuple is that of the flow it is about, if known, else its own */
	WEIR_EVENT_ICMP_ERROR = 1 << 9,
	WEIR_EVENT_UPLINK =
		1 << 10, /* at an uplink, not at a pod's device; TO_POD: at its egress */
};

/*
 * Element of the ring. The tuple is that of the flow's first packet, before translation. Fields
 * after the point where parsing stopped are zero; addresses are zero only if the IP header could
 * not be read.
 */
struct weir_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct weir_addr src, dst;
	struct weir_addr nat_dst; /* the backend */
	__be16 sport_be, dport_be; /* ICMP: enum weir_icmp_port */
	__be16 nat_dport_be;
	__u16 reason; /* enum weir_reason; FORWARDED: a new flow was given a backend */
	__u32 device; /* ifindex of the host end of the pod's veth */
	/*
	 * set 0: not isolated. WEIR_NO_RULE: default deny if *_DENIED is set, else exempt (NP-40 to
	 * NP-42, echo)
	 */
	__u32 egress_set, egress_rule;
	__u32 ingress_set, ingress_rule;
	__u32 service, backend; /* 0: none */
	__u32 len; /* of the frame, bytes */
	__u16 flags; /* enum weir_event_flag */
	__u8 proto; /* IPPROTO_* */
	__u8 pad;
};
WEIR_ASSERT_SIZE(struct weir_event, 104);

/* The one element of watch[]: written by the reader, read before every event. */
struct weir_watch {
	__u64 reasons; /* bit n for reason n (enum weir_reason) */
	__u32 until; /* tick at which the request expires */
	__u32 pad;
};
WEIR_ASSERT_SIZE(struct weir_watch, 16);

/* Value of event_counts, by reason, per CPU. */
struct weir_event_count {
	__u64 over_budget; /* not sent */
	__u64 lost; /* not sent: the ring was full, or the reserve was used up */
};
WEIR_ASSERT_SIZE(struct weir_event_count, 16);

static __always_inline int weir_watch_wants(const struct weir_watch *w, __u32 reason)
{
	return w->reasons >> (reason & 63) & 1;
}

/* ---- Counters, and the last decision ------------------------------------------------------ */

/* Value of counters, by reason, per CPU. */
struct weir_counter {
	__u64 packets;
	__u64 bytes;
};
WEIR_ASSERT_SIZE(struct weir_counter, 16);

/* Value of rule_hits and set_hits, by id. */
struct weir_hits {
	__u64 packets; /* that the rule decided; set_hits: denied because no rule matched */
	__u64 last; /* tick of the last one; 0: never */
};
WEIR_ASSERT_SIZE(struct weir_hits, 16);

/*
 * How the last packet on this CPU was decided: user space reads it after BPF_PROG_TEST_RUN
 * (`--engine bpf`, differential tests). Written for every packet but those that an existing entry
 * forwards.
 */
struct weir_decision {
	struct weir_addr dst; /* after translation */
	__be16 dst_port_be;
	__u8 judged_egress; /* the source is a pod of this node and was judged */
	__u8 judged_ingress;
	__u8 allow_egress;
	__u8 allow_ingress;
	__u16 reason; /* enum weir_reason */
	/* WEIR_NO_RULE: default deny, not isolated, or exempt (NP-40 to NP-42, echo) */
	__u32 egress_rule;
	__u32 ingress_rule;
	__u32 egress_set; /* 0: not isolated */
	__u32 ingress_set;
	__u32 service; /* 0: no service */
	__u32 backend;
};
WEIR_ASSERT_SIZE(struct weir_decision, 48);
