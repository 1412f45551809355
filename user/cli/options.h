/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Options by table: one row an option says how it is written, what it takes, where its value goes,
 * and its help. Parsing never prints and never exits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"

enum option_type {
	OPTION_FLAG, /* bool */
	OPTION_COUNT, /* unsigned int, one more each time */
	OPTION_TEXT, /* const char * */
	OPTION_NUMBER, /* uint32_t */
	OPTION_CHOICE, /* const char *, one of metavar's words "a|b|c" */
	OPTION_LIST, /* struct option_list, one more each time */
};

struct option_row {
	const char *name; /* long, without dashes */
	char short_name; /* 0: none */
	const char *metavar; /* NULL for flags */
	enum option_type type;
	size_t offset; /* of the value in the options struct */
	const char *help;
};

struct option_list {
	const char **items;
	size_t n, cap;
};

/*
 * tables: up to NULL, each ended by a row without a name. Options may stand anywhere; "--" ends
 * them. The arguments left over are moved to the front of argv, their number goes to ret_n. 0, or
 * -EINVAL with err saying what is wrong.
 */
int options_parse(const struct option_row *const *tables, void *values, int argc, char **argv,
		  int *ret_n, struct weir_err *err);
/* One line a row: "  -f, --file PATH   manifests …". */
void options_help(const struct option_row *table, FILE *out);
/* Is word one of "a|b|c"? */
bool options_choice(const char *choices, const char *word);
