/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Writes parts of manual pages as roff for man(7), ASCII only. Knows no table of the command. */
#pragma once

#include <stdio.h>

struct man_entry {
	const char *term, *text;
};

void roff_text(const char *text, FILE *out); /* escaped, also at the beginning of a line */
void roff_bold(const char *text, FILE *out);
void roff_line(const char *text, FILE *out);
void roff_section(const char *title, FILE *out);
void roff_entries(const struct man_entry *entries, FILE *out); /* ended by one without a term */
/*
 * Text as help shows it, whole lines. An indented line is an example, "TERM  text" with two blanks
 * an entry, any other line is filled.
 */
void roff_details(const char *details, FILE *out);
