/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Joins and sums over the elements of several tables. Reads only. */
#pragma once

#include "inspect/live.h"
#include <weir/flow.h>

/* Each connection once: its forward entry, with state and last_seen of both directions merged. */
void live_each_flow(const struct live *l,
		    void (*fn)(const struct weir_tuple *key, const struct weir_flow *flow,
			       void *arg),
		    void *arg);
bool live_flow_allowed(const struct weir_flow *flow);
struct live_frontend {
	struct weir_frontend key;
	uint64_t word;
};

struct live_frontends {
	struct live_frontend *items; /* sorted by service, cluster IP first, scope, address, port */
	size_t n, cap;
};

void live_frontends_read(const struct live *l, struct live_frontends *ret_frontends);
void live_frontends_free(struct live_frontends *f); /* also for _cleanup_() */
/* Index of the first one of a service, and their number. */
size_t live_frontends_of(const struct live_frontends *f, uint32_t service, size_t *ret_n);
uint32_t live_set_elements(const struct live *l, uint32_t set); /* its elements of policy_rules */
uint32_t live_set_pods(const struct live *l, uint32_t set); /* pods that it isolates */
/* What a policy word allows: "deny", "allow", "ports". */
const char *live_word_text(const struct live *l, uint64_t word);
