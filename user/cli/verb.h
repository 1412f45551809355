/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The row of a verb in the table. Usage, help, manual page and parsing come from the same rows (and
 * those of options.h), so they cannot drift.
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
	const char *arguments; /* "FROM TO[:PORT[/PROTO]]"; "" when it takes none */
	const char *summary; /* one line for the list of verbs */
	const char *details; /* further help, lines that end with a newline; may be NULL */
	const char *outputs; /* forms that -o takes, the first is the default: "table|json"; NULL:
				no -o */
	unsigned int wants; /* enum verb_wants */
	const struct option_row *options; /* ended by a row without a name; may be NULL */
	size_t options_size; /* of the verb's options struct; it begins with struct common_options
			      */
	int min_args, max_args;
	int (*run)(void *options, char **args, int n_args); /* returns enum exit_status */
};

/*
 * The tables that a verb's command line is parsed with, its own first, ended by NULL. Returns their
 * number.
 */
#define CLI_TABLES_MAX 7
size_t cli_verb_tables(const struct verb *v, const struct option_row *tables[CLI_TABLES_MAX]);
