// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir help [VERB]. All text comes from the tables of verbs and options. */
#include "cli/verbs.h"

static int run(void *options, char **args, int n_args)
{
	const struct verb *v = n_args ? cli_verb(args[0]) : NULL;

	if (n_args && !v)
		return cli_fail(EXIT_USAGE, "unknown verb '%s'; 'weir help' lists them", args[0]);
	cli_help(v, stdout);
	return EXIT_OK;
}

const struct verb verb_help = {
	.name = "help",
	.arguments = "[VERB]",
	.summary = "this list, or all about one verb",
	.options_size = sizeof(struct common_options),
	.max_args = 1,
	.run = run,
};
