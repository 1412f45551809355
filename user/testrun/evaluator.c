// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The programs as evaluator. See evaluator.h. */
#include <stdlib.h>

#include "testrun/evaluator.h"

struct evaluator_probe {
	const struct plan *plan;
	struct probe *probe;
};

void program_evaluator_adopt(struct program_evaluator *e, const struct plan *p, struct probe *probe)
{
	*VEC_ADD(e->probes, e->n_probes, e->cap_probes) = (struct evaluator_probe){ p, probe };
}

static int probe_of(struct program_evaluator *e, const struct plan *plan, struct probe **ret_probe,
		    struct weir_err *err)
{
	struct probe *probe;
	int r;

	for (size_t i = 0; i < e->n_probes; i++)
		if (e->probes[i].plan == plan) {
			*ret_probe = e->probes[i].probe;
			return 0;
		}
	r = probe_open(plan, &probe, err);
	if (r)
		return r;
	program_evaluator_adopt(e, plan, probe);
	*ret_probe = probe;
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
		q.pick = probe_pick(d->plan, theirs);
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
	struct probe *probe;
	int r;

	r = probe_of(e, plan, &probe, err);
	if (!r)
		r = probe_ask(probe, plan, q, &d.theirs, err);
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
	for (size_t i = 0; i < e->n_probes; i++)
		probe_close(&e->probes[i].probe);
	free(e->probes);
	e->probes = NULL;
	e->n_probes = 0;
}
