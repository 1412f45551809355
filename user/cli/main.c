// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The weir command: from its words to the run of one verb. Finds the verb, parses its options,
 * checks the number of its arguments, prints help. Nothing here knows what a verb does.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cli/help.h"
#include "cli/verbs.h"

#define INSTANCE_NAME_MAX 32

/*
 * The name becomes part of paths; base/instance.c says the same, but here it is a matter of usage.
 * Nor may it be empty: a variable that is not set must not mean the machine's own instance.
 */
static bool is_instance(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > INSTANCE_NAME_MAX)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '-' && *name != '_')
			return false;
	return true;
}

static int check_words(const struct verb *v, const struct common_options *c, int n_args)
{
	if (c->name && !is_instance(c->name))
		return cli_fail(
			EXIT_USAGE,
			"%s: --name '%.99s': 1 to %d of letters, digits, - and _ are wanted",
			v->name, c->name, INSTANCE_NAME_MAX);
	if (v->outputs && c->output && !options_choice(v->outputs, c->output))
		return cli_fail(EXIT_USAGE, "%s: -o '%s' is none of %s", v->name, c->output,
				v->outputs);
	if (n_args < v->min_args)
		return cli_fail(EXIT_USAGE, "%s: arguments are missing: weir %s %s", v->name,
				v->name, v->arguments);
	if (n_args > v->max_args)
		return cli_fail(EXIT_USAGE, "%s: too many arguments; see 'weir help %s'", v->name,
				v->name);
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
		status = check_words(v, c, n_args);
		if (!status)
			status = v->run(c, argv, n_args);
	}
	free(c->files.items);
	if (fflush(stdout) || ferror(stdout))
		return cli_fail(EXIT_REACH, "cannot write the output: %s", strerror(errno));
	return status;
}

/* libbpf talks about what callers handle; errors carry their own text. WEIR_LOG=debug lets it. */
static void quieten_libbpf(void)
{
	const char *log = getenv("WEIR_LOG");

	if (!log || strcmp(log, "debug"))
		libbpf_set_print(NULL);
}

int main(int argc, char **argv)
{
	const struct verb *v;

	style_locale();
	quieten_libbpf();
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
