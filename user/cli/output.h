/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Output for people: tables with aligned columns; colour by meaning, always beside a word or a sign
 * that says the same; plain text where stdout is not a terminal.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/mem.h"

struct style {
	bool tty, color, utf8;
	unsigned int width; /* of the terminal, in columns; 0: no terminal, no wrapping */
};

/* choice: auto, always, never or NULL (as auto: NO_COLOR, TERM=dumb and isatty() decide). */
struct style style_detect(FILE *f, const char *choice);
void style_locale(void); /* call once, before style_detect(): utf8 depends on the locale */

enum tone {
	TONE_PLAIN,
	TONE_GOOD, /* allowed, ok */
	TONE_BAD, /* denied, error */
	TONE_WARN,
	TONE_DIM, /* unchanged, or nothing to report */
	TONE_STRONG,
};

/* Escape sequences around text; both "" without colour. */
const char *tone_on(const struct style *s, enum tone tone);
const char *tone_off(const struct style *s, enum tone tone);
size_t text_width(const char *utf8); /* in columns: one for each code point */

struct grid_cell {
	char *text;
	enum tone tone;
};

struct grid {
	const char *const *columns; /* headings; ended by NULL */
	size_t n_columns;
	bool no_headers;
	struct style style;
	struct grid_cell *cells; /* row by row */
	size_t n, cap;
};

void grid_init(struct grid *t, const struct style *s, bool no_headers, const char *const *columns);
/* Cells fill the table row by row. Empty text shows as "-". */
void grid_cell(struct grid *t, enum tone tone, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void grid_print(const struct grid *t, FILE *out);
void grid_free(struct grid *t); /* also for _cleanup_() */

/* One CSV field (RFC 4180), after a comma unless it is the first of its line. */
void csv_field(FILE *out, bool first, const char *text);
