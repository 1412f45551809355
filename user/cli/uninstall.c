// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir uninstall: removes every hook, map and file of one instance. */
#include <unistd.h>

#include "cli/verbs.h"
#include "attach/remove.h"
#include "base/instance.h"
#include "base/mem.h"

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	_cleanup_(mem_free) char *instance = instance_text(c->name);
	char pins[INSTANCE_PATH_MAX], run_dir[INSTANCE_PATH_MAX];
	struct weir_err err = {};
	bool existed;
	int r = instance_paths(c->name, pins, run_dir, &err);

	existed = !r && (!access(pins, F_OK) || !access(run_dir, F_OK));
	if (!r)
		r = node_remove(c->name, &err);
	if (r)
		return cli_fail_err(r, &err);
	if (existed)
		cli_note(c, "removed %s (hooks, maps, %s)", instance, run_dir);
	else
		cli_note(c, "nothing was loaded as %s", instance);
	return EXIT_OK;
}

const struct verb verb_uninstall = {
	.name = "uninstall",
	.arguments = "",
	.summary = "remove all hooks, maps and files of an instance (root)",
	.details =
		"Traffic is then neither filtered nor load-balanced. The attachment records (/run/weir[-NAME]/pods)\n"
		"are removed too: save them to load again. Exit status 0 also when nothing was loaded.\n",
	.wants = WANTS_INSTANCE,
	.options_size = sizeof(struct common_options),
	.run = run,
};
