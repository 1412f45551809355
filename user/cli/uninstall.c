// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir uninstall: removes every hook, map and file that Weir made for one instance. */
#include <unistd.h>

#include "cli/verbs.h"
#include "attach/remove.h"
#include "base/instance.h"
#include "base/mem.h"
#include "kernel/records.h"

/* They belong to the CNI plugin, or whoever wrote them. */
static void note_records(const struct common_options *c, const char *run_dir)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};

	if (!attachment_list_read(c->name, &l, NULL) && l.n + l.n_bad)
		cli_note(c, "kept the attachment records in %s/" INSTANCE_PODS ": %zu", run_dir,
			 l.n + l.n_bad);
}

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
		cli_note(c, "removed %s (hooks, maps, files in %s)", instance, run_dir);
	else
		cli_note(c, "nothing was loaded as %s", instance);
	note_records(c, run_dir);
	return EXIT_OK;
}

const struct verb verb_uninstall = {
	.name = "uninstall",
	.arguments = "",
	.summary =
		"remove all hooks, maps and files of an instance, but no attachment records (root)",
	.details =
		"Traffic is then neither filtered nor load-balanced. The attachment records (/run/weir[-NAME]/pods)\n"
		"stay: they belong to the CNI plugin, or to you. What cannot be removed does not stop the rest. For\n"
		"another layout version or other sizes use load --rebuild, which leaves no gap. Exit status 0 also when\n"
		"nothing was loaded; 3: not permitted, or loaded in another BPF file system; 5: a writer is at work.\n",
	.wants = WANTS_INSTANCE,
	.options_size = sizeof(struct common_options),
	.run = run,
};
