/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A document of YAML or JSON as a tree of mappings, lists and scalars, each with its position.
 * Scalars are typed as Kubernetes' own YAML reader types them (doc_scalar.c). An alias shares the
 * node that it names.
 *
 * The readers know nothing of Kubernetes and never recurse. A document that is malformed or above
 * limits.h is reported with a position.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "kube/codes.h"

enum doc_type {
	DOC_NULL,
	DOC_BOOL,
	DOC_INT,
	DOC_FLOAT,
	DOC_STRING,
	DOC_MAP,
	DOC_LIST,
};

struct doc_node {
	enum doc_type type;
	int line, col;
	unsigned int weight; /* nodes of this subtree, aliases expanded */
	union {
		struct {
			const char *text; /* as written, without quotes; no NUL in it */
			int64_t number; /* DOC_INT, DOC_BOOL */
		};
		struct {
			struct doc_pair *pairs; /* sorted by key, keys unique */
			size_t n_pairs;
		};
		struct {
			struct doc_node **items;
			size_t n_items;
		};
	};
};

struct doc_pair {
	const char *key;
	struct doc_node *value;
	int line, col; /* of the key */
	unsigned int rank; /* while the mapping is read: the highest of one key wins */
	bool merged; /* copied by << */
};

/* What is wrong with a document. */
struct doc_error {
	enum kube_code code;
	bool warning; /* the document was read all the same */
	int line, col;
	char text[200];
};

/* Called for each document that is not empty. The tree is freed when it returns. */
typedef void doc_handler(const struct doc_node *root, void *arg);
typedef void doc_report(const struct doc_error *error, void *arg);

/*
 * Reads all documents of a file as kubectl does (PARSE-9). The text is divided at lines that begin
 * with --- before any document is read, so a broken document does not reach the others. A text
 * whose first byte that is not blank is { is read as JSON, and as YAML, whose flow style looks the
 * same, if its first document is not JSON; after JSON the text may go on with --- and YAML. Returns
 * how many errors were reported; after KUBE_FILE_ERRORS_MAX the rest is not read.
 */
size_t doc_read(const char *data, size_t len, doc_handler *handler, doc_report *report, void *arg);

/*
 * Makes *data, *len UTF-8 without a byte order mark, as kubectl does: valid, except after a mark of
 * UTF-8. Returns the copy that they now refer to, which the caller frees, or NULL when the text
 * needed none.
 */
char *doc_decode_text(const char **data, size_t *len);

/* What kind of line this is, without its line break. */
enum doc_line {
	DOC_LINE_TEXT,
	DOC_LINE_SEPARATOR, /* ---, then only blanks or a comment */
	DOC_LINE_BAD_SEPARATOR, /* ---, then something else */
};
enum doc_line doc_line_kind(const char *line, size_t len);

/* The value of a key, or NULL. map must be a DOC_MAP. */
struct doc_node *doc_get(const struct doc_node *map, const char *key);
/* 'the string "abc"', 'a list', for messages; long text is shortened. Writes to buf, returns it. */
const char *doc_describe(const struct doc_node *n, char *buf, size_t size);
/* The same for a DOC_STRING without the type: '"abc"'. */
const char *doc_quote(const struct doc_node *n, char *buf, size_t size);
