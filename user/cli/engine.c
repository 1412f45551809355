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
#include "testrun/probe.h"

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
	engine_adopt(e, plan, probe);
	*ret_probe = probe;
	return 0;
}

/* ---- Agreement ---- */

static bool same_side(const struct oracle_side *a, const struct oracle_side *b)
{
	return a->judged == b->judged &&
	       (!a->judged || (a->allow == b->allow && a->rule == b->rule && a->set == b->set));
}

bool engine_agrees(const struct plan *p, const struct oracle_query *q, const struct oracle_answer *programs,
		   struct oracle_answer *ret_oracle)
{
	struct oracle_query same = *q;

	if (programs->service && programs->service < p->n_services && programs->backend != PLAN_NONE)
		same.pick = probe_pick(p, programs);
	oracle_judge(p, &same, ret_oracle);
	return programs->reason == ret_oracle->reason && programs->service == ret_oracle->service &&
	       programs->backend == ret_oracle->backend && same_side(&programs->egress, &ret_oracle->egress) &&
	       same_side(&programs->ingress, &ret_oracle->ingress);
}

/* ---- The banner ---- */

static void print_side(FILE *out, const struct plan *p, const char *name, const struct oracle_side *side)
{
	fprintf(out, "; %s: ", name);
	if (!side->judged)
		fputs("not judged", out);
	else if (side->rule && side->rule < p->n_rules)
		fprintf(out, "%s by %s rule %u", side->allow ? "allowed" : "denied", p->rules[side->rule].policy,
			p->rules[side->rule].index);
	else if (side->rule || side->set >= p->n_sets)
		fprintf(out, "%s by something that the plan does not have", side->allow ? "allowed" : "denied");
	else if (!side->set)
		fprintf(out, "%s, not isolated", side->allow ? "allowed" : "denied");
	else
		fprintf(out, "%s, no rule of %s%s", side->allow ? "allowed" : "denied",
			p->sets[side->set].policies[0], p->sets[side->set].n_policies > 1 ? " and others" : "");
}

char *engine_answer_text(const struct plan *p, const struct oracle_answer *a)
{
	char *text = NULL, addr[ADDR_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "%s (%s)", a->reason == WEIR_FORWARDED ? "ALLOWED" : "DENIED", reason_label(a->reason));
	if (a->backend != PLAN_NONE)
		fprintf(out, "; to %s port %u", addr_text(&a->dst, addr), a->port);
	print_side(out, p, "egress", &a->egress);
	print_side(out, p, "ingress", &a->ingress);
	fclose(out);
	return text;
}

#define BANNER_RULE "weir: ==========================================================================\n"

void engine_banner(const struct plan *p, const struct oracle_query *q, const char *who,
		   const struct oracle_answer *theirs, const struct oracle_answer *oracle, const char *further)
{
	_cleanup_(mem_free) char *their_text = engine_answer_text(p, theirs);
	_cleanup_(mem_free) char *plan_text = engine_answer_text(p, oracle);
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	fprintf(stderr,
		BANNER_RULE "weir: INTERNAL BUG: two evaluators disagree. Do not rely on this answer.\n"
			    "weir:   asked         %s -> %s %s/%u on node %s%s\n"
			    "weir:   the plan      %s\n"
			    "weir:   %-13s %s\n",
		addr_text(&q->src, src), addr_text(&q->dst, dst), proto_text(q->proto), q->port, p->node,
		q->host_origin ? ", sent by the node" : "", plan_text, who, their_text);
	if (further)
		fprintf(stderr, "weir:   %s\n", further);
	fputs("weir: Please report it with this text, 'weir version', the manifests, and, where an instance\n"
	      "weir: is loaded, 'weir status -o json' and the files objects-* and plan-* of its /run folder.\n" BANNER_RULE,
	      stderr);
}

/* ---- Asking ---- */

static void compare(struct engine *e, const struct plan *p, const struct oracle_query *q,
		    const struct oracle_answer *programs)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
	struct oracle_answer oracle;

	e->n_asked++;
	if (engine_agrees(p, q, programs, &oracle))
		return;
	if (!e->n_differ++)
		engine_banner(p, q, "the programs", programs, &oracle, NULL);
	else if (e->n_differ <= SHOWN_DIFFERENCES)
		cli_fail(EXIT_DISAGREE, "a defect of Weir: %s -> %s %s/%u: the programs say %s, the plan says %s",
			 addr_text(&q->src, src), addr_text(&q->dst, dst), proto_text(q->proto), q->port,
			 reason_label(programs->reason), reason_label(oracle.reason));
}

static int ask_programs(void *ctx, const struct plan *plan, enum kube_direction side, const struct oracle_query *q,
			struct oracle_answer *ret_answer, struct weir_err *err)
{
	struct oracle_answer programs;
	struct engine *e = ctx;
	struct probe *probe;
	int r;

	r = probe_of(e, plan, &probe, err);
	if (!r)
		r = probe_ask(probe, plan, q, &programs, err);
	if (r)
		return r;
	compare(e, plan, q, &programs);
	*ret_answer = programs;
	return 0;
}

int engine_check(struct engine *e, const struct plan *p, const struct oracle_query *q, struct weir_err *err)
{
	struct oracle_answer ignored;

	return e->programs ? ask_programs(e, p, KUBE_EGRESS, q, &ignored, err) : 0;
}

void engine_adopt(struct engine *e, const struct plan *p, struct probe *probe)
{
	*VEC_ADD(e->probes, e->n_probes, e->cap_probes) = (struct engine_probe){ p, probe };
}

void engine_open(struct engine *e, const char *name)
{
	bool bpf = name && !strcmp(name, "bpf");

	*e = (struct engine){ .judge = { .ask = bpf ? ask_programs : ask_plan, .ctx = e }, .programs = bpf };
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
