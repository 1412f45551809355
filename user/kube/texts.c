// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The texts that a store was read from, kept and written out again, so that an
 * equal store, with the same positions, can be made where the files are not.
 * See store.h. A document without an object that Weir reads is not written: no
 * Secret that stands beside the policies is copied.
 */
#include <stdlib.h>
#include <string.h>

#include "kube/store_private.h"

void store_keep_text(struct store *s, const char *data, size_t len)
{
	struct store_private *p = s->priv;

	if (p->cap_texts < p->n_files)
		p->texts = mem_grow(p->texts, &p->cap_texts, p->n_files, sizeof(*p->texts));
	p->texts[p->n_files - 1] = mem_strndup(data, len);
}

/* ---- Which documents ---- */

struct lines {
	int *items; /* where objects stand, ascending */
	size_t n, cap;
};

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Objects that were implied or made have no position of their own: those of workloads stand at the template. */
static void collect_lines(struct store *s, const char *file, struct lines *l)
{
	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		struct store_array a = store_array(s, kind);

		for (size_t i = 0; i < *a.n; i++)
			if ((*a.items)[i]->src.file == file)
				*VEC_ADD(l->items, l->n, l->cap) = (*a.items)[i]->src.line;
	}
	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), by_number);
}

/* YAML allows it at the first column only between documents, even within a block of text. */
static bool is_separator(const char *line)
{
	return !strncmp(line, "---", 3) && strchr(" \t\r\n", line[3]);
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

/* One document, from line number at on: as it is, or as empty lines, so that what follows keeps its place. */
static const char *write_document(const char *text, int *at, const struct lines *l, size_t *next, FILE *out)
{
	const char *end = text;
	bool keep;
	int first = *at;

	do {
		end = next_line(end);
		++*at;
	} while (*end && !is_separator(end));
	keep = *next < l->n && l->items[*next] < *at;
	while (*next < l->n && l->items[*next] < *at)
		++*next;
	if (keep) {
		fwrite(text, 1, end - text, out);
		return end;
	}
	if (is_separator(text))
		fputs("---", out);
	for (int i = first; i < *at; i++)
		fputc('\n', out);
	return end;
}

static char *wanted_documents(const char *text, const struct lines *l)
{
	char *result = NULL;
	size_t size, next = 0;
	FILE *out = open_memstream(&result, &size);
	int at = 1;

	while (*text)
		text = write_document(text, &at, l, &next, out);
	fclose(out);
	return result;
}

void store_emit_texts(struct store *s, struct emit *e)
{
	const struct store_private *p = s->priv;

	emit_array(e, "files");
	for (size_t i = 0; i < p->n_files && i < p->cap_texts; i++) {
		_cleanup_(mem_free) char *text = NULL;
		struct lines l = {};

		if (!p->texts[i])
			continue;
		collect_lines(s, p->files[i], &l);
		if (l.n) {
			text = wanted_documents(p->texts[i], &l);
			emit_map(e, NULL);
			emit_text(e, "name", p->files[i]);
			emit_text(e, "text", text);
			emit_map_end(e);
		}
		free(l.items);
	}
	emit_array_end(e);
}
