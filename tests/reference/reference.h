/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A deliberately naive evaluator: judges the first packet of a flow by loops over the objects, as
 * the text of the specification reads. It must stay independent of what it checks: no plan,
 * identity, hash or table, no call into user/compile. Never linked into the product.
 */
#pragma once

#include <weir/reason.h>

#include "analyze/oracle.h" /* only for struct oracle_query */
#include "kube/store.h"

struct reference_backend {
	struct weir_addr addr;
	uint16_t port; /* host order */
};

#define REFERENCE_BACKENDS_MAX 256 /* of one Service; random clusters have far fewer */

/* The verdict at one end, and the rule that allows the packet. */
struct reference_verdict {
	bool judged, allow;
	bool closed; /* a policy that selects the pod did not fit the tables */
	/* the first that allows, by name; NULL: none has to, or none does */
	const struct kube_policy *policy;
	size_t rule; /* the first rule of policy that allows */
};

struct reference_answer {
	enum weir_reason reason;
	struct reference_verdict sides[2]; /* by enum kube_direction */
	bool service; /* a Service owns the destination */
	struct weir_addr dst; /* after translation */
	uint16_t port;
	struct reference_backend candidates[REFERENCE_BACKENDS_MAX]; /* sorted by address, port */
	size_t n_candidates;
};

/*
 * Judges a packet on this node. q->pick chooses among the candidates. Only local pods use Services.
 */
void reference_judge(const struct store *s, const char *node, const struct oracle_query *q,
		     struct reference_answer *ret_answer);

/* The pod with that address, on any node (NP-56), or NULL. */
const struct kube_pod *reference_pod(const struct store *s, const struct weir_addr *addr);
bool reference_is_node_addr(const struct store *s, const char *node, const struct weir_addr *addr);
