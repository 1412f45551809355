/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * weir(1), the manual page, written from the tables that the command itself works by: verbs,
 * options, exit statuses. What no table knows (environment, files, examples) stands in tables here,
 * which the tests hold against the code.
 */
#pragma once

#include "cli/verb.h"

struct man_entry {
	const char *term, *text;
};

/* Ended by an entry without a term. The terms of examples are command lines. */
extern const struct man_entry man_environment[], man_files[], man_examples[];

/* roff for man(7), ASCII only. */
void man_write(const struct verb *const *verbs, FILE *out); /* verbs: ended by NULL */
