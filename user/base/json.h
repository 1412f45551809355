/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads JSON that Weir itself wrote (emit.h): records, plans, kept manifests. When a member is
 * missing or of another type, the getter returns "", -1, false or an empty list, and the document
 * keeps the first such error, with file and member. A reader gets all members in turn and checks r
 * once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct json {
	const char *file;
	struct yajl_val_s *root;
	struct weir_err *err; /* may be NULL */
	int r; /* 0, or the first error */
};

/*
 * A value of a document; doc must not move while it is in use. v NULL: absent, and so are its
 * members. A zeroed struct is an absent value.
 */
struct json_value {
	struct json *doc;
	struct yajl_val_s *v;
};

/*
 * Parses a document of that kind (emit_document_begin()); returns ret->r. Strings of its values
 * live until json_close().
 */
int json_open(struct json *ret, const char *file, const char *text, const char *kind,
	      struct weir_err *err);
void json_close(struct json *j); /* also for _cleanup_(); keeps r */
struct json_value json_root(struct json *j);
/* Records an error of a member, unless there is an earlier one; returns doc->r. */
int json_bad(struct json_value v, const char *key, const char *what);

const char *json_text(struct json_value v, const char *key);
/* min >= 0, so that -1 is always an error. */
long long json_number(struct json_value v, const char *key, long long min, long long max);
bool json_flag(struct json_value v, const char *key); /* absent: false */
struct json_value json_list(struct json_value v, const char *key);
size_t json_count(struct json_value list);
struct json_value json_item(struct json_value list, size_t i);
/* "" when it is not a string: the caller reports that. */
const char *json_item_text(struct json_value list, size_t i);
