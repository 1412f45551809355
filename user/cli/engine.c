// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who judges. See engine.h. With the programs as engine there is one private
 * instance for each plan, made when it is first asked; every answer of theirs
 * is held against the oracle's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/engine.h"
#include "kernel/probe.h"

#define SHOWN_DIFFERENCES 5

struct engine_probe {
	const struct plan *plan;
	struct probe *probe;
};

static int ask_plan(void *ctx, const struct plan *plan, enum kube_direction side, const struct oracle_query *q,
		    struct oracle_answer *ret_answer, struct weir_err *err)
{
	oracle_judge(plan, q, ret_answer);
	return 0;
}

static int probe_of(struct engine *e, const struct plan *plan, struct probe **ret_probe, struct weir_err *err)
{
	struct engine_probe *slot;
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
	slot = VEC_ADD(e->probes, e->n_probes, e->cap_probes);
	*slot = (struct engine_probe){ .plan = plan, .probe = probe };
	*ret_probe = probe;
	return 0;
}

static bool same_side(const struct oracle_side *a, const struct oracle_side *b)
{
	return a->judged == b->judged && (!a->judged || (a->allow == b->allow && a->rule == b->rule));
}

static void compare(struct engine *e, const struct oracle_query *q, const struct oracle_answer *programs,
		    const struct oracle_answer *plan)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	e->n_asked++;
	if (programs->reason == plan->reason && same_side(&programs->egress, &plan->egress) &&
	    same_side(&programs->ingress, &plan->ingress))
		return;
	if (e->n_differ++ < SHOWN_DIFFERENCES)
		cli_fail(EXIT_DISAGREE, "a defect of Weir: %s -> %s %s/%u: the programs say %s, the plan says %s",
			 addr_text(&q->src, src), addr_text(&q->dst, dst), proto_text(q->proto), q->port,
			 reason_label(programs->reason), reason_label(plan->reason));
}

static int ask_programs(void *ctx, const struct plan *plan, enum kube_direction side, const struct oracle_query *q,
			struct oracle_answer *ret_answer, struct weir_err *err)
{
	struct oracle_answer programs, oracle;
	struct engine *e = ctx;
	struct probe *probe;
	int r;

	r = probe_of(e, plan, &probe, err);
	if (!r)
		r = probe_ask(probe, plan, q, &programs, err);
	if (r)
		return r;
	oracle_judge(plan, q, &oracle);
	compare(e, q, &programs, &oracle);
	*ret_answer = programs;
	return 0;
}

void engine_open(struct engine *e, const char *name)
{
	bool bpf = name && !strcmp(name, "bpf");

	*e = (struct engine){ .judge = { .ask = bpf ? ask_programs : ask_plan, .ctx = e } };
}

void engine_close(struct engine *e)
{
	for (size_t i = 0; i < e->n_probes; i++)
		probe_close(&e->probes[i].probe);
	free(e->probes);
	e->probes = NULL;
	e->n_probes = 0;
}

int engine_verdict(const struct engine *e)
{
	if (!e->n_differ)
		return EXIT_OK;
	return cli_fail(EXIT_DISAGREE, "a defect of Weir: plan and programs differ in %zu of %zu answers",
			e->n_differ, e->n_asked);
}
