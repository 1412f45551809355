// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See doc_build.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/doc_build.h"
#include "kube/limits.h"

int build_fail(struct build *b, enum kube_code code, int line, int col, const char *fmt, ...)
{
	va_list ap;

	b->error->code = code;
	b->error->line = line;
	b->error->col = col;
	va_start(ap, fmt);
	vsnprintf(b->error->text, sizeof(b->error->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

struct doc_node *build_node(struct build *b, enum doc_type type, int line, int col)
{
	struct doc_node *n;

	if (++b->nodes > KUBE_NODES_MAX) {
		build_fail(b, KUBE_E_LIMIT, line, col,
			   "the document has more than %zu nodes: split it", KUBE_NODES_MAX);
		return NULL;
	}
	n = arena_zalloc(&b->arena, sizeof(*n));
	n->type = type;
	n->line = line;
	n->col = col;
	n->weight = 1;
	return n;
}

static struct build_frame *top(const struct build *b)
{
	return b->depth ? &b->stack[b->depth - 1] : NULL;
}

bool build_wants_key(const struct build *b)
{
	struct build_frame *f = top(b);

	return f && f->node->type == DOC_MAP && !f->key;
}

bool build_wants_merge(const struct build *b)
{
	struct build_frame *f = top(b);

	return f && f->node->type == DOC_MAP && f->key && f->merge_key;
}

int build_key(struct build *b, const char *key, bool merge, int line, int col)
{
	struct build_frame *f = top(b);

	f->key = key;
	f->merge_key = merge;
	f->key_line = line;
	f->key_col = col;
	return 0;
}

static int add_merged(struct build *b, struct build_frame *f, const struct doc_node *from)
{
	if (from->type != DOC_MAP)
		return build_fail(b, KUBE_E_SYNTAX, f->key_line, f->key_col,
				  "expected a mapping or a list of mappings after <<");
	b->merged_keys += from->n_pairs;
	if (b->merged_keys > KUBE_MERGED_KEYS_MAX)
		return build_fail(b, KUBE_E_LIMIT, f->key_line, f->key_col,
				  "<< merges more than %zu keys: write them out",
				  KUBE_MERGED_KEYS_MAX);
	f->rank++;
	for (size_t i = 0; i < from->n_pairs; i++) {
		struct doc_pair *p = VEC_ADD(f->pairs, f->n_pairs, f->cap_pairs);

		*p = from->pairs[i];
		p->rank = f->rank;
		p->merged = true;
	}
	return 0;
}

/* Of a list, the first mapping wins: it is added last. */
static int add_merge(struct build *b, struct build_frame *f, const struct doc_node *n)
{
	int r = 0;

	if (n->type != DOC_LIST)
		return add_merged(b, f, n);
	for (size_t i = n->n_items; !r && i > 0; i--)
		r = add_merged(b, f, n->items[i - 1]);
	return r;
}

int build_value(struct build *b, struct doc_node *n)
{
	struct build_frame *f = top(b);
	int r = 0;

	if (!f) {
		b->root = n;
		return 0;
	}
	f->node->weight += n->weight;
	if (f->node->type == DOC_LIST) {
		*VEC_ADD(f->items, f->n_items, f->cap_items) = n;
		return 0;
	}
	if (f->merge_key)
		r = add_merge(b, f, n);
	else
		*VEC_ADD(f->pairs, f->n_pairs, f->cap_pairs) =
			(struct doc_pair){ .key = f->key,
					   .value = n,
					   .line = f->key_line,
					   .col = f->key_col,
					   .rank = ++f->rank };
	f->key = NULL;
	return r;
}

int build_open(struct build *b, enum doc_type type, int line, int col)
{
	struct doc_node *n = build_node(b, type, line, col);
	struct build_frame *f;

	if (!n)
		return -EINVAL;
	if (b->depth == KUBE_DEPTH_MAX)
		return build_fail(b, KUBE_E_LIMIT, line, col, "nested deeper than %d levels",
				  KUBE_DEPTH_MAX);
	if (b->depth == b->cap)
		b->stack = mem_grow(b->stack, &b->cap, b->depth + 1, sizeof(*b->stack));
	f = &b->stack[b->depth++];
	f->node = n;
	f->anchor = NULL;
	f->key = NULL;
	f->rank = 0;
	f->n_pairs = f->n_items = 0;
	return 0;
}

/* By key; of equal keys the winner comes last. */
static int by_key(const void *a, const void *b)
{
	const struct doc_pair *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static int close_map(struct build *b, struct build_frame *f)
{
	const struct doc_pair *written = NULL; /* the last one not copied by << */
	struct doc_pair *kept;
	size_t n = 0;

	if (f->n_pairs > 1)
		qsort(f->pairs, f->n_pairs, sizeof(*f->pairs), by_key);
	kept = arena_zalloc(&b->arena, f->n_pairs * sizeof(*kept));
	for (size_t i = 0; i < f->n_pairs; i++) {
		const struct doc_pair *p = &f->pairs[i];

		if (!p->merged && written && !strcmp(written->key, p->key))
			return build_fail(
				b, KUBE_E_DUPLICATE_KEY, p->line, p->col,
				"key \"%.60s\" is given twice, first at line %d: remove one",
				p->key, written->line);
		if (!p->merged)
			written = p;
		if (!n || strcmp(kept[n - 1].key, p->key))
			n++;
		kept[n - 1] = *p;
	}
	f->node->pairs = kept;
	f->node->n_pairs = n;
	return 0;
}

static void close_list(struct build *b, struct build_frame *f)
{
	f->node->items = arena_zalloc(&b->arena, f->n_items * sizeof(*f->items));
	if (f->n_items)
		memcpy(f->node->items, f->items, f->n_items * sizeof(*f->items));
	f->node->n_items = f->n_items;
}

int build_close(struct build *b, struct doc_node **ret_node)
{
	struct build_frame *f = top(b);
	struct doc_node *n = f->node;
	int r = 0;

	if (n->type == DOC_MAP)
		r = close_map(b, f);
	else
		close_list(b, f);
	if (r)
		return r;
	b->depth--;
	*ret_node = n;
	return build_value(b, n);
}

void build_reset(struct build *b)
{
	arena_free(&b->arena);
	b->depth = 0;
	b->nodes = b->alias_nodes = b->merged_keys = 0;
	b->root = NULL;
}

void doc_build_free(struct build *b)
{
	build_reset(b);
	for (size_t i = 0; i < b->cap; i++) {
		free(b->stack[i].pairs);
		free(b->stack[i].items);
	}
	free(b->stack);
	b->stack = NULL;
}
