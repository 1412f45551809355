/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The deliberately naive evaluator: what Kubernetes says about the first packet of a flow, by loops
 * over the objects as the specification's text reads. It knows no plan, no identity, no hash and no
 * table, and calls nothing of user/compile: that is what makes it a witness. Never linked into the
 * product.
 */
#pragma once

#include <weir/reason.h>

#include "analyze/oracle.h" /* struct oracle_query: only what is asked, not who answers */
#include "kube/store.h"

struct reference_backend {
	struct weir_addr addr;
	uint16_t port; /* host order */
};

#define REFERENCE_BACKENDS_MAX 256 /* of one Service; the random clusters stay far below */

/* What an end says, and which rule let the packet pass. */
struct reference_verdict {
	bool judged, allow;
	const struct kube_policy
		*policy; /* the first that allows, by name; NULL: none had to, or none does */
	size_t rule; /* the first of policy that allows */
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
 * A packet on this node. q->pick chooses among the candidates. Only pods of this node use Services.
 */
void reference_judge(const struct store *s, const char *node, const struct oracle_query *q,
		     struct reference_answer *ret_answer);

/* The pod that an address stands for on any node (NP-56), or NULL. */
const struct kube_pod *reference_pod(const struct store *s, const struct weir_addr *addr);
bool reference_is_node_addr(const struct store *s, const char *node, const struct weir_addr *addr);
