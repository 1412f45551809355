/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A verb's row in the table of verbs. Usage, help, manual page and parsing all use these rows and
 * those of options.h.
 */
#pragma once

#include "cli/talk.h"

const char *cli_version(void); /* of this binary */

enum verb_wants {
	WANTS_FILES = 1 << 0, /* takes -f */
	WANTS_NODE = 1 << 1, /* takes --node */
	WANTS_INSTANCE = 1 << 2, /* takes --name */
};

struct verb {
	const char *name;
	const char *arguments; /* "FROM TO[:PORT[/PROTO]]"; "": none */
	const char *summary; /* one line for the list of verbs */
	const char *details; /* further help: whole lines; may be NULL */
	const char *outputs; /* formats of -o, default first: "table|json"; NULL: no -o */
	unsigned int wants; /* enum verb_wants */
	const struct option_row *options; /* ended by a row without a name; may be NULL */
	size_t options_size; /* the options struct begins with struct common_options */
	int min_args, max_args;
	int (*run)(void *options, char **args, int n_args); /* returns enum exit_status */
};

/*
 * The option tables of a verb, its own first, ended by NULL. Returns their number.
 */
#define CLI_TABLES_MAX 7
size_t cli_verb_tables(const struct verb *v, const struct option_row *tables[CLI_TABLES_MAX]);
