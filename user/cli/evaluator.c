// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The evaluator of --engine, and the banner when two evaluators disagree. See evaluator.h. */
#include <string.h>

#include "analyze/report.h"
#include "cli/evaluator.h"
#include "cli/talk.h"

#define SHOWN_DIFFERENCES 5

#define BANNER_RULE \
	"weir: ==========================================================================\n"

void evaluator_banner(const struct evaluator_difference *d, const char *name, const char *further)
{
	_cleanup_(mem_free) char *their_text = evaluator_answer_text(d->plan, &d->theirs);
	_cleanup_(mem_free) char *plan_text = evaluator_answer_text(d->plan, &d->oracle);
	const struct oracle_query *q = &d->query;
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	fprintf(stderr,
		BANNER_RULE
		"weir: INTERNAL BUG: two evaluators disagree. Do not rely on this answer.\n"
		"weir:   query         %s -> %s %s/%u on node %s%s\n"
		"weir:   the plan      %s\n"
		"weir:   %-13s %s\n",
		addr_text(&q->src, src), addr_text(&q->dst, dst), proto_text(q->proto), q->port,
		d->plan->node, q->host_origin ? ", sent by the node" : "", plan_text, name,
		their_text);
	if (further)
		fprintf(stderr, "weir:   %s\n", further);
	fputs("weir: Please report it with this text, 'weir version', the manifests, and, where an instance\n"
	      "weir: is loaded, 'weir status -o json' and the files objects-* and plan-* of its /run folder.\n" BANNER_RULE,
	      stderr);
}

static void differs(const struct program_evaluator *e, const struct evaluator_difference *d)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

	if (e->n_differ == 1)
		evaluator_banner(d, "the programs", NULL);
	else if (e->n_differ <= SHOWN_DIFFERENCES)
		cli_fail(EXIT_DISAGREE,
			 "a defect of Weir: %s -> %s %s/%u: the programs say %s, the plan says %s",
			 addr_text(&d->query.src, src), addr_text(&d->query.dst, dst),
			 proto_text(d->query.proto), d->query.port, reason_label(d->theirs.reason),
			 reason_label(d->oracle.reason));
}

void evaluator_choose(struct program_evaluator *e, const char *engine)
{
	*e = (struct program_evaluator){ .evaluator = evaluator_plan, .differs = differs };
	if (engine && !strcmp(engine, "bpf"))
		program_evaluator_open(e);
}

int evaluator_verdict(const struct program_evaluator *e)
{
	if (!e->n_differ)
		return EXIT_OK;
	return cli_fail(EXIT_DISAGREE,
			"a defect of Weir: plan and programs differ in %zu of %zu answers",
			e->n_differ, e->n_asked);
}
