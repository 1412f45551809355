/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * weir(1), the manual page, written from the command's own tables: verbs, options, exit statuses.
 * man.c has further tables for environment, files and examples; tests compare these with the code.
 */
#pragma once

#include "cli/roff.h"
#include "cli/verb.h"

/* Ended by an entry without a term. In examples the term is the command line. */
extern const struct man_entry man_environment[], man_files[], man_examples[];

/* Writes roff for man(7), ASCII only. verbs: ended by NULL. */
void man_write(const struct verb *const *verbs, FILE *out);
