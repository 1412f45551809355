/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Builds a document tree from events: shared by the YAML and the JSON reader, the only files that
 * include this. Enforces the limits on depth and nodes, refuses duplicate keys, and merges <<
 * mappings (PARSE-9).
 */
#pragma once

#include <stdbool.h>

#include "kube/doc.h"

struct build_frame {
	struct doc_node *node;
	const char *anchor; /* YAML: set when the node is complete; or NULL */
	struct doc_pair *pairs; /* while a mapping is open */
	size_t n_pairs, cap_pairs;
	struct doc_node **items; /* while a list is open */
	size_t n_items, cap_items;
	const char *key; /* of the value that comes next; NULL: none pending */
	bool merge_key; /* the key is << */
	unsigned int rank; /* highest of the pairs so far */
	int key_line, key_col;
};

struct build {
	struct arena arena; /* of the current document */
	struct build_frame *stack;
	size_t depth, cap;
	size_t nodes, alias_nodes, merged_keys;
	struct doc_node *root; /* complete, or NULL */
	struct doc_error *error;
};

/* Functions that return int: 0, or -EINVAL with b->error filled. */
int build_fail(struct build *b, enum kube_code code, int line, int col, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* A new node; NULL with b->error filled when the document has too many. */
struct doc_node *build_node(struct build *b, enum doc_type type, int line, int col);
bool build_wants_key(const struct build *b);
int build_key(struct build *b, const char *key, bool merge, int line, int col);
/* A complete node becomes the pending key's value, the list's next item, or the root. */
int build_value(struct build *b, struct doc_node *n);
int build_open(struct build *b, enum doc_type type, int line, int col);
/* Ends the innermost mapping or list and adds it with build_value(). */
int build_close(struct build *b, struct doc_node **ret_node);
void build_reset(struct build *b); /* frees the document, keeps the stack */
void doc_build_free(struct build *b);

/* Sets type and number of a plain YAML scalar from its text. */
void doc_type_plain(struct doc_node *n);
/* The same for a JSON number. */
void doc_type_number(struct doc_node *n);

struct doc_input {
	const char *data;
	size_t len;
	doc_handler *handler;
	void *arg;
	size_t documents; /* given to the handler so far */
	size_t json_texts; /* keys and scalars that the JSON reader accepted; 0: not JSON */
};

int doc_read_yaml(struct doc_input *in, struct doc_error *ret_error);
int doc_read_json(struct doc_input *in, struct doc_error *ret_error);
