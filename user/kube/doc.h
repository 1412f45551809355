/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A document of YAML or JSON as a tree of mappings, lists and scalars, each with its position.
 * Scalars are typed as Kubernetes' own YAML reader types them (doc_scalar.c). An alias shares the
 * node that it names.
 *
 * The readers know nothing of Kubernetes and never recurse. Malformed input, or input above
 * limits.h, ends with an error that has a position.
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

/* The error that ended reading. */
struct doc_error {
	enum kube_code code;
	int line, col;
	char text[160];
};

/* Called for each document that is not empty. The tree is freed when it returns. */
typedef void doc_handler(const struct doc_node *root, void *arg);

/*
 * Reads all documents of a buffer: as JSON when the first byte that is not blank is { or [, and as
 * YAML, whose flow style looks the same, if its first document is not JSON. 0, or -EINVAL with
 * *ret_error filled, after the handler was called for the documents before the error.
 */
int doc_read(const char *data, size_t len, doc_handler *handler, void *arg,
	     struct doc_error *ret_error);

/* The value of a key, or NULL. map must be a DOC_MAP. */
struct doc_node *doc_get(const struct doc_node *map, const char *key);
/* 'the string "abc"', 'a list', for messages; long text is shortened. Writes to buf, returns it. */
const char *doc_describe(const struct doc_node *n, char *buf, size_t size);
/* The same for a DOC_STRING without the type: '"abc"'. */
const char *doc_quote(const struct doc_node *n, char *buf, size_t size);
