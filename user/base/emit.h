/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * JSON writer over yajl_gen: key and value in one call. Calls cannot fail; invalid UTF-8 is
 * replaced. Versioned lists have one item per line: they stream, and diffs are readable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define EMIT_API_VERSION "weir.dev/v1"

struct emit {
	struct yajl_gen_t *gen;
	FILE *out;
	size_t items; /* of the current list, written so far */
};

void emit_open(struct emit *e, FILE *out);
void emit_close(struct emit *e); /* flushes; also for _cleanup_() */

/* key NULL: an array element. */
void emit_text(struct emit *e, const char *key, const char *value); /* NULL: null */
void emit_printf(struct emit *e, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void emit_int(struct emit *e, const char *key, long long value);
void emit_bool(struct emit *e, const char *key, bool value);
void emit_null(struct emit *e, const char *key);
/* value, or null when it is not known. */
void emit_known(struct emit *e, const char *key, bool known, long long value);
void emit_map(struct emit *e, const char *key);
void emit_map_end(struct emit *e);
void emit_array(struct emit *e, const char *key);
void emit_array_end(struct emit *e);

/* {"apiVersion":"weir.dev/v1","kind":KIND,"items":[ … ]}; items are maps. */
void emit_list_begin(struct emit *e, const char *kind);
void emit_item_begin(struct emit *e);
void emit_item_end(struct emit *e);
void emit_number_item(struct emit *e, long long value); /* an item that is a number */
/* Ends the list and begins another beside it. */
void emit_list_next(struct emit *e, const char *key);
void emit_list_end(struct emit *e);

/* {"apiVersion":"weir.dev/v1","kind":KIND, … } and a line break. */
void emit_document_begin(struct emit *e, const char *kind);
void emit_document_end(struct emit *e);
