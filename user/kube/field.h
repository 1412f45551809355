/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads typed fields of a document. A field knows its path in the object (spec.ports[0].port) and
 * its position in the file. A getter reports a wrong type and returns the default, so that a
 * decoder goes on and finds the other errors too. Fields that no decoder reads are ignored
 * (PARSE-1); null is absent (PARSE-2).
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
	struct arena *arena; /* of the object */
	const char *kind, *ns, *name; /* for messages; NULL: not known yet */
};

/* On the decoder's stack; up must outlive it. */
struct field {
	struct decode *d;
	const struct field *up; /* NULL: this is the whole object */
	const char *key; /* NULL: this is item [index] of up */
	size_t index;
	const struct doc_node *node; /* NULL: absent or null */
};

struct field field_root(struct decode *d, const struct doc_node *node);

/* A field of the mapping up; absent if up is absent. */
struct field field_at(const struct field *up, const char *key);
/* The same, for a field that must be a mapping or a list: another type is reported, and absent. */
struct field field_map(const struct field *up, const char *key);
struct field field_list(const struct field *up, const char *key);
static inline bool field_given(const struct field *f)
{
	return f->node != NULL;
}

bool field_empty(const struct field *f); /* absent, or an empty string */
size_t field_count(const struct field *f); /* items of a list, pairs of a mapping; 0 when absent */
struct field field_item(const struct field *list, size_t i);
struct field field_map_item(const struct field *list, size_t i); /* must be a mapping */
struct field field_pair(const struct field *map, size_t i); /* in the order of keys */

/*
 * The value of a field, or otherwise when it is absent or wrong. Text is copied to the object; raw
 * text lives as long as the document.
 */
const char *field_raw(const struct field *f, const char *otherwise);
const char *field_text(const struct field *f, const char *otherwise);
int64_t field_number(const struct field *f, int64_t min, int64_t max, int64_t otherwise);
bool field_flag(const struct field *f, bool otherwise);
/* Index in words, a list that ends with NULL; an empty string is absent. */
int field_word(const struct field *f, const char *const *words, int otherwise);
/* The same, where an empty string is none of the words. */
int field_word_given(const struct field *f, const char *const *words, int otherwise);
int64_t field_time(const struct field *f); /* seconds since 1970, 0 when absent */

/* The same for a field of the mapping up. */
const char *field_raw_at(const struct field *up, const char *key, const char *otherwise);
const char *field_text_at(const struct field *up, const char *key, const char *otherwise);
int64_t field_number_at(const struct field *up, const char *key, int64_t min, int64_t max,
			int64_t otherwise);
bool field_flag_at(const struct field *up, const char *key, bool otherwise);
int field_word_at(const struct field *up, const char *key, const char *const *words, int otherwise);
int field_word_given_at(const struct field *up, const char *key, const char *const *words,
			int otherwise);

/* Position of the field; when it is absent, of the nearest node above it. */
struct src field_src(const struct field *f);
void field_error(const struct field *f, enum kube_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void field_warning(const struct field *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* For messages: "spec.ports[0]", and "Service ns/name" as far as known, or NULL. The caller frees.
 */
char *field_path(const struct field *f);
char *field_object(const struct field *f);
/*
 * For field_error(), one static buffer each per thread: 'the string "abc"', where the type is
 * wrong; '"abc"' of a string, where its text is.
 */
const char *field_found(const struct field *f);
const char *field_quoted(const struct field *f);
