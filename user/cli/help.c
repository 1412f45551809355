// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Usage and help. See help.h. README.md lists the exit statuses in the same words. */
#include "cli/help.h"

const struct cli_exit cli_exits[CLI_EXITS] = {
	[EXIT_OK] = { "ok", "done, allowed, or no findings" },
	[EXIT_NO] = { "a negative result: denied, findings, or differences",
		      "the command itself worked" },
	[EXIT_USAGE] = { "wrong usage", "an unknown verb, option, value or name" },
	[EXIT_REACH] = { "nothing loaded or no permission",
			 "also another network namespace, or maps of another layout version" },
	[EXIT_INPUT] = { "invalid input",
			 "objects that the API server would refuse, or files that cannot be read" },
	[EXIT_TIMEOUT] = { "busy, timed out, or done in part",
			   "another writer or reader is at work, or only a part was done" },
	[EXIT_KERNEL] = { "the kernel refused or a table is full",
			  "what was loaded before stays in force" },
	[EXIT_DISAGREE] = { "internal error: evaluators disagree; please report it",
			    "with the output, the manifests and what 'weir version' prints" },
};

void help_list(const struct verb *const *verbs, FILE *out)
{
	fputs("weir: " CLI_PURPOSE "\n\nusage: weir VERB [ARGUMENTS] [OPTIONS]\n\n", out);
	for (const struct verb *const *v = verbs; *v; v++)
		fprintf(out, "  %-10s %s\n", (*v)->name, (*v)->summary);
	fputs("\n'weir help VERB' has the details, 'weir help config' the keys of /etc/weir/weir.yaml. Exit status:\n\n",
	      out);
	for (int i = 0; i < CLI_EXITS; i++)
		fprintf(out, "  %d  %s\n", i, cli_exits[i].brief);
}

void help_verb(const struct verb *v, FILE *out)
{
	const struct option_row *tables[CLI_TABLES_MAX];
	size_t n;

	fprintf(out, "weir %s: %s\n\nusage: weir %s%s%s [OPTIONS]\n", v->name, v->summary, v->name,
		*v->arguments ? " " : "", v->arguments);
	if (v->details)
		fprintf(out, "\n%s", v->details);
	if (v->outputs)
		fprintf(out, "\noutput (-o): %s\n", v->outputs);
	fputs("\noptions:\n", out);
	n = cli_verb_tables(v, tables);
	for (size_t i = 0; i < n; i++)
		options_help(tables[i], out);
}
