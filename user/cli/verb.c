// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The options that several verbs share. See verb.h. */
#include "cli/verb.h"

#define COMMON(member) offsetof(struct common_options, member)

static const struct option_row files_rows[] = {
	{ "file", 'f', "PATH", OPTION_LIST, COMMON(files),
	  "manifests: a file, a directory, or - for stdin; repeatable" },
	{ "strict", 0, NULL, OPTION_FLAG, COMMON(strict),
	  "warnings about the manifests are errors: exit status 4, and nothing is done" },
	{},
};

static const struct option_row node_rows[] = {
	{ "node", 0, "NODE", OPTION_TEXT, COMMON(node),
	  "name of this node in the manifests; default: $NODE_NAME, else the only Node object" },
	{},
};

static const struct option_row instance_rows[] = {
	{ "name", 0, "NAME", OPTION_TEXT, COMMON(name),
	  "name of the instance, if several are loaded side by side; default: the one without a name" },
	{},
};

static const struct option_row output_rows[] = {
	{ "output", 'o', "FORMAT", OPTION_TEXT, COMMON(output),
	  "output format; the first one above is the default" },
	{ "no-headers", 0, NULL, OPTION_FLAG, COMMON(no_headers), "tables without their heading" },
	{},
};

static const struct option_row common_rows[] = {
	{ "quiet", 'q', NULL, OPTION_FLAG, COMMON(quiet),
	  "no notes on stderr, only warnings and errors" },
	{ "verbose", 'v', NULL, OPTION_COUNT, COMMON(verbose), "more on stderr" },
	{ "color", 0, "auto|always|never", OPTION_CHOICE, COMMON(color),
	  "colour; with auto, NO_COLOR and TERM=dumb turn it off" },
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
