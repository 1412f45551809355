// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir uninstall: removes every hook, map and file of one instance. */
#include "cli/verbs.h"
#include "attach/remove.h"

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	struct weir_err err = {};
	int r = node_remove(c->name, &err);

	if (r)
		return cli_fail_err(r, &err);
	cli_note(c, "instance %s is removed: hooks, maps and run folder",
		 c->name && *c->name ? c->name : "(default)");
	return EXIT_OK;
}

const struct verb verb_uninstall = {
	.name = "uninstall",
	.arguments = "",
	.summary = "remove all hooks, maps and files of an instance (root)",
	.details =
		"Traffic is then neither translated nor judged. Status 0 also when nothing is loaded.\n",
	.wants = WANTS_INSTANCE,
	.options_size = sizeof(struct common_options),
	.run = run,
};
