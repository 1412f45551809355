/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One document of YAML or JSON as a tree of mappings, lists and scalars, each with the place where
 * it was written. Scalars are typed as Kubernetes' own YAML reader types them (doc_scalar.c).
 * Aliases share the node they name.
 *
 * The readers know nothing of Kubernetes, never recurse, and end with an error that has a position
 * on anything that is malformed or larger than limits.h.
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
	unsigned int weight; /* nodes from here down, aliases expanded */
	union {
		struct {
			const char *text; /* as written, without quotes; no NUL inside */
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
	/* while the mapping is read: of pairs with one key the highest rank counts */
	unsigned int rank;
	bool merged; /* by <<, not written here */
};

/* What ended a document early. */
struct doc_error {
	enum kube_code code;
	int line, col;
	char text[160];
};

/* Called for each complete document that is not empty; the tree lives until it returns. */
typedef void doc_handler(const struct doc_node *root, void *arg);

/*
 * Reads all documents of a buffer. JSON when the first byte that is not blank is { or [, but what
 * then is no JSON from its first document on is read as YAML, whose flow style looks alike. 0, or
 * -EINVAL with *ret_error filled; documents before the error have been handed over.
 */
int doc_read(const char *data, size_t len, doc_handler *handler, void *arg,
	     struct doc_error *ret_error);

/* The value of a key, or NULL. map must be a DOC_MAP. */
struct doc_node *doc_get(const struct doc_node *map, const char *key);
/*
 * "the string "abc"", "a list", for error texts; long text is shortened. Writes to buf, returns it.
 */
const char *doc_describe(const struct doc_node *n, char *buf, size_t size);
