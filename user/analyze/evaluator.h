/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What answers the questions of report and why: the compiled plan, by the oracle, or the BPF
 * programs (testrun/evaluator.h). Their answers are compared with the plan; a difference is a
 * defect.
 */
#pragma once

#include "analyze/oracle.h"

struct evaluator {
	/*
	 * Answers one question about one node's plan. side says which end is wanted; the other may
	 * be left unjudged. Returns 0 or -errno with err filled.
	 */
	int (*ask)(void *ctx, const struct plan *plan, enum kube_direction side,
		   const struct oracle_query *q, struct oracle_answer *ret_answer,
		   struct weir_err *err);
	void *ctx;
};

extern const struct evaluator evaluator_plan; /* the oracle */

/* One question, what was answered, and what the oracle answers for the backend that was chosen. */
struct evaluator_difference {
	const struct plan *plan;
	struct oracle_query query;
	struct oracle_answer theirs, oracle;
};

/* "DENIED (ingress-denied); egress: not isolated; ingress: no rule of ns/a, ns/b". The caller's. */
char *evaluator_answer_text(const struct plan *p, const struct oracle_answer *a);
