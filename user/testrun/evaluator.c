// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The programs as evaluator. See evaluator.h. */
#include <stdlib.h>

#include "testrun/evaluator.h"

struct evaluator_testrun {
	const struct plan *plan;
	struct testrun *testrun;
};

void program_evaluator_adopt(struct program_evaluator *e, const struct plan *p,
			     struct testrun *testrun)
{
	*VEC_ADD(e->testruns, e->n_testruns, e->cap_testruns) =
		(struct evaluator_testrun){ p, testrun };
}

static int testrun_of(struct program_evaluator *e, const struct plan *plan,
		      struct testrun **ret_testrun, struct weir_err *err)
{
	struct testrun *testrun;
	int r;

	for (size_t i = 0; i < e->n_testruns; i++)
		if (e->testruns[i].plan == plan) {
			*ret_testrun = e->testruns[i].testrun;
			return 0;
		}
	r = testrun_open(plan, &testrun, err);
	if (r)
		return r;
	program_evaluator_adopt(e, plan, testrun);
	*ret_testrun = testrun;
	return 0;
}

static bool same_side(const struct oracle_side *a, const struct oracle_side *b)
{
	return a->judged == b->judged &&
	       (!a->judged || (a->allow == b->allow && a->rule == b->rule && a->set == b->set));
}

bool evaluator_agrees(struct evaluator_difference *d)
{
	const struct oracle_answer *theirs = &d->theirs, *oracle = &d->oracle;
	struct oracle_query q = d->query;

	if (theirs->service && theirs->service < d->plan->n_services &&
	    theirs->backend != PLAN_NONE)
		q.pick = testrun_pick(d->plan, &q, theirs);
	oracle_judge(d->plan, &q, &d->oracle);
	return theirs->reason == oracle->reason && theirs->service == oracle->service &&
	       theirs->backend == oracle->backend && same_side(&theirs->egress, &oracle->egress) &&
	       same_side(&theirs->ingress, &oracle->ingress);
}

static int ask_programs(void *ctx, const struct plan *plan, enum kube_direction side,
			const struct oracle_query *q, struct oracle_answer *ret_answer,
			struct weir_err *err)
{
	struct evaluator_difference d = { .plan = plan, .query = *q };
	struct program_evaluator *e = ctx;
	struct testrun *testrun;
	int r;

	r = testrun_of(e, plan, &testrun, err);
	if (!r)
		r = testrun_ask(testrun, plan, q, &d.theirs, err);
	if (r)
		return r;
	e->n_asked++;
	if (!evaluator_agrees(&d)) {
		e->n_differ++;
		if (e->differs)
			e->differs(e, &d);
	}
	*ret_answer = d.theirs;
	return 0;
}

void program_evaluator_open(struct program_evaluator *e)
{
	e->evaluator = (struct evaluator){ .ask = ask_programs, .ctx = e };
}

void program_evaluator_close(struct program_evaluator *e)
{
	for (size_t i = 0; i < e->n_testruns; i++)
		testrun_close(&e->testruns[i].testrun);
	free(e->testruns);
	e->testruns = NULL;
	e->n_testruns = 0;
}
