// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The oracle as evaluator, and answers as text. See evaluator.h. */
#include <stdio.h>

#include "analyze/evaluator.h"
#include "analyze/report.h"

static int ask_plan(void *ctx, const struct plan *plan, enum kube_direction side,
		    const struct oracle_query *q, struct oracle_answer *ret_answer,
		    struct weir_err *err)
{
	oracle_judge(plan, q, ret_answer);
	return 0;
}

const struct evaluator evaluator_plan = { .ask = ask_plan };

static void print_side(FILE *out, const struct plan *p, const char *name,
		       const struct oracle_side *side)
{
	fprintf(out, "; %s: ", name);
	if (!side->judged)
		fputs("policies not checked", out);
	else if (side->rule && side->rule < p->n_rules)
		fprintf(out, "%s by %s rule %u", side->allow ? "allowed" : "denied",
			p->rules[side->rule].policy, p->rules[side->rule].index);
	else if (side->rule || side->set >= p->n_sets)
		fprintf(out, "%s by a rule or set that is not in the plan",
			side->allow ? "allowed" : "denied");
	else if (!side->set)
		fprintf(out, "%s, not isolated", side->allow ? "allowed" : "denied");
	else
		fprintf(out, "%s, no rule of %s%s", side->allow ? "allowed" : "denied",
			p->sets[side->set].policies[0],
			p->sets[side->set].n_policies > 1 ? " and others" : "");
}

char *evaluator_answer_text(const struct plan *p, const struct oracle_answer *a)
{
	char *text = NULL, addr[ADDR_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "%s (%s)", a->reason == WEIR_FORWARDED ? "ALLOWED" : "DENIED",
		reason_label(a->reason));
	if (a->backend != PLAN_NONE)
		fprintf(out, "; to %s port %u", addr_text(&a->dst, addr), a->port);
	print_side(out, p, "egress", &a->egress);
	print_side(out, p, "ingress", &a->ingress);
	fclose(out);
	return text;
}
