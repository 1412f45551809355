/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to explain*.c: one peer or port of a rule against one flow. */
#pragma once

#include "analyze/explain.h"

struct explain_work {
	const struct store *store;
	const struct explain_flow *flow;
	struct arena *arena;
};

void explain_peer(const struct explain_work *w, const struct kube_peer *peer, const char *policy_ns,
		  struct explain_item *ret_item);
void explain_port(const struct explain_work *w, const struct kube_policy_port *port,
		  struct explain_item *ret_item);
