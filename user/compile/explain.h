/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why policies say what they say about one flow at one of its ends: each
 * policy that selects the pod in that direction, each rule, each peer and port
 * with what failed. For people: the verdict itself comes from the plan, and
 * whoever shows both must shout when they differ.
 */
#pragma once

#include "compile/plan.h"
#include "kube/store.h"

struct explain_flow {
	enum kube_direction direction; /* which end is judged */
	const struct kube_pod *subject; /* the pod whose policies are asked */
	const struct kube_pod *peer; /* the other end; NULL: no pod with an address of its own */
	struct weir_addr peer_addr;
	const struct kube_pod *dst; /* where named ports resolve; NULL: nowhere (NP-33) */
	int proto;
	uint16_t port; /* host order, at the destination */
};

/* One peer or one port of a rule. */
struct explain_item {
	const char *path; /* "from[0]", "ports[1]" */
	const char *text; /* "podSelector tier=api", "TCP/5432" */
	const char *failed; /* what does not hold: "web-7c9 has tier=web"; NULL: it matches */
	unsigned int n_failed; /* how many conditions do not hold */
	struct src src;
};

struct explain_rule {
	unsigned int index;
	bool match;
	struct src src;
	struct explain_item *peers, *ports; /* none: any */
	size_t n_peers, n_ports;
};

struct explain_policy {
	const struct kube_policy *policy;
	const char *name; /* "ns/name" */
	struct explain_rule *rules;
	size_t n_rules;
};

struct explain_side {
	bool allow;
	struct explain_policy *policies; /* that select the subject and isolate it in this direction, by ns/name */
	size_t n_policies;
	const char *nearest; /* the rule that lacks least, in words; NULL when allowed or when there is none */
};

/* Everything that it points to lies in arena, or in the store. */
void explain_flow(const struct store *s, const struct explain_flow *f, struct arena *arena,
		  struct explain_side *ret_side);
