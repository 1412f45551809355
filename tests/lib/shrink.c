/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Shrinks manifests. See shrink.h. The documents become one tree whose parts can be hidden; the
 * visible parts are written as YAML and tried. From the top down, the parts of each mapping and
 * list are hidden in blocks, the largest first, until a whole round over the tree hides nothing.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "kube/doc.h"
#include "lib/shrink.h"

struct part {
	enum doc_type type;
	const char *key; /* in a mapping; else NULL */
	const char *text; /* of a scalar */
	struct part **parts;
	size_t n, cap;
	bool hidden;
};

struct shrink {
	struct arena arena;
	struct part root; /* a list of the documents */
	shrink_question *shows;
	void *ctx;
	unsigned int tries, max_tries, removed;
};

/* ---- Reading ---- */

static struct part *add_part(struct shrink *s, struct part *up, const char *key,
			     const struct doc_node *node)
{
	struct part *p = arena_zalloc(&s->arena, sizeof(*p));

	p->type = node->type;
	p->key = key ? arena_strdup(&s->arena, key) : NULL;
	if (node->type == DOC_MAP) {
		for (size_t i = 0; i < node->n_pairs; i++)
			add_part(s, p, node->pairs[i].key, node->pairs[i].value);
	} else if (node->type == DOC_LIST) {
		for (size_t i = 0; i < node->n_items; i++)
			add_part(s, p, NULL, node->items[i]);
	} else {
		p->text = arena_strdup(&s->arena, node->text ? node->text : "");
	}
	*VEC_ADD(up->parts, up->n, up->cap) = p;
	return p;
}

static void on_document(const struct doc_node *root, void *arg)
{
	struct shrink *s = arg;
	const struct doc_node *kind = root->type == DOC_MAP ? doc_get(root, "kind") : NULL;
	const struct doc_node *items = kind ? doc_get(root, "items") : NULL;

	if (!items || items->type != DOC_LIST || kind->type != DOC_STRING ||
	    strcmp(kind->text, "List")) {
		add_part(s, &s->root, NULL, root);
		return;
	}
	for (size_t i = 0; i < items->n_items; i++)
		add_part(s, &s->root, NULL, items->items[i]);
}

static void ignore_error(const struct doc_error *e, void *arg)
{
}

static void free_parts(struct part *p)
{
	for (size_t i = 0; i < p->n; i++)
		free_parts(p->parts[i]);
	free(p->parts);
}

/* ---- Writing ---- */

static bool is_plain(const char *text)
{
	static const char *const words[] = { "y",   "n",    "yes",   "no",  "on",
					     "off", "true", "false", "null" };

	if (!isalpha((unsigned char)*text))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(text, words[i]))
			return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_./", *text))
			return false;
	return true;
}

static void write_string(const char *text, FILE *out)
{
	if (is_plain(text)) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			putc(*text, out);
	}
	putc('"', out);
}

static size_t visible(const struct part *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += !p->parts[i]->hidden;
	return n;
}

/*
 * Writes what follows "key:" or "-", and ends the line. first: the first key of a mapping goes on
 * this line.
 */
static void write_part(const struct part *p, int indent, bool first, FILE *out)
{
	bool list = p->type == DOC_LIST;

	if (!list && p->type != DOC_MAP) {
		putc(' ', out);
		if (p->type == DOC_STRING)
			write_string(p->text, out);
		else
			fputs(p->type == DOC_NULL ? "null" : p->text, out);
		putc('\n', out);
		return;
	}
	if (!visible(p)) {
		fputs(list ? " []\n" : " {}\n", out);
		return;
	}
	if (!first)
		putc('\n', out);
	for (size_t i = 0; i < p->n; i++) {
		const struct part *child = p->parts[i];

		if (child->hidden)
			continue;
		fprintf(out, "%*s", first ? 1 : indent, first ? " " : "");
		first = false;
		if (list)
			putc('-', out);
		else
			write_string(child->key, out), putc(':', out);
		write_part(child, list || child->type != DOC_LIST ? indent + 2 : indent, list, out);
	}
}

static char *write_all(const struct shrink *s, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	for (size_t i = 0; i < s->root.n; i++) {
		if (s->root.parts[i]->hidden)
			continue;
		fputs("---", out);
		write_part(s->root.parts[i], 0, false, out);
	}
	fclose(out);
	return text;
}

/* ---- Hiding ---- */

static bool still_shows(struct shrink *s)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t len;

	if (s->tries >= s->max_tries)
		return false;
	s->tries++;
	text = write_all(s, &len);
	return s->shows(s->ctx, text, len);
}

/* The indexes of the visible parts, in order. */
static size_t list_visible(const struct part *p, size_t *indexes)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!p->parts[i]->hidden)
			indexes[n++] = i;
	return n;
}

static void hide(struct part *p, const size_t *indexes, size_t n, bool hidden)
{
	for (size_t i = 0; i < n; i++)
		p->parts[indexes[i]]->hidden = hidden;
}

/* From the end: parts mostly refer to earlier ones. */
static void thin_out(struct shrink *s, struct part *p)
{
	_cleanup_(mem_free) size_t *indexes = mem_zalloc((p->n + 1) * sizeof(*indexes));

	for (size_t block = visible(p); block; block /= 2) {
		size_t n = list_visible(p, indexes);

		for (size_t end = n; end;) {
			size_t begin = end > block ? end - block : 0;

			hide(p, indexes + begin, end - begin, true);
			if (still_shows(s))
				s->removed += end - begin;
			else
				hide(p, indexes + begin, end - begin, false);
			end = begin;
		}
	}
}

static void shrink_part(struct shrink *s, struct part *p)
{
	thin_out(s, p);
	for (size_t i = 0; i < p->n; i++)
		if (!p->parts[i]->hidden)
			shrink_part(s, p->parts[i]);
}

bool shrink_manifests(const char *text, size_t len, shrink_question *shows, void *ctx,
		      unsigned int max_tries, struct shrink_result *ret_result)
{
	struct shrink s = {
		.root.type = DOC_LIST, .shows = shows, .ctx = ctx, .max_tries = max_tries
	};
	bool known = !doc_read(text, len, on_document, ignore_error, &s) && still_shows(&s);
	unsigned int before;

	do {
		before = s.removed;
		if (known)
			shrink_part(&s, &s.root);
	} while (s.removed != before);
	if (known) {
		*ret_result = (struct shrink_result){ .tries = s.tries,
						      .removed = s.removed,
						      .minimal = s.tries < s.max_tries };
		ret_result->text = write_all(&s, &ret_result->len);
	}
	free_parts(&s.root);
	arena_free(&s.arena);
	return known;
}
