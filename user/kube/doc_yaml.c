// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One document from YAML: libyaml's events feed doc_build. An alias shares the node that it names
 * and takes no memory; but a walk of the tree visits it expanded, so the expanded size is bounded.
 * An anchor is known only when its node is complete, so trees have no cycles.
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
	const struct doc_part *part;
	size_t flow; /* open mappings and lists from the outermost in flow style on */
	size_t given; /* bytes of the part that the parser got */
	bool ended; /* the line break at the end was given too */
};

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define STAND_IN "\xe2\x81\xa0" /* U+2060, as long as the mark */
#define MERGE_TAG "tag:yaml.org,2002:merge"

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

static int line_of(const struct yaml_reader *y, const yaml_event_t *e)
{
	return (int)e->start_mark.line + y->part->line;
}

static int col_of(const yaml_event_t *e)
{
	return (int)e->start_mark.column + 1;
}

static bool is_merge_key(const yaml_event_t *e)
{
	const char *tag = (const char *)e->data.scalar.tag;

	return e->type == YAML_SCALAR_EVENT && !strcmp((const char *)e->data.scalar.value, "<<") &&
	       (e->data.scalar.plain_implicit || (tag && !strcmp(tag, MERGE_TAG)));
}

static int take_key(struct yaml_reader *y, const struct doc_node *n, bool merge)
{
	const char *key = doc_key_text(&y->build.arena, n);

	if (!key)
		return build_fail(&y->build, KUBE_E_SYNTAX, n->line, n->col,
				  n->type == DOC_NULL
					  ? "a key must not be empty or null"
					  : "number too large for a key: put it in quotes");
	return build_key(&y->build, key, merge, n->line, n->col);
}

static int take_value(struct yaml_reader *y, struct doc_node *n)
{
	if (doc_is_no_number(n))
		return build_fail(&y->build, KUBE_E_SYNTAX, n->line, n->col,
				  "Kubernetes has no number %.10s: put it in quotes if it is text",
				  n->text);
	return build_value(&y->build, n);
}

static int on_scalar(struct yaml_reader *y, const yaml_event_t *e)
{
	const char *tag = (const char *)e->data.scalar.tag;
	struct build *b = &y->build;
	struct doc_node *n;
	int r;

	n = build_node(b, DOC_STRING, line_of(y, e), col_of(e));
	if (!n)
		return -EINVAL;
	n->text = doc_text(&b->arena, (const char *)e->data.scalar.value, e->data.scalar.length);
	/* for kubectl it ends the text, and then something is missing */
	if (y->flow && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strchr(n->text, '?'))
		return build_fail(b, KUBE_E_SYNTAX, n->line, n->col,
				  "text with ? inside [] or {} must be in quotes");
	r = doc_resolve(b, n, tag, e->data.scalar.plain_implicit);
	if (r)
		return r;
	set_anchor(y, (const char *)e->data.scalar.anchor, n);
	return build_wants_key(b) ? take_key(y, n, is_merge_key(e)) : take_value(y, n);
}

static int on_alias(struct yaml_reader *y, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct build *b = &y->build;
	struct anchor *a;

	HASH_FIND_STR(y->anchors, name, a);
	if (!a || !a->node)
		return build_fail(b, KUBE_E_SYNTAX, line_of(y, e), col_of(e),
				  a ? "alias *%.60s is inside the value that it refers to"
				    : "alias *%.60s refers to no anchor before it",
				  name);
	b->alias_nodes += a->node->weight;
	if (b->alias_nodes > KUBE_ALIAS_NODES_MAX)
		return build_fail(b, KUBE_E_LIMIT, line_of(y, e), col_of(e),
				  "aliases expand to more than %zu nodes: write them out",
				  KUBE_ALIAS_NODES_MAX);
	if (!build_wants_key(b))
		return build_wants_merge(b) && a->node->type == DOC_LIST
			       ? build_fail(b, KUBE_E_SYNTAX, line_of(y, e), col_of(e),
					    "expected a mapping after <<, found an alias of a list")
			       : take_value(y, a->node);
	if (a->node->type == DOC_MAP || a->node->type == DOC_LIST)
		return build_fail(b, KUBE_E_SYNTAX, line_of(y, e), col_of(e),
				  "expected a string as the key, found an alias of a %s",
				  a->node->type == DOC_MAP ? "mapping" : "list");
	return take_key(y, a->node, false);
}

static int on_open(struct yaml_reader *y, const yaml_event_t *e, enum doc_type type,
		   const yaml_char_t *anchor, bool flow)
{
	struct build *b = &y->build;
	int r;

	if (build_wants_key(b))
		return build_fail(
			b, KUBE_E_SYNTAX, line_of(y, e), col_of(e),
			"expected a string as the key, found a %s: quote braces that are text",
			type == DOC_MAP ? "mapping" : "list");
	y->flow += flow || y->flow;
	r = build_open(b, type, line_of(y, e), col_of(e));
	if (!r && anchor) {
		b->stack[b->depth - 1].anchor = arena_strdup(&b->arena, (const char *)anchor);
		set_anchor(y, (const char *)anchor, NULL); /* not complete */
	}
	return r;
}

static int on_close(struct yaml_reader *y)
{
	const char *anchor = y->build.stack[y->build.depth - 1].anchor;
	struct doc_node *n = NULL;
	int r;

	y->flow -= y->flow > 0;
	r = build_close(&y->build, &n);
	if (!r)
		set_anchor(y, anchor, n);
	return r;
}

static int on_event(struct yaml_reader *y, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(y, e);
	case YAML_ALIAS_EVENT:
		return on_alias(y, e);
	case YAML_MAPPING_START_EVENT:
		return on_open(y, e, DOC_MAP, e->data.mapping_start.anchor,
			       e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(y, e, DOC_LIST, e->data.sequence_start.anchor,
			       e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		return on_close(y);
	default:
		return 0;
	}
}

/*
 * A byte order mark inside the text. libyaml skips it at the begin of a line, which then seems to
 * be indented; for kubectl it is a letter, which nothing that Weir uses may have: another one
 * stands in for it.
 */
static bool is_mark(const char *at, size_t len)
{
	return len >= strlen(BYTE_ORDER_MARK) &&
	       !memcmp(at, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK));
}

/* Gives the parser the part as kubectl does: CR LF as LF, and a line break at the end. */
static int give_text(void *arg, unsigned char *buf, size_t size, size_t *ret_len)
{
	struct yaml_reader *y = arg;
	const struct doc_part *p = y->part;
	size_t n = 0;

	for (; n + strlen(STAND_IN) <= size && y->given < p->len; y->given++) {
		const char *at = p->data + y->given;

		if (is_mark(at, p->len - y->given)) {
			memcpy(buf + n, STAND_IN, strlen(STAND_IN));
			n += strlen(STAND_IN);
			y->given += strlen(BYTE_ORDER_MARK) - 1;
		} else if (*at != '\r' || y->given + 1 == p->len || at[1] != '\n') {
			buf[n++] = *at;
		}
	}
	if (n < size && y->given == p->len && !y->ended) {
		y->ended = true;
		if (p->len && p->data[p->len - 1] != '\n')
			buf[n++] = '\n';
	}
	*ret_len = n;
	return 1;
}

static void warn_at(const struct yaml_reader *y, const yaml_mark_t *at)
{
	struct doc_error e = { .code = KUBE_E_SYNTAX,
			       .warning = true,
			       .line = (int)at->line + y->part->line,
			       .col = (int)at->column + 1 };

	snprintf(e.text, sizeof(e.text),
		 "not read, as by kubectl: a document begins after a line of its own with ---");
	y->in->report(&e, y->in->arg);
}

/* What follows the first document is no part of it, and kubectl does not even look at it. */
static void warn_of_rest(struct yaml_reader *y)
{
	yaml_event_t event;
	yaml_mark_t at;

	if (yaml_parser_parse(&y->parser, &event)) {
		bool end = event.type == YAML_STREAM_END_EVENT;

		at = event.start_mark;
		yaml_event_delete(&event);
		if (end)
			return;
	} else {
		at = y->parser.problem_mark;
	}
	warn_at(y, &at);
}

/* Reads the events of the first document. */
static int read_events(struct yaml_reader *y)
{
	yaml_event_t e;
	bool end = false, more = false;
	yaml_mark_t at = { 0 };
	int r = 0;

	while (!r && !end) {
		if (!yaml_parser_parse(&y->parser, &e)) {
			/* libyaml looks ahead farther than kubectl */
			if (y->build.root && !doc_is_next_token(&y->parser, y->part, &at)) {
				warn_at(y, &y->parser.problem_mark);
				return 0;
			}
			doc_explain_yaml(&y->parser, y->part, y->build.error);
			return -EINVAL;
		}
		at = e.end_mark;
		more = e.type == YAML_DOCUMENT_END_EVENT;
		end = more || e.type == YAML_STREAM_END_EVENT;
		r = on_event(y, &e);
		yaml_event_delete(&e);
	}
	if (!r && more)
		warn_of_rest(y);
	return r;
}

static int read_part(struct doc_input *in, const struct doc_part *part, struct doc_error *ret_error,
		     size_t *ret_apostrophe)
{
	struct yaml_reader y = { .in = in, .part = part, .build.error = ret_error };
	int r;

	if (!yaml_parser_initialize(&y.parser))
		return build_fail(&y.build, KUBE_E_LIMIT, part->line, 1,
				  "no memory for the YAML parser");
	yaml_parser_set_input(&y.parser, give_text, &y);
	yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
	r = read_events(&y);
	if (!r && y.build.root && y.build.root->type != DOC_NULL) {
		in->documents++;
		in->handler(y.build.root, in->arg);
	}
	*ret_apostrophe = r ? doc_find_apostrophe(&y.parser, part) : 0;
	yaml_parser_delete(&y.parser);
	forget_anchors(&y);
	doc_build_free(&y.build);
	return r;
}

/* It may have NUL bytes. */
static char *copy_text(const struct doc_part *text)
{
	char *copy = mem_zalloc(text->len + 1);

	memcpy(copy, text->data, text->len);
	return copy;
}

/* Removes the backslashes of escaped apostrophes, from at to the end of the string around it. */
static void unescape_apostrophes(char *text, size_t *len, size_t at)
{
	size_t to = at, from = at;

	while (from < *len && text[from] != '"') {
		if (text[from] == '\\' && from + 1 < *len) {
			if (text[from + 1] != '\'')
				text[to++] = '\\';
			from++;
		}
		text[to++] = text[from++];
	}
	memmove(text + to, text + from, *len - from);
	*len -= from - to;
}

static void too_many_apostrophes(struct doc_error *e)
{
	e->code = KUBE_E_LIMIT;
	snprintf(e->text, sizeof(e->text),
		 "too many strings with \\' for a document of this size: write ' alone");
}

/*
 * A byte order mark may begin each document. libyaml does not know the escape of an apostrophe: the
 * backslashes are removed from that string, and the document is read again.
 */
int doc_read_yaml(struct doc_input *in, const struct doc_part *part, struct doc_error *ret_error)
{
	_cleanup_(mem_free) char *copy = NULL;
	struct doc_part text = *part;
	size_t at = 0;
	int r;

	if (is_mark(text.data, text.len)) {
		text.data += strlen(BYTE_ORDER_MARK);
		text.len -= strlen(BYTE_ORDER_MARK);
	}
	r = read_part(in, &text, ret_error, &at);
	for (size_t again = 0; r && at && again <= KUBE_READ_AGAIN_MAX; again += text.len) {
		if (!copy)
			text.data = copy = copy_text(&text);
		unescape_apostrophes(copy, &text.len, at);
		r = read_part(in, &text, ret_error, &at);
	}
	if (r && at)
		too_many_apostrophes(ret_error);
	return r;
}
