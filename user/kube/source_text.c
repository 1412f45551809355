// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Keeps the texts that a store was read from and writes them out again, so that an equal store with
 * the same positions can be made without the files. See store.h. A document without an object that
 * Weir reads is not written, so no Secret beside the policies is copied. A document with both (a
 * List) cannot be split: if one holds a Secret, nothing is kept; objects of other kinds are written
 * with it.
 */
#include <stdlib.h>
#include <string.h>

#include "kube/doc.h"
#include "kube/limits.h"
#include "kube/store_private.h"

#define SECRET_WITHIN "a Secret is in one document with objects that Weir reads (a List?)"
#define TOO_LARGE "the files together are larger than 32 MiB"
#define OTHER_LINES "a file has NUL bytes, or line breaks other than LF and CR LF"

_Static_assert(KUBE_KEPT_TEXT_MAX == (size_t)32 << 20, "TOO_LARGE names the limit");

/*
 * Documents are found by lines, so both sides must agree on line breaks. The YAML reader also
 * breaks lines at a lone CR, U+0085, U+2028 and U+2029. NUL bytes: UTF-16.
 */
static bool has_plain_lines(const char *data, size_t len)
{
	const unsigned char *at = (const unsigned char *)data, *end = at + len;

	for (; at < end; at++) {
		size_t left = end - at;

		if (!*at || (*at == '\r' && (left < 2 || at[1] != '\n')))
			return false;
		if (*at == 0xc2 && left > 1 && at[1] == 0x85)
			return false;
		if (*at == 0xe2 && left > 2 && at[1] == 0x80 && (at[2] | 1) == 0xa9)
			return false;
	}
	return true;
}

static void keep_text(struct store_private *p, const char *data, size_t len)
{
	if (len > KUBE_KEPT_TEXT_MAX - p->texts_len)
		p->texts_refused = TOO_LARGE;
	else if (!has_plain_lines(data, len))
		p->texts_refused = OTHER_LINES;
	if (p->texts_refused)
		return;
	p->texts_len += len;
	if (p->cap_texts < p->n_files)
		p->texts = mem_grow(p->texts, &p->cap_texts, p->n_files, sizeof(*p->texts));
	p->texts[p->n_files - 1] = mem_strndup(data, len);
}

void store_keep_source_text(struct store *s, const char *data, size_t len)
{
	char *copy = doc_decode_text(&data, &len);

	keep_text(s->priv, data, len);
	free(copy);
}

/* ---- Which documents ---- */

struct lines {
	int *items; /* line numbers of objects, ascending */
	size_t n, cap;
	size_t next; /* index of the first one that is not passed yet */
};

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void sort_lines(struct lines *l)
{
	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), by_number);
}

/* Implied objects have no position; pods that were made have the template's. */
static void collect_objects(struct store *s, const char *file, struct lines *l)
{
	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		struct store_array a = store_array(s, kind);

		for (size_t i = 0; i < *a.n; i++)
			if ((*a.items)[i]->src.file == file)
				*VEC_ADD(l->items, l->n, l->cap) = (*a.items)[i]->src.line;
	}
	sort_lines(l);
}

static void collect_secrets(const struct store_private *p, const char *file, struct lines *l)
{
	for (size_t i = 0; i < p->n_secrets; i++)
		if (p->secrets[i].file == file)
			*VEC_ADD(l->items, l->n, l->cap) = p->secrets[i].line;
	sort_lines(l);
}

static bool is_separator(const char *line)
{
	return doc_line_kind(line, strcspn(line, "\n")) == DOC_LINE_SEPARATOR;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

/* One file that is written. */
struct writing {
	struct store_private *p;
	const char *file;
	struct lines objects, secrets;
	FILE *out;
};

/* Passes the lines before end; returns whether there was one. */
static bool pass_lines(struct lines *l, int end)
{
	size_t before = l->next;

	while (l->next < l->n && l->items[l->next] < end)
		l->next++;
	return l->next > before;
}

/*
 * One document, from line *at on: as it is, or as empty lines, so that later lines keep their
 * number.
 */
static const char *write_document(struct writing *w, const char *text, int *at)
{
	const char *end = text;
	bool keep, secret;
	int first = *at;

	do {
		end = next_line(end);
		++*at;
	} while (*end && !is_separator(end));
	keep = pass_lines(&w->objects, *at);
	secret = pass_lines(&w->secrets, *at);
	if (keep) {
		if (secret)
			w->p->texts_refused = SECRET_WITHIN;
		fwrite(text, 1, end - text, w->out);
		return end;
	}
	if (is_separator(text))
		fputs("---", w->out);
	for (int i = first; i < *at; i++)
		fputc('\n', w->out);
	return end;
}

static char *wanted_documents(struct writing *w, const char *text)
{
	char *result = NULL;
	size_t size;
	int at = 1;

	w->out = open_memstream(&result, &size);
	while (*text)
		text = write_document(w, text, &at);
	fclose(w->out);
	return result;
}

static void emit_file(struct writing *w, const char *text, struct emit *e)
{
	_cleanup_(mem_free) char *wanted = wanted_documents(w, text);

	emit_map(e, NULL);
	emit_text(e, "name", w->file);
	emit_text(e, "text", wanted);
	emit_map_end(e);
}

const char *store_emit_source_text(struct store *s, struct emit *e)
{
	struct store_private *p = s->priv;

	emit_array(e, "files");
	for (size_t i = 0; i < p->n_files && i < p->cap_texts && !p->texts_refused; i++) {
		struct writing w = { .p = p, .file = p->files[i] };

		if (!p->texts[i])
			continue;
		collect_objects(s, p->files[i], &w.objects);
		collect_secrets(p, p->files[i], &w.secrets);
		if (w.objects.n)
			emit_file(&w, p->texts[i], e);
		free(w.objects.items);
		free(w.secrets.items);
	}
	emit_array_end(e);
	return p->texts_refused;
}
