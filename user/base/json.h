/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * JSON in, of what Weir itself wrote (emit.h): records, plans, kept manifests. A member that is
 * missing or of another type is noted in the document, the first one with file and member; the
 * getter then returns "", -1, false or an empty list. So a reader asks for all members in turn and
 * looks at r once; one that can do without them does not look.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

struct json {
	const char *file;
	struct yajl_val_s *root;
	struct weir_err *err; /* NULL: the text of an error is not wanted */
	int r; /* 0, or the first error */
};

/*
 * A value of a document, which must not move meanwhile. v NULL: absent, as are its members; so is
 * {}.
 */
struct json_value {
	struct json *doc;
	struct yajl_val_s *v;
};

/*
 * A document of that kind (emit_document_begin()); returns ret->r. Strings of values live until
 * json_close().
 */
int json_open(struct json *ret, const char *file, const char *text, const char *kind,
	      struct weir_err *err);
void json_close(struct json *j); /* also for _cleanup_(); keeps r */
struct json_value json_root(struct json *j);
/* Notes what is wrong with a member and returns doc->r. */
int json_bad(struct json_value v, const char *key, const char *what);

const char *json_text(struct json_value v, const char *key);
long long json_number(struct json_value v, const char *key, long long min,
		      long long max); /* min is at least 0 */
bool json_flag(struct json_value v, const char *key); /* absent: false */
struct json_value json_list(struct json_value v, const char *key);
size_t json_count(struct json_value list);
struct json_value json_item(struct json_value list, size_t i);
const char *json_item_text(struct json_value list,
			   size_t i); /* "": not a string, which the caller notes */
