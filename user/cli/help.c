// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir help [VERB]. All text comes from the tables of verbs and options. */
#include "cli/man.h"
#include "cli/verbs.h"

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	const struct verb *v = n_args ? cli_verb(args[0]) : NULL;

	if (n_args && !v)
		return cli_fail(EXIT_USAGE, "unknown verb '%s'; 'weir help' lists them", args[0]);
	if (cli_output_is(c, "man") && v)
		return cli_fail(EXIT_USAGE, "help: the manual page is one for all verbs: weir help -o man");
	if (cli_output_is(c, "man"))
		man_write(stdout);
	else
		cli_help(v, stdout);
	return EXIT_OK;
}

const struct verb verb_help = {
	.name = "help",
	.arguments = "[VERB]",
	.summary = "this list, or all about one verb",
	.details = "man is the manual page weir(1), with everything: weir help -o man | man -l -\n",
	.outputs = "text|man",
	.options_size = sizeof(struct common_options),
	.max_args = 1,
	.run = run,
};
