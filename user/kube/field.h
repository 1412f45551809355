/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading typed fields out of a document: what makes the decoders short. A field knows its place in
 * the object (spec.ports[0].port) and in the file. Readers of a wrong type report it once and yield
 * the default, so a decoder goes on and finds the other errors too. Fields that nobody asks for are
 * ignored (PARSE-1); null is absent (PARSE-2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/mem.h"
#include "kube/codes.h"
#include "kube/doc.h"

/* One object being decoded. */
struct decode {
	struct diag_list *diags;
	const char *file;
	struct arena *arena; /* of the object: what is kept is copied to it */
	const char *kind, *ns, *name; /* for messages; NULL: not known yet */
};

/* Lives on the stack of its decoder; up must outlive it. */
struct field {
	struct decode *d;
	const struct field *up; /* NULL: the whole object */
	const char *key; /* NULL: item [index] of up */
	size_t index;
	const struct doc_node *node; /* NULL: absent or null */
};

struct field field_root(struct decode *d, const struct doc_node *node);

/* The field of a mapping. up may be absent: then it is absent too. */
struct field field_at(const struct field *up, const char *key);
/*
 * The same when it must be a mapping or a list: absent when it is another thing, which is reported.
 */
struct field field_map(const struct field *up, const char *key);
struct field field_list(const struct field *up, const char *key);
static inline bool field_given(const struct field *f)
{
	return f->node != NULL;
}

bool field_empty(const struct field *f); /* absent, or an empty string */
size_t field_count(const struct field *f); /* items of a list, pairs of a mapping; 0 when absent */
struct field field_item(const struct field *list, size_t i);
struct field field_map_item(const struct field *list,
			    size_t i); /* an item that must be a mapping */
struct field field_pair(const struct field *map,
			size_t i); /* the i-th value of a mapping, by key */

/* Of a field itself. Text is copied to the object; raw text lives as long as the document. */
const char *field_raw(const struct field *f, const char *otherwise);
const char *field_text(const struct field *f, const char *otherwise);
int64_t field_number(const struct field *f, int64_t min, int64_t max, int64_t otherwise);
bool field_flag(const struct field *f, bool otherwise);
/* Index of one of the words, which end with NULL. */
int field_word(const struct field *f, const char *const *words, int otherwise);
int64_t field_time(const struct field *f); /* seconds since 1970, 0 when absent */

/* Of the field of a mapping. */
const char *field_raw_at(const struct field *up, const char *key, const char *otherwise);
const char *field_text_at(const struct field *up, const char *key, const char *otherwise);
int64_t field_number_at(const struct field *up, const char *key, int64_t min, int64_t max,
			int64_t otherwise);
bool field_flag_at(const struct field *up, const char *key, bool otherwise);
int field_word_at(const struct field *up, const char *key, const char *const *words, int otherwise);

/* Where the field stands, or what it should stand in. */
struct src field_src(const struct field *f);
void field_error(const struct field *f, enum kube_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "the string "abc"", for field_error. One static buffer of the thread's own. */
const char *field_found(const struct field *f);
