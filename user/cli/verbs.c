// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The table of verbs, in the order of help: those on files, those on a node, the rest; and `help`,
 * which prints this table.
 */
#include <string.h>

#include "cli/config_help.h"
#include "cli/help.h"
#include "cli/man.h"
#include "cli/verbs.h"

const struct verb *cli_verb(const char *name)
{
	for (const struct verb *const *v = cli_verbs; *v; v++)
		if (!strcmp((*v)->name, name))
			return *v;
	return NULL;
}

static int run_config(const struct common_options *c)
{
	if (cli_output_is(c, "man"))
		config_man(stdout);
	else
		config_help(stdout);
	return EXIT_OK;
}

static int run(void *options, char **args, int n_args)
{
	const struct common_options *c = options;
	const struct verb *v = n_args ? cli_verb(args[0]) : NULL;

	if (n_args && !strcmp(args[0], "config"))
		return run_config(c);
	if (n_args && !v)
		return cli_fail(EXIT_USAGE, "unknown verb '%s'; 'weir help' lists them", args[0]);
	if (cli_output_is(c, "man") && v)
		return cli_fail(
			EXIT_USAGE,
			"help: -o man takes no verb: there is one manual page for all of them");
	if (cli_output_is(c, "man"))
		man_write(cli_verbs, stdout);
	else if (v)
		help_verb(v, stdout);
	else
		help_list(cli_verbs, stdout);
	return EXIT_OK;
}

static const struct verb verb_help = {
	.name = "help",
	.arguments = "[VERB|config]",
	.summary = "this list, the details of one verb, or the keys of a configuration file",
	.details =
		"-o man writes the manual page weir(1), and weir(5) with config: weir help config -o man | man -l -\n",
	.outputs = "text|man",
	.options_size = sizeof(struct common_options),
	.max_args = 1,
	.run = run,
};

const struct verb *const cli_verbs[] = {
	&verb_compile,   &verb_report,  &verb_why,    &verb_sandbox, &verb_load,
	&verb_enforce,   &verb_status,  &verb_doctor, &verb_get,     &verb_observe,
	&verb_uninstall, &verb_version, &verb_help,   NULL,
};
