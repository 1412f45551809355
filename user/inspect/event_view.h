/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An event of the datapath (include/weir/event.h) with names for its numbers, as `weir observe`
 * filters it. Pure: names come from what was read before; nothing here reads a map or a file.
 */
#pragma once

#include <time.h>

#include <weir/event.h>

#include "analyze/target.h"
#include "inspect/live.h"

/* Where names come from: this generation's and, for what it has no longer, the one's before. */
struct naming {
	const struct live *now, *before;
	int64_t wall_offset_ns; /* from the monotonic clock to the time of day */
};

enum event_verdict {
	EVENT_ALLOW = 1 << 0, /* a new flow was given a backend */
	EVENT_DENY = 1 << 1, /* by a policy, or held because there is none yet */
	EVENT_DROP = 1 << 2, /* for another reason */
	EVENT_REJECT = 1 << 3, /* the same, and the sender was told */
};

struct event_end {
	enum plan_owner who;
	const char *name; /* "ns/name" of a POD or SERVICE */
	struct weir_addr addr;
	uint16_t port; /* host order; 0: none */
};

struct event_view {
	const struct weir_event *event;
	const struct naming *naming;
	enum event_verdict verdict;
	bool enforced; /* false: would have been denied */
	bool has_ends; /* the packet was understood as far as its addresses */
	struct event_end from, to, backend; /* backend: only with WEIR_EVENT_TRANSLATED */
	struct timespec time; /* of day */
};

/* What to show; a zeroed filter takes everything. Strings stay the caller's. */
struct event_filter {
	unsigned int verdicts; /* enum event_verdict, or-ed; 0: any */
	uint64_t reasons; /* bit n for reason n; 0: any */
	const struct target *pod; /* either end */
	const struct target *from, *to;
	const char *policy; /* "ns/name": a rule of it decided, or it isolates what was denied */
	uint32_t port; /* of the destination, before or after translation; 0: any */
	int proto; /* IPPROTO_*; 0: any. ICMP stands for both families' */
};

/* The event must live as long as the view. */
void event_view_make(struct event_view *ret_s, const struct weir_event *e, const struct naming *n);
bool event_view_match(const struct event_view *s, const struct event_filter *f);
uint64_t
event_filter_reasons(const struct event_filter *f); /* bit n: an event of reason n may match */

enum event_verdict event_verdict_of(uint32_t reason); /* 0: no event has this reason */
/* Number of a reason by its label that events may have, or -1. */
int event_reason(const char *label);

/* "shop/db ingress[0]"; "#7" when unknown. buf: LIVE_TEXT_MAX. */
const char *event_label(const struct event_view *s, enum weir_name_kind kind, uint32_t id,
			char *buf);
/* The generation that knows an id. */
const struct live *event_live(const struct event_view *s, enum weir_name_kind kind, uint32_t id);
/* One direction of the judgement; false: it was not judged. */
struct event_side {
	const char *direction; /* "egress", "ingress" */
	bool denied;
	uint32_t set, rule;
};
bool event_side(const struct event_view *s, int direction,
		struct event_side *ret_side); /* 0 egress, 1 ingress */
