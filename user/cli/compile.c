// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir compile: manifests to the plan of one node, as JSON. Changes nothing. */
#include "cli/input.h"
#include "cli/verbs.h"
#include "compile/plan.h"

/*
 * Without positions the output does not depend on the order of objects and on the names of files.
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
	int status = cli_compile(c, &s, &p);

	if (status)
		return status;
	drop_positions(p);
	plan_write_json(p, stdout);
	return p->n_closed + p->n_left_out ? EXIT_TIMEOUT : EXIT_OK;
}

const struct verb verb_compile = {
	.name = "compile",
	.arguments = "-f PATH",
	.summary = "compile manifests to the plan of one node, as JSON",
	.details =
		"Changes nothing. The same objects give the same bytes, in any order.\n"
		"If the manifests name nodes and --node is not one of them, compile fails with status 4, as it does\n"
		"for an object that the API server would refuse. Exit status 5: a policy or Service does not fit tables\n"
		"of the default sizes; the plan is printed with its pods closed, or without it.\n",
	.outputs = "json",
	.wants = WANTS_FILES | WANTS_NODE,
	.options_size = sizeof(struct common_options),
	.run = run,
};
