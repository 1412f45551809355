// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Keys, and nodes in messages. See doc.h. */
#include <stdio.h>
#include <string.h>

#include "kube/doc.h"

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
