/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An event of the datapath (include/weir/event.h) with names for its ids, and the filter of `weir
 * observe`. Pure: uses names read earlier; reads no map and no file.
 */
#pragma once

#include <time.h>

#include <weir/event.h>

#include "analyze/target.h"
#include "inspect/live.h"

/* Names of this generation and, for ids that it no longer has, of the previous one. */
struct naming {
	const struct live *now, *before;
	int64_t wall_offset_ns; /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
};

enum event_verdict {
	EVENT_ALLOW = 1 << 0, /* a new flow was given a backend */
	EVENT_DENY = 1 << 1, /* by a policy, or by the gate: policies are not loaded yet */
	EVENT_DROP = 1 << 2, /* for another reason */
	EVENT_REJECT = 1 << 3, /* like DROP, and the sender got a RST or an ICMP error */
};

struct event_end {
	enum plan_owner owner; /* of addr */
	const char *name; /* "ns/name" of a POD or SERVICE */
	struct weir_addr addr;
	uint16_t port; /* host order; 0: none */
};

struct event_view {
	const struct weir_event *event;
	const struct naming *naming;
	enum event_verdict verdict;
	bool enforced; /* false: enforcement is off, a policy would have denied it */
	bool has_ends; /* the packet was parsed at least up to its addresses */
	struct event_end from, to, backend; /* backend: only with WEIR_EVENT_TRANSLATED */
	struct timespec time; /* CLOCK_REALTIME */
};

/* Events to show; a zeroed filter matches all. The caller owns what it points to. */
struct event_filter {
	unsigned int verdicts; /* enum event_verdict, or-ed; 0: any */
	uint64_t reasons; /* bit n for reason n; 0: any */
	const struct target *pod; /* either end */
	const struct target *from, *to;
	const char *policy; /* "ns/name": one of its rules decided, or it isolates the denied pod */
	uint32_t port; /* of the destination, before or after translation; 0: any */
	int proto; /* IPPROTO_*; 0: any. ICMP includes ICMPv6 */
};

/* The event must live as long as the view. */
void event_view_make(struct event_view *ret_view, const struct weir_event *e,
		     const struct naming *n);
bool event_view_match(const struct event_view *v, const struct event_filter *f);
/* Bit n: an event of reason n may match. */
uint64_t event_filter_reasons(const struct event_filter *f);

enum event_verdict event_verdict_of(uint32_t reason); /* 0: no event has this reason */
/* The reason with that label, or -1 if there is none or no event can have it. */
int event_reason(const char *label);

/* "shop/db ingress[0]"; "#7" when unknown. buf: LIVE_TEXT_MAX. */
const char *event_label(const struct event_view *v, enum weir_name_kind kind, uint32_t id,
			char *buf);
/* The generation that has the id. */
const struct live *event_live(const struct event_view *v, enum weir_name_kind kind, uint32_t id);
/* The policy verdict in one direction. */
struct event_side {
	const char *direction; /* "egress", "ingress" */
	bool denied;
	uint32_t set, rule;
};
/* direction: 0 egress, 1 ingress. False: it was not judged. */
bool event_side(const struct event_view *v, int direction, struct event_side *ret_side);
