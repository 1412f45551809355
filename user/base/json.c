// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See json.h. */
#include <errno.h>
#include <string.h>

#include <yajl/yajl_parse.h>
#include <yajl/yajl_tree.h>

#include "base/emit.h"
#include "base/json.h"

#define DEPTH_MAX 64 /* what Weir writes is nested less than ten deep */

/* The end of a string or comment that begins at text, or text if none does. */
static const char *skip_quoted(const char *text)
{
	const char *end = text;

	if (*text == '"')
		for (end++; *end && *end != '"'; end++)
			end += *end == '\\' && end[1];
	else if (!strncmp(text, "/*", 2))
		end = strstr(text + 2, "*/") ?: text + strlen(text) - 1;
	else if (!strncmp(text, "//", 2))
		end += strcspn(text, "\n");
	return end;
}

/* yajl frees a tree by recursion: a text that is nested deeply would overflow the stack. */
static bool is_too_deep(const char *text)
{
	size_t depth = 0;

	for (; *text; text++) {
		text = skip_quoted(text);
		if (*text == '[' || *text == '{')
			depth++;
		else if ((*text == ']' || *text == '}') && depth)
			depth--;
		if (!*text || depth > DEPTH_MAX)
			break;
	}
	return depth > DEPTH_MAX;
}

/* How much was read, with the byte that is wrong. The tree's parser does not tell: parse again. */
static size_t error_offset(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t len = strlen(text);
	yajl_handle parser = yajl_alloc(NULL, NULL, NULL);
	size_t offset = len; /* it ends too early */

	yajl_config(parser, yajl_allow_comments, 1);
	if (yajl_parse(parser, bytes, len) != yajl_status_ok)
		offset = yajl_get_bytes_consumed(parser);
	yajl_free(parser);
	return offset;
}

/* why: yajl's text, of which the further lines are a picture of the place. */
static int not_json(struct json *j, const char *text, const char *why)
{
	size_t len = strcspn(why, "\n");

	if (len && why[len - 1] == '.')
		len--;
	return j->r = err_set(j->err, -EINVAL, "%s: not JSON: %.*s, at byte %zu", j->file, (int)len,
			      why, error_offset(text));
}

int json_open(struct json *ret, const char *file, const char *text, const char *kind,
	      struct weir_err *err)
{
	struct json_value root;
	char why[160] = "";

	*ret = (struct json){ .file = file, .err = err };
	if (is_too_deep(text))
		return ret->r = err_set(err, -EINVAL, "%s: nested more than %d deep", file,
					DEPTH_MAX);
	ret->root = yajl_tree_parse(text, why, sizeof(why));
	root = json_root(ret);
	if (!ret->root)
		return not_json(ret, text, why);
	if (strcmp(json_text(root, "apiVersion"), EMIT_API_VERSION))
		return json_bad(root, "apiVersion", "expected " EMIT_API_VERSION);
	snprintf(why, sizeof(why), "expected %s", kind);
	if (strcmp(json_text(root, "kind"), kind))
		return json_bad(root, "kind", why);
	return 0;
}

void json_close(struct json *j)
{
	yajl_tree_free(j->root);
	j->root = NULL;
}

struct json_value json_root(struct json *j)
{
	return (struct json_value){ j, j->root };
}

int json_bad(struct json_value v, const char *key, const char *what)
{
	struct json *j = v.doc;

	if (j && !j->r)
		j->r = err_set(j->err, -EINVAL, "%s: %s: %s", j->file, key, what);
	return j ? j->r : -EINVAL;
}

static yajl_val member(struct json_value v, const char *key, yajl_type type)
{
	return v.v ? yajl_tree_get(v.v, (const char *[]){ key, NULL }, type) : NULL;
}

const char *json_text(struct json_value v, const char *key)
{
	yajl_val m = member(v, key, yajl_t_string);

	if (!m)
		json_bad(v, key, "expected a string");
	return m ? YAJL_GET_STRING(m) : "";
}

long long json_number(struct json_value v, const char *key, long long min, long long max)
{
	yajl_val m = member(v, key, yajl_t_number);
	char what[80];

	if (m && YAJL_IS_INTEGER(m) && YAJL_GET_INTEGER(m) >= min && YAJL_GET_INTEGER(m) <= max)
		return YAJL_GET_INTEGER(m);
	snprintf(what, sizeof(what), "expected an integer from %lld to %lld", min, max);
	json_bad(v, key, what);
	return -1;
}

bool json_flag(struct json_value v, const char *key)
{
	yajl_val m = member(v, key, yajl_t_any);

	if (m && !YAJL_IS_TRUE(m) && !YAJL_IS_FALSE(m))
		json_bad(v, key, "expected true or false");
	return YAJL_IS_TRUE(m);
}

struct json_value json_list(struct json_value v, const char *key)
{
	yajl_val m = member(v, key, yajl_t_array);

	if (!m)
		json_bad(v, key, "expected a list");
	return (struct json_value){ v.doc, m };
}

size_t json_count(struct json_value list)
{
	return list.v ? list.v->u.array.len : 0;
}

struct json_value json_item(struct json_value list, size_t i)
{
	return (struct json_value){ list.doc, list.v->u.array.values[i] };
}

const char *json_item_text(struct json_value list, size_t i)
{
	yajl_val item = json_item(list, i).v;

	return YAJL_IS_STRING(item) ? YAJL_GET_STRING(item) : "";
}
