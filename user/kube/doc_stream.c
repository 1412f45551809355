// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Divides a file into documents, as kubectl does, before any is read (PARSE-9). See doc.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/doc_build.h"
#include "kube/limits.h"

#define SEPARATOR "---"
#define YAML_AFTER_JSON_MIN 4

/* ---- Lines ---- */

static size_t skip_blanks(const char *data, size_t len)
{
	size_t at = 0, n = 1;

	for (; at < len && n; at += n)
		n = doc_blank_len(data + at, len - at);
	return at;
}

enum doc_line doc_line_kind(const char *line, size_t len)
{
	size_t at = strlen(SEPARATOR);

	if (len < at || memcmp(line, SEPARATOR, at))
		return DOC_LINE_TEXT;
	at += skip_blanks(line + at, len - at);
	return at == len || line[at] == '#' ? DOC_LINE_SEPARATOR : DOC_LINE_BAD_SEPARATOR;
}

/* Bytes of the first line, with its line break. */
static size_t line_len(const struct doc_part *p)
{
	const char *end = memchr(p->data, '\n', p->len);

	return end ? (size_t)(end - p->data) + 1 : p->len;
}

static enum doc_line line_kind(const struct doc_part *p, size_t len)
{
	return doc_line_kind(p->data, len && p->data[len - 1] == '\n' ? len - 1 : len);
}

static void drop_line(struct doc_part *p, size_t len)
{
	p->data += len;
	p->len -= len;
	p->line++;
}

/* ---- Documents ---- */

struct cut {
	struct doc_part rest, document;
	int bad_line; /* in the document, with a bad separator; 0: none */
};

/* The document ends before the next separator; one at its very beginning belongs to it. */
static bool next_document(struct cut *c)
{
	size_t left = c->rest.len;

	c->document = c->rest;
	c->bad_line = 0;
	while (c->rest.len) {
		size_t len = line_len(&c->rest);
		enum doc_line kind = line_kind(&c->rest, len);

		if (kind == DOC_LINE_BAD_SEPARATOR && !c->bad_line)
			c->bad_line = c->rest.line;
		if (kind == DOC_LINE_SEPARATOR && c->rest.len < c->document.len) {
			c->document.len -= c->rest.len;
			drop_line(&c->rest, len);
			return true;
		}
		drop_line(&c->rest, len);
	}
	return left;
}

/* false: too many errors, the rest is not read. */
static bool report(struct doc_input *in, struct doc_error *e)
{
	if (++in->errors == KUBE_FILE_ERRORS_MAX) {
		e->code = KUBE_E_LIMIT;
		snprintf(e->text, sizeof(e->text),
			 "%d documents of this file cannot be read: the rest of it is not read",
			 KUBE_FILE_ERRORS_MAX);
	}
	in->report(e, in->arg);
	return in->errors < KUBE_FILE_ERRORS_MAX;
}

static int bad_separator(int line, struct doc_error *ret_error)
{
	*ret_error = (struct doc_error){ .code = KUBE_E_SYNTAX, .line = line, .col = 1 };
	snprintf(
		ret_error->text, sizeof(ret_error->text),
		"a line that begins with --- ends a document: only blanks and a comment may follow");
	return -EINVAL;
}

/* as_json: reported instead of an error of the first document, or NULL. */
static void read_documents(struct doc_input *in, struct doc_part text, struct doc_error *as_json)
{
	struct cut c = { .rest = text };
	bool more = true;

	for (; more && next_document(&c); as_json = NULL) {
		struct doc_error error = {};
		int r = c.bad_line ? bad_separator(c.bad_line, &error)
				   : doc_read_yaml(in, &c.document, &error);

		if (r)
			more = report(in,
				      as_json && error.code == KUBE_E_SYNTAX ? as_json : &error);
	}
}

/* ---- Either format ---- */

/*
 * Blanks up to the end of a line, before what is not JSON. false: kubectl reads nothing that is so
 * short as YAML.
 */
static bool skip_to_yaml(struct doc_part *rest)
{
	while (rest->len >= YAML_AFTER_JSON_MIN) {
		size_t n = doc_blank_len(rest->data, rest->len);
		bool newline = rest->data[0] == '\n';

		rest->data += n;
		rest->len -= n;
		rest->line += newline;
		if (!n || newline)
			return true;
	}
	return false;
}

/*
 * A text that is not JSON from the start, or after its first value, goes on as YAML; after several
 * values it is JSON for certain.
 */
static void read_json(struct doc_input *in, struct doc_part text)
{
	struct doc_error error = {};
	struct doc_json json;
	bool as_json;

	if (!doc_read_json(in, &text, &json, &error))
		return;
	if (error.code != KUBE_E_SYNTAX || json.values > 1 || !skip_to_yaml(&json.rest)) {
		report(in, &error);
		return;
	}
	as_json = json.texts && json.rest.data[0] == '{';
	read_documents(in, json.rest, as_json ? &error : NULL);
}

size_t doc_read(const char *data, size_t len, doc_handler *handler, doc_report *report_to,
		void *arg)
{
	struct doc_input in = { .handler = handler, .report = report_to, .arg = arg };
	struct doc_part text = { data, len, 1 };
	char *copy = doc_decode_text(&text.data, &text.len);

	if (doc_looks_like_json(text.data, text.len))
		read_json(&in, text);
	else
		read_documents(&in, text, NULL);
	free(copy);
	return in.errors;
}
