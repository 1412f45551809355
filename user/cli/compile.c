// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir compile: manifests to the plan of one node, as JSON. Touches nothing. */
#include "cli/input.h"
#include "cli/verbs.h"
#include "compile/plan.h"

/*
 * Where an object stood is not what it says: without positions the bytes do not depend on order or
 * file.
 */
static void drop_positions(struct plan *p)
{
	for (size_t i = 0; i < p->n_rules; i++)
		p->rules[i].src.file = NULL;
	for (size_t i = 0; i < p->n_pods; i++)
		p->pods[i].src.file = NULL;
	for (size_t i = 0; i < p->n_services; i++)
		p->services[i].src.file = NULL;
}

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(plan_free) struct plan *p = NULL;
	int status = cli_read_store(c, STORE_ASSIGN, &s);
	const char *node;

	if (!status)
		status = cli_node(c, s, &node);
	if (status)
		return status;
	p = plan_compile(&(struct plan_input){ .store = s, .node = node });
	if (!c->quiet)
		diag_print(&p->notes, stderr);
	drop_positions(p);
	plan_write_json(p, stdout);
	return EXIT_OK;
}

const struct verb verb_compile = {
	.name = "compile",
	.arguments = "-f PATH",
	.summary = "manifests to the plan of one node, as JSON; touches nothing",
	.details =
		"The same objects give the same bytes, whatever their order. Problems go to stderr; exit status 4\n"
		"when the API server would refuse an object.\n",
	.outputs = "json",
	.wants = WANTS_FILES | WANTS_NODE,
	.options_size = sizeof(struct common_options),
	.run = run,
};
