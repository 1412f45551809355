// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * From the words of the command line to the run of one verb: finds it, parses
 * its options, checks the number of its arguments, and prints help. Nothing
 * here knows what a verb does.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cli/cli.h"

#define INSTANCE_NAME_MAX 32
#define COMMON(member) offsetof(struct common_options, member)

static const struct option_row files_rows[] = {
	{ "file", 'f', "PATH", OPTION_LIST, COMMON(files),
	  "manifests: a file, a directory, or - for stdin; repeatable" },
	{},
};

static const struct option_row node_rows[] = {
	{ "node", 0, "NODE", OPTION_TEXT, COMMON(node),
	  "this node's name; else NODE_NAME, else the only Node object" },
	{},
};

static const struct option_row instance_rows[] = {
	{ "name", 0, "NAME", OPTION_TEXT, COMMON(name), "instance, when several are loaded side by side" },
	{},
};

static const struct option_row output_rows[] = {
	{ "output", 'o', "FORM", OPTION_TEXT, COMMON(output),
	  "form of the output; the first of those above is the default" },
	{ "no-headers", 0, NULL, OPTION_FLAG, COMMON(no_headers), "tables without their first line" },
	{},
};

static const struct option_row common_rows[] = {
	{ "quiet", 'q', NULL, OPTION_FLAG, COMMON(quiet), "only errors on stderr" },
	{ "verbose", 'v', NULL, OPTION_COUNT, COMMON(verbose), "more on stderr" },
	{ "color", 0, "auto|always|never", OPTION_CHOICE, COMMON(color),
	  "colour; NO_COLOR and TERM=dumb are heeded" },
	{ "help", 'h', NULL, OPTION_FLAG, COMMON(help), "this text" },
	{},
};

size_t cli_verb_tables(const struct verb *v, const struct option_row *tables[CLI_TABLES_MAX])
{
	size_t n = 0;

	if (v->options)
		tables[n++] = v->options;
	if (v->wants & WANTS_FILES)
		tables[n++] = files_rows;
	if (v->wants & WANTS_NODE)
		tables[n++] = node_rows;
	if (v->wants & WANTS_INSTANCE)
		tables[n++] = instance_rows;
	if (v->outputs)
		tables[n++] = output_rows;
	tables[n++] = common_rows;
	tables[n] = NULL;
	return n;
}

const struct verb *cli_verb(const char *name)
{
	for (const struct verb *const *v = cli_verbs; *v; v++)
		if (!strcmp((*v)->name, name))
			return *v;
	return NULL;
}

const struct cli_exit cli_exits[CLI_EXITS] = {
	[EXIT_OK] = { "ok", "done; allowed; no findings" },
	[EXIT_NO] = { "a valid no", "a valid no: denied, findings, a difference" },
	[EXIT_USAGE] = { "usage", "wrong usage" },
	[EXIT_REACH] = { "not reachable", "nothing is loaded, no permission, or nobody answers" },
	[EXIT_INPUT] = { "invalid input",
			 "objects that the API server would refuse, or files that cannot be read" },
	[EXIT_TIMEOUT] = { "timeout", "timed out or busy, or only a part was done" },
	[EXIT_KERNEL] = { "the kernel refused",
			  "the kernel refused, or a table is full; the last good state stays" },
	[EXIT_DISAGREE] = { "evaluators disagree (a defect of Weir)",
			    "two evaluators disagree: a defect of Weir" },
};

static void help_list(FILE *out)
{
	fputs("weir: " CLI_PURPOSE "\n\nusage: weir VERB [ARGUMENTS] [OPTIONS]\n\n", out);
	for (const struct verb *const *v = cli_verbs; *v; v++)
		fprintf(out, "  %-10s %s\n", (*v)->name, (*v)->summary);
	fputs("\n'weir help VERB' tells more. Exit status:", out);
	for (int i = 0; i < CLI_EXITS; i++)
		fprintf(out, "%s%d %s%s", i == EXIT_INPUT ? "\n" : " ", i, cli_exits[i].brief,
			i + 1 < CLI_EXITS ? "," : ".\n");
}

void cli_help(const struct verb *v, FILE *out)
{
	const struct option_row *tables[CLI_TABLES_MAX];
	size_t n;

	if (!v) {
		help_list(out);
		return;
	}
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

int cli_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("weir: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

void cli_note(const struct common_options *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	fputs("weir: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int cli_status_of(int error)
{
	switch (abs(error)) {
	case 0:
		return EXIT_OK;
	case ENOENT:
	case EPERM:
	case EACCES:
	case EPROTO:
	case EXDEV:
		return EXIT_REACH;
	case EBUSY:
	case ETIMEDOUT:
	case EINTR:
		return EXIT_TIMEOUT;
	case EINVAL:
		return EXIT_INPUT;
	default:
		return EXIT_KERNEL;
	}
}

static const struct verb *running; /* NULL before a verb is known */

static bool lacks_root(int error)
{
	return (abs(error) == EPERM || abs(error) == EACCES) && geteuid();
}

int cli_fail_err(int error, const struct weir_err *err)
{
	_cleanup_(mem_free) char *text = err->text[0]
						 ? mem_strdup(err->text)
						 : mem_printf("%s (%s)", strerror(abs(error)), err_name(error));

	if (lacks_root(error))
		fprintf(stderr, "weir%s%s: needs root: %s; try sudo\n", running ? " " : "",
			running ? running->name : "", text);
	else
		fprintf(stderr, "weir: %s\n", text);
	return cli_status_of(error);
}

bool cli_output_is(const struct common_options *c, const char *form)
{
	return c->output && !strcmp(c->output, form);
}

bool cli_json(const struct common_options *c)
{
	return cli_output_is(c, "json");
}

/*
 * The name becomes part of paths; user/kernel says the same, but here it is a matter of usage. Nor may it be empty: a
 * variable that is not set must not mean the machine's own instance.
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
		return cli_fail(EXIT_USAGE, "%s: --name '%.99s': 1 to %d of letters, digits, - and _ are wanted",
				v->name, c->name, INSTANCE_NAME_MAX);
	if (v->outputs && c->output && !options_choice(v->outputs, c->output))
		return cli_fail(EXIT_USAGE, "%s: -o '%s' is none of %s", v->name, c->output, v->outputs);
	if (n_args < v->min_args)
		return cli_fail(EXIT_USAGE, "%s: arguments are missing: weir %s %s", v->name, v->name,
				v->arguments);
	if (n_args > v->max_args)
		return cli_fail(EXIT_USAGE, "%s: too many arguments; see 'weir help %s'", v->name, v->name);
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
		return cli_fail(EXIT_USAGE, "%s: %s; see 'weir help %s'", v->name, err.text, v->name);
	}
	c->out = style_detect(stdout, c->color);
	c->talk = style_detect(stderr, c->color);
	if (c->help) {
		cli_help(v, stdout);
		status = EXIT_OK;
	} else {
		running = v;
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

int cli_main(int argc, char **argv)
{
	const struct verb *v;

	style_locale();
	quieten_libbpf();
	if (argc < 2) {
		cli_help(NULL, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		cli_help(NULL, stdout);
		return EXIT_OK;
	}
	v = cli_verb(strcmp(argv[1], "--version") ? argv[1] : "version");
	if (!v)
		return cli_fail(EXIT_USAGE, "unknown verb '%s'; 'weir help' lists them", argv[1]);
	return run_verb(v, argc - 2, argv + 2);
}
