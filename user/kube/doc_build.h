/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Builds a document tree from events: shared by the YAML and the JSON reader, the only files that
 * include this. Enforces the limits on depth and nodes, refuses duplicate keys, and merges <<
 * mappings (PARSE-9).
 */
#pragma once

#include <stdbool.h>

#include "kube/doc.h"

struct yaml_mark_s;
struct yaml_parser_s;

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
bool build_wants_merge(const struct build *b); /* the value that comes next is that of << */
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
/* The same for a JSON number; false: larger than Kubernetes reads. */
bool doc_type_number(struct doc_node *n);
/* .inf and .nan: JSON, into which Kubernetes converts YAML, has no such numbers. */
bool doc_is_no_number(const struct doc_node *n);
/* false: not written as a float, but as an integer. */
bool doc_float_value(const struct doc_node *n, double *ret_value);
/* A key as the string that Kubernetes makes of it; NULL: of this type it makes none. */
const char *doc_key_text(struct arena *a, const struct doc_node *n);
/*
 * Sets the type of a YAML scalar by its tag, or NULL, as Kubernetes does: the text must fit the
 * tags of JSON's types, !!binary is decoded, and other tags make it a string (PARSE-9). plain:
 * neither quoted nor tagged.
 */
int doc_resolve(struct build *b, struct doc_node *n, const char *tag, bool plain);

/* ---- Text ---- */

/*
 * A string of the document. NUL becomes U+FFFD, as bytes do that are not UTF-8: no field that Weir
 * reads may have either.
 */
const char *doc_text(struct arena *a, const char *data, size_t len);
/* Whether the first byte that is not blank is {. */
bool doc_looks_like_json(const char *data, size_t len);
/* Bytes of the blank, of any kind of Unicode, at data; 0: none. */
size_t doc_blank_len(const char *data, size_t len);

/* ---- Documents ---- */

/* A text, and where it is in the file. */
struct doc_part {
	const char *data;
	size_t len;
	int line; /* of its first byte */
};

/* All of a reading that does not belong to one document. */
struct doc_input {
	doc_handler *handler;
	doc_report *report;
	void *arg;
	size_t documents; /* given to the handler so far */
	size_t errors; /* reported so far */
};

/* One document, without its separator. */
int doc_read_yaml(struct doc_input *in, const struct doc_part *part, struct doc_error *ret_error);
/* How far a text was read as JSON. */
struct doc_json {
	size_t values; /* that are complete */
	size_t texts; /* keys and scalars: 0 means that it does not even begin as JSON */
	struct doc_part rest; /* after the last complete value */
};

/* Values up to the end or the first error. */
int doc_read_json(struct doc_input *in, const struct doc_part *part, struct doc_json *ret_read,
		  struct doc_error *ret_error);
/*
 * Whether the parser failed at the first token after end, rather than farther on, where libyaml
 * looks ahead.
 */
bool doc_is_next_token(const struct yaml_parser_s *parser, const struct doc_part *part,
		       const struct yaml_mark_s *end);
/* Offset of the escape \' at which the parser failed; 0: it failed for another reason. */
size_t doc_find_apostrophe(const struct yaml_parser_s *parser, const struct doc_part *part);
/* Fills an error from libyaml's parser, in words of our own. */
void doc_explain_yaml(const struct yaml_parser_s *parser, const struct doc_part *part,
		      struct doc_error *ret_error);
