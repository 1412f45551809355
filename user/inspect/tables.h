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
/* The first frontend of a service; this version has one per service. False: none. */
bool live_frontend(const struct live *l, uint32_t service, struct weir_frontend *ret_frontend);
uint32_t live_set_elements(const struct live *l, uint32_t set); /* its elements of policy_rules */
uint32_t live_set_pods(const struct live *l, uint32_t set); /* pods that it isolates */
/* What a policy word allows: "deny", "allow", "ports". */
const char *live_word_text(const struct live *l, uint64_t word);
