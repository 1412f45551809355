// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Policies and Services that do not fit. See unfit.h. */
#include <stdio.h>

#include "cli/unfit.h"

#define SERVICES_SHOWN 10

static const char *direction_text(const struct plan_closed *c)
{
	return c->direction == KUBE_INGRESS ? "ingress" : "egress";
}

static void emit_needs(struct emit *e, enum weir_map table, uint64_t need, uint64_t size)
{
	emit_text(e, "table", plan_table_name(table));
	emit_int(e, "need", need);
	emit_int(e, "size", size);
}

void unfit_emit(const struct plan_unfit *u, struct emit *e)
{
	emit_array(e, "closed");
	for (size_t i = 0; i < u->n_closed; i++) {
		const struct plan_closed *c = &u->closed[i];

		emit_map(e, NULL);
		emit_text(e, "policy", c->policy);
		emit_text(e, "direction", direction_text(c));
		emit_needs(e, c->table, c->need, c->size);
		emit_map_end(e);
	}
	emit_array_end(e);
	emit_array(e, "leftOut");
	for (size_t i = 0; i < u->n_left_out; i++) {
		const struct plan_left_out *l = &u->left_out[i];

		emit_map(e, NULL);
		emit_text(e, "service", l->service);
		emit_bool(e, "refused", l->known);
		emit_needs(e, l->table, l->need, l->size);
		emit_map_end(e);
	}
	emit_array_end(e);
}

static void print_closed(const struct plan_closed *p, const struct common_options *c)
{
	_cleanup_(mem_free) char *needs = plan_needs_text("policies", p->table, p->need, p->size);

	printf("%serror%s         NetworkPolicy %s, %s: does not fit, and its pods are closed: %s\n",
	       tone_on(&c->out, TONE_BAD), tone_off(&c->out, TONE_BAD), p->policy,
	       direction_text(p), needs);
}

static void print_left_out(const struct plan_left_out *l, const struct common_options *c)
{
	_cleanup_(mem_free) char *needs = plan_needs_text("Services", l->table, l->need, l->size);

	printf("%serror%s         Service %s: does not fit, and is not served%s: %s\n",
	       tone_on(&c->out, TONE_BAD), tone_off(&c->out, TONE_BAD), l->service,
	       l->known ? "" : ", not even refused", needs);
}

void unfit_print(const struct plan_unfit *u, const struct common_options *c)
{
	for (size_t i = 0; i < u->n_closed; i++)
		print_closed(&u->closed[i], c);
	for (size_t i = 0; i < u->n_left_out && i < SERVICES_SHOWN; i++)
		print_left_out(&u->left_out[i], c);
	if (u->n_left_out > SERVICES_SHOWN)
		printf("%serror%s         and %zu more Services: weir doctor shows all\n",
		       tone_on(&c->out, TONE_BAD), tone_off(&c->out, TONE_BAD),
		       u->n_left_out - SERVICES_SHOWN);
}

static int report_closed(size_t n, bool dry_run)
{
	return cli_fail(
		EXIT_TIMEOUT,
		dry_run ? "%zu %s not fit and would be closed: see the errors above; everything else would be applied"
			: "%zu %s not fit, and the pods of %s are closed: see the errors above and 'weir status'; "
			  "everything else is applied",
		n, n == 1 ? "policy does" : "policies do", n == 1 ? "it" : "them");
}

static int report_left_out(size_t n, bool dry_run)
{
	return cli_fail(
		EXIT_TIMEOUT,
		dry_run ? "%zu %s not fit and would not be served: see the errors above; everything else would be applied"
			: "%zu %s not fit, and %s not served: see the errors above and 'weir status'; everything else is applied",
		n, n == 1 ? "Service does" : "Services do", n == 1 ? "is" : "are");
}

int unfit_report(const struct plan *p, bool dry_run)
{
	int status = EXIT_OK;

	if (p->n_closed)
		status = report_closed(p->n_closed, dry_run);
	if (p->n_left_out)
		status = report_left_out(p->n_left_out, dry_run);
	return status;
}
