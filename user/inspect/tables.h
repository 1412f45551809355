/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What tables say together: joins and sums over their elements. Reads only. */
#pragma once

#include "inspect/live.h"
#include <weir/flow.h>

/*
 * Each connection once: by its forward entry, with the state and the last packet of both
 * directions.
 */
void live_each_flow(const struct live *l,
		    void (*fn)(const struct weir_tuple *key, const struct weir_flow *flow,
			       void *arg),
		    void *arg);
bool live_flow_allowed(const struct weir_flow *flow);
/* The first frontend that leads to a service; services have one in this version. False: none. */
bool live_frontend(const struct live *l, uint32_t service, struct weir_frontend *ret_frontend);
uint32_t live_set_elements(const struct live *l, uint32_t set); /* of policy_rules */
uint32_t live_set_pods(const struct live *l, uint32_t set); /* that it isolates */
const char *live_word_text(const struct live *l,
			   uint64_t word); /* what it lets in: "deny", "allow", "ports" */
