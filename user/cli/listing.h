/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rows as a table or as JSON items, by the same calls. Values come in the order of the columns.
 */
#pragma once

#include "base/emit.h"
#include "cli/talk.h"

struct listing_column {
	const char *heading; /* NULL: JSON only */
	const char *key; /* in JSON */
	bool wide; /* tables show it only with -o wide */
};

#define COLUMN(heading, key)        \
	{                           \
		heading, key, false \
	}
#define COLUMN_WIDE(heading, key)  \
	{                          \
		heading, key, true \
	}

struct listing {
	const struct common_options *common;
	const struct listing_column
		*columns; /* ended by one without a key; the first is the name */
	const char *headings[16];
	size_t n_columns, at; /* at: column of the next value */
	struct grid table;
	struct emit emit;
};

/* kind: "PodList". */
void listing_begin(struct listing *l, const struct common_options *c, const char *kind,
		   const struct listing_column *columns);
void listing_text(struct listing *l, const char *text); /* NULL or "": "-" and null */
void listing_printf(struct listing *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void listing_tone(struct listing *l, enum tone tone, const char *text);
void listing_int(struct listing *l, long long value);
void listing_count(struct listing *l, long long value); /* negative, unknown: "-" and null */
void listing_end(struct listing *l); /* prints the table, or ends the JSON */
