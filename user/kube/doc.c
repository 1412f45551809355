// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Chooses the reader, and looks up keys. See doc.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kube/doc_build.h"

static bool looks_like_json(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", data[i]) || !data[i])
			return data[i] == '{' || data[i] == '[';
	return false;
}

static void skip_byte_order_mark(struct doc_input *in)
{
	if (in->len < 3 || memcmp(in->data, "\xef\xbb\xbf", 3))
		return;
	in->data += 3;
	in->len -= 3;
}

int doc_read(const char *data, size_t len, doc_handler *handler, void *arg,
	     struct doc_error *ret_error)
{
	struct doc_input in = { .data = data, .len = len, .handler = handler, .arg = arg };
	struct doc_error as_yaml;
	int r;

	skip_byte_order_mark(&in);
	if (!looks_like_json(in.data, in.len))
		return doc_read_yaml(&in, ret_error);
	r = doc_read_json(&in, ret_error);
	if (!r || in.documents || ret_error->code != KUBE_E_SYNTAX)
		return r;
	/* both failed: the YAML error counts, unless the input began as JSON */
	r = doc_read_yaml(&in, &as_yaml);
	if (r && (in.documents || as_yaml.code != KUBE_E_SYNTAX || !in.json_texts))
		*ret_error = as_yaml;
	return r;
}

struct doc_node *doc_get(const struct doc_node *map, const char *key)
{
	size_t low = 0, high = map->n_pairs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, map->pairs[middle].key);

		if (!order)
			return map->pairs[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* For a message: short, without control characters, which a terminal would interpret. */
static void shorten(const char *text, char *buf, size_t size)
{
	size_t len = 0;

	while (text[len] && len + 4 < size)
		len++;
	while (text[len] && len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--; /* not inside a character */
	for (size_t i = 0; i < len; i++)
		buf[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
	strcpy(buf + len, text[len] ? "..." : "");
}

const char *doc_describe(const struct doc_node *n, char *buf, size_t size)
{
	static const char *const what[] = {
		[DOC_NULL] = "nothing",     [DOC_BOOL] = "the boolean",  [DOC_INT] = "the number",
		[DOC_FLOAT] = "the number", [DOC_STRING] = "the string", [DOC_MAP] = "a mapping",
		[DOC_LIST] = "a list",
	};
	char text[48] = "";

	if (n->type != DOC_MAP && n->type != DOC_LIST && n->type != DOC_NULL)
		shorten(n->text, text, sizeof(text));
	if (n->type == DOC_STRING)
		snprintf(buf, size, "the string \"%s\"", text);
	else
		snprintf(buf, size, "%s%s%s", what[n->type], *text ? " " : "", text);
	return buf;
}

const char *doc_quote(const struct doc_node *n, char *buf, size_t size)
{
	char text[48] = "";

	shorten(n->text, text, sizeof(text));
	snprintf(buf, size, "\"%s\"", text);
	return buf;
}
