// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The weir command: finds the verb, parses its options, checks the number of its arguments, prints
 * help, runs the verb. Knows no particular verb.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/instance.h"
#include "cli/help.h"
#include "cli/verbs.h"

static int check_words(const struct verb *v, const struct common_options *c, char **args,
		       int n_args)
{
	/* an empty name is refused: an unset shell variable must not mean the default instance */
	if (c->name && !instance_name_ok(c->name))
		return cli_fail(EXIT_USAGE,
				"%s: --name '%.99s': use 1 to %d letters, digits, - and _", v->name,
				c->name, INSTANCE_NAME_MAX);
	if (v->outputs && c->output && !options_choice(v->outputs, c->output))
		return cli_fail(EXIT_USAGE, "%s: -o '%s' is not one of %s", v->name, c->output,
				v->outputs);
	if (n_args < v->min_args)
		return cli_fail(EXIT_USAGE, "%s: arguments are missing: weir %s %s", v->name,
				v->name, v->arguments);
	if (n_args > v->max_args)
		return cli_unexpected(v->name, args[v->max_args], v->wants & WANTS_FILES);
	return EXIT_OK;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
	_cleanup_(mem_free) struct common_options *c = mem_zalloc(v->options_size);
	const struct option_row *tables[CLI_TABLES_MAX];
	struct weir_err err = {};
	int n_args, status;

	cli_verb_tables(v, tables);
	if (options_parse(tables, c, argc, argv, &n_args, &err)) {
		free(c->files.items);
		return cli_fail(EXIT_USAGE, "%s: %s; see 'weir help %s'", v->name, err.text,
				v->name);
	}
	c->out = style_detect(stdout, c->color);
	c->talk = style_detect(stderr, c->color);
	if (c->help) {
		help_verb(v, stdout);
		status = EXIT_OK;
	} else {
		cli_set_verb(v->name);
		status = check_words(v, c, argv, n_args);
		if (!status)
			status = v->run(c, argv, n_args);
	}
	free(c->files.items);
	if (fflush(stdout) || ferror(stdout))
		return cli_fail(EXIT_REACH, "cannot write the output: %s", strerror(errno));
	return status;
}

/*
 * libbpf prints errors that callers handle and report themselves. WEIR_LOG=debug keeps its output.
 */
static void silence_libbpf(void)
{
	const char *log = getenv("WEIR_LOG");

	if (!log || strcmp(log, "debug"))
		libbpf_set_print(NULL);
}

int main(int argc, char **argv)
{
	const struct verb *v;

	style_locale();
	silence_libbpf();
	if (argc < 2) {
		help_list(cli_verbs, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		help_list(cli_verbs, stdout);
		return EXIT_OK;
	}
	v = cli_verb(strcmp(argv[1], "--version") ? argv[1] : "version");
	if (!v)
		return cli_fail(EXIT_USAGE, "unknown verb '%s'; 'weir help' lists them", argv[1]);
	return run_verb(v, argc - 2, argv + 2);
}
