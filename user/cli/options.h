/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Options by table: the row of an option has its names, its type, where its value is stored, and
 * its help. Parsing never prints and never exits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"

enum option_type {
	OPTION_FLAG, /* bool */
	OPTION_COUNT, /* unsigned int: how often it was given */
	OPTION_TEXT, /* const char * */
	OPTION_NUMBER, /* uint32_t, at least 1: 0 stands for "not given" */
	OPTION_CHOICE, /* const char *, one of metavar's words "a|b|c" */
	OPTION_LIST, /* struct option_list; repeatable */
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
 * tables: ended by NULL, each table by a row without a name. Options may stand anywhere; "--" ends
 * them. The other words are moved to the front of argv, and ret_n is their number. 0, or -EINVAL
 * with err set.
 */
int options_parse(const struct option_row *const *tables, void *values, int argc, char **argv,
		  int *ret_n, struct weir_err *err);
/* One line for each row: "  -f, --file PATH   manifests …". */
void options_help(const struct option_row *table, FILE *out);
/* Is word one of "a|b|c"? */
bool options_choice(const char *choices, const char *word);
