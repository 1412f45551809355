/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Counts how often a rule decided, and how often a policy set denied because no rule matched.
 * Counted when a packet is judged: new flows, known ones after a change, and every denied packet;
 * never an allowed packet of an established flow.
 */
#pragma once

#include "scratch.bpf.h"

static __always_inline void hit(void *map, __u32 id, __u32 now)
{
	struct weir_hits *h = bpf_map_lookup_elem(map, &id);

	if (!h) /* more ids than elements: `get` says so */
		return;
	h->packets++;
	h->last = now;
}

/* Counts one direction's verdict by a set; set 0 isolates nothing and is not counted. */
static __always_inline void count_verdict(__u32 set, __u32 rule, __u32 allow, __u32 now)
{
	if (rule != WEIR_NO_RULE)
		hit(&rule_hits, rule, now);
	else if (set && !allow)
		hit(&set_hits, set, now);
}
