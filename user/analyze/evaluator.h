/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An evaluator answers the queries of `report` and `why`: the oracle from the compiled plan, or the
 * BPF programs (testrun/evaluator.h). The programs' answers are compared with the oracle's; a
 * difference is a defect.
 */
#pragma once

#include "analyze/oracle.h"

struct evaluator {
	/*
	 * Answers one query on one node's plan. Only the end that side names must be judged. 0, or
	 * -errno with err filled.
	 */
	int (*ask)(void *ctx, const struct plan *plan, enum kube_direction side,
		   const struct oracle_query *q, struct oracle_answer *ret_answer,
		   struct weir_err *err);
	void *ctx;
};

extern const struct evaluator evaluator_plan; /* the oracle */

/* One query, the evaluator's answer, and the oracle's for the backend that the evaluator chose. */
struct evaluator_difference {
	const struct plan *plan;
	struct oracle_query query;
	struct oracle_answer theirs, oracle;
};

/* "DENIED (ingress-denied); egress: allowed, not isolated; …". The caller frees it. */
char *evaluator_answer_text(const struct plan *p, const struct oracle_answer *a);
