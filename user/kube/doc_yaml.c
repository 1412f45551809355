// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Documents from YAML: libyaml's events feed doc_build. An alias shares the node that it names and
 * takes no memory; but a walk of the tree visits it expanded, so the expanded size is bounded. An
 * anchor is known only when its node is complete, so trees have no cycles.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <yaml.h>

#include "kube/doc_build.h"
#include "kube/limits.h"

struct anchor {
	UT_hash_handle hh;
	struct doc_node *node;
	char name[];
};

struct yaml_reader {
	yaml_parser_t parser;
	struct build build;
	struct anchor *anchors;
	struct doc_input *in;
};

#define TAG "tag:yaml.org,2002:"

static void forget_anchors(struct yaml_reader *y)
{
	struct anchor *a, *next;

	HASH_ITER(hh, y->anchors, a, next) {
		HASH_DEL(y->anchors, a);
		free(a);
	}
}

/* A later anchor of the same name replaces the earlier one (YAML 1.1, 3.2.2.2). */
static void set_anchor(struct yaml_reader *y, const char *name, struct doc_node *n)
{
	struct anchor *a;

	if (!name)
		return;
	HASH_FIND_STR(y->anchors, name, a);
	if (!a) {
		a = mem_zalloc(sizeof(*a) + strlen(name) + 1);
		strcpy(a->name, name);
		HASH_ADD_STR(y->anchors, name, a);
	}
	a->node = n;
}

static int line_of(const yaml_event_t *e)
{
	return (int)e->start_mark.line + 1;
}

static int col_of(const yaml_event_t *e)
{
	return (int)e->start_mark.column + 1;
}

/* Types the scalar. Tags: those of JSON's types, which the text must fit, str, merge and "!". */
static int type_scalar(struct yaml_reader *y, const yaml_event_t *e, struct doc_node *n)
{
	const char *tag = (const char *)e->data.scalar.tag;
	enum doc_type want;

	n->type = DOC_STRING;
	if (!tag && e->data.scalar.plain_implicit)
		doc_type_plain(n);
	if (!tag || !strcmp(tag, "!") || !strcmp(tag, TAG "str") || !strcmp(tag, TAG "merge"))
		return 0;
	if (!strcmp(tag, TAG "int"))
		want = DOC_INT;
	else if (!strcmp(tag, TAG "bool"))
		want = DOC_BOOL;
	else if (!strcmp(tag, TAG "float"))
		want = DOC_FLOAT;
	else if (!strcmp(tag, TAG "null"))
		want = DOC_NULL;
	else
		return build_fail(&y->build, KUBE_E_SYNTAX, n->line, n->col,
				  "tag \"%.60s\" is not supported", tag);
	doc_type_plain(n);
	if (n->type != want && !(want == DOC_FLOAT && n->type == DOC_INT))
		return build_fail(&y->build, KUBE_E_SYNTAX, n->line, n->col,
				  "expected a value for tag !!%s, found \"%.40s\"",
				  tag + strlen(TAG), n->text);
	return 0;
}

static bool is_merge_key(const yaml_event_t *e)
{
	const char *tag = (const char *)e->data.scalar.tag;

	return e->type == YAML_SCALAR_EVENT && !strcmp((const char *)e->data.scalar.value, "<<") &&
	       (e->data.scalar.plain_implicit || (tag && !strcmp(tag, TAG "merge")));
}

/* Kubernetes turns keys that are numbers or booleans into strings. */
static int take_key(struct yaml_reader *y, const yaml_event_t *e, const struct doc_node *n)
{
	struct build *b = &y->build;
	const char *key = n->text;
	bool merge = e && is_merge_key(e);

	if (n->type == DOC_NULL)
		return build_fail(b, KUBE_E_SYNTAX, n->line, n->col,
				  "a key must not be empty or null");
	if (n->type == DOC_BOOL)
		key = n->number ? "true" : "false";
	else if (n->type == DOC_INT)
		key = arena_printf(&b->arena, "%lld", (long long)n->number);
	return build_key(b, key, merge, n->line, n->col);
}

static int on_scalar(struct yaml_reader *y, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct build *b = &y->build;
	struct doc_node *n;
	int r;

	n = build_node(b, DOC_STRING, line_of(e), col_of(e));
	if (!n)
		return -EINVAL;
	if (memchr(text, 0, len))
		return build_fail(b, KUBE_E_SYNTAX, n->line, n->col,
				  "a string must not contain the character NUL");
	n->text = arena_strndup(&b->arena, text, len);
	r = type_scalar(y, e, n);
	if (r)
		return r;
	set_anchor(y, (const char *)e->data.scalar.anchor, n);
	return build_wants_key(b) ? take_key(y, e, n) : build_value(b, n);
}

static int on_alias(struct yaml_reader *y, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct build *b = &y->build;
	struct anchor *a;

	HASH_FIND_STR(y->anchors, name, a);
	if (!a)
		return build_fail(b, KUBE_E_SYNTAX, line_of(e), col_of(e),
				  "alias *%.60s refers to no anchor before it", name);
	b->alias_nodes += a->node->weight;
	if (b->alias_nodes > KUBE_ALIAS_NODES_MAX)
		return build_fail(b, KUBE_E_LIMIT, line_of(e), col_of(e),
				  "aliases expand to more than %zu nodes: write them out",
				  KUBE_ALIAS_NODES_MAX);
	if (!build_wants_key(b))
		return build_value(b, a->node);
	if (a->node->type == DOC_MAP || a->node->type == DOC_LIST)
		return build_fail(b, KUBE_E_SYNTAX, line_of(e), col_of(e),
				  "expected a string as the key, found an alias of a %s",
				  a->node->type == DOC_MAP ? "mapping" : "list");
	return take_key(y, NULL, a->node);
}

static int on_open(struct yaml_reader *y, const yaml_event_t *e, enum doc_type type,
		   const yaml_char_t *anchor)
{
	struct build *b = &y->build;
	int r;

	if (build_wants_key(b))
		return build_fail(
			b, KUBE_E_SYNTAX, line_of(e), col_of(e),
			"expected a string as the key, found a %s: quote braces that are text",
			type == DOC_MAP ? "mapping" : "list");
	r = build_open(b, type, line_of(e), col_of(e));
	if (!r && anchor)
		b->stack[b->depth - 1].anchor = arena_strdup(&b->arena, (const char *)anchor);
	return r;
}

static int on_close(struct yaml_reader *y)
{
	const char *anchor = y->build.stack[y->build.depth - 1].anchor;
	struct doc_node *n = NULL;
	int r;

	r = build_close(&y->build, &n);
	if (!r)
		set_anchor(y, anchor, n);
	return r;
}

static void on_document_end(struct yaml_reader *y)
{
	if (y->build.root && y->build.root->type != DOC_NULL) {
		y->in->documents++;
		y->in->handler(y->build.root, y->in->arg);
	}
	forget_anchors(y);
	build_reset(&y->build);
}

static int on_event(struct yaml_reader *y, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(y, e);
	case YAML_ALIAS_EVENT:
		return on_alias(y, e);
	case YAML_MAPPING_START_EVENT:
		return on_open(y, e, DOC_MAP, e->data.mapping_start.anchor);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(y, e, DOC_LIST, e->data.sequence_start.anchor);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return on_close(y);
	case YAML_DOCUMENT_END_EVENT:
		on_document_end(y);
		return 0;
	default:
		return 0;
	}
}

/* Errors of the encoding have a byte offset, all others a mark. */
static int syntax_error(struct yaml_reader *y)
{
	const yaml_parser_t *p = &y->parser;
	const char *problem = p->problem ? p->problem : "not YAML";
	int line = (int)p->problem_mark.line + 1, col = (int)p->problem_mark.column + 1;

	if (p->error == YAML_READER_ERROR) {
		line = col = 1;
		for (size_t i = 0; i < p->problem_offset && i < y->in->len; i++) {
			bool newline = y->in->data[i] == '\n';

			line += newline;
			col = newline ? 1 : col + (((unsigned char)y->in->data[i] & 0xc0) != 0x80);
		}
	}
	return build_fail(&y->build, KUBE_E_SYNTAX, line, col, "%s%s%s",
			  p->context ? p->context : "", p->context ? ", " : "", problem);
}

static int read_events(struct yaml_reader *y)
{
	yaml_event_t e;
	bool end = false;
	int r = 0;

	while (!r && !end) {
		if (!yaml_parser_parse(&y->parser, &e))
			return syntax_error(y);
		end = e.type == YAML_STREAM_END_EVENT;
		r = on_event(y, &e);
		yaml_event_delete(&e);
	}
	return r;
}

int doc_read_yaml(struct doc_input *in, struct doc_error *ret_error)
{
	struct yaml_reader y = { .in = in, .build.error = ret_error };
	int r;

	if (!yaml_parser_initialize(&y.parser))
		return build_fail(&y.build, KUBE_E_LIMIT, 1, 1, "no memory for the YAML parser");
	yaml_parser_set_input_string(&y.parser, (const unsigned char *)in->data, in->len);
	yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
	r = read_events(&y);
	yaml_parser_delete(&y.parser);
	forget_anchors(&y);
	doc_build_free(&y.build);
	return r;
}
