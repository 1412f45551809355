// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Documents from JSON: yajl's callbacks feed doc_build. yajl only tells how many bytes it has
 * consumed: a token begins at the first byte after the previous token that is not blank, comma or
 * colon.
 */
#include <errno.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "kube/doc_build.h"

#define BLANKS " \t\r\n"

struct json_reader {
	yajl_handle parser;
	struct build build;
	struct doc_input *in;
	const struct doc_part *part;
	struct doc_json *read;
	size_t token_end; /* of the previous token */
	size_t at; /* offset of line, col */
	int line, col;
};

static void advance(struct json_reader *j, size_t to)
{
	for (; j->at < to && j->at < j->part->len; j->at++) {
		unsigned char c = j->part->data[j->at];

		if (c == '\n') {
			j->line++;
			j->col = 1;
		} else if ((c & 0xc0) != 0x80) {
			j->col++;
		}
	}
}

static size_t skip(const struct json_reader *j, size_t at, const char *what, size_t most)
{
	for (; most && at < j->part->len && j->part->data[at] && strchr(what, j->part->data[at]);
	     most--)
		at++;
	return at;
}

/* Moves line and col to the start of the token after token_end. */
static void locate_next(struct json_reader *j)
{
	size_t start = skip(j, j->token_end, BLANKS, SIZE_MAX);

	start = skip(j, start, ",:", 1);
	advance(j, skip(j, start, BLANKS, SIZE_MAX));
}

/* The same, for the token that yajl has just consumed. */
static void locate(struct json_reader *j)
{
	locate_next(j);
	j->token_end = yajl_get_bytes_consumed(j->parser);
}

static void finish_value(struct json_reader *j)
{
	if (j->build.depth || !j->build.root)
		return;
	if (j->build.root->type != DOC_NULL) {
		j->in->documents++;
		j->in->handler(j->build.root, j->in->arg);
	}
	build_reset(&j->build);
	j->read->values++;
	advance(j, j->token_end);
	j->read->rest = (struct doc_part){ j->part->data + j->token_end,
					   j->part->len - j->token_end, j->line };
}

/* For the callbacks of yajl: 0 ends the reading. */
static int go_on(struct json_reader *j, int error)
{
	if (error)
		return 0;
	finish_value(j);
	return 1;
}

static int add_scalar(struct json_reader *j, enum doc_type type, const char *text, size_t len,
		      int64_t number)
{
	struct doc_node *n;

	locate(j);
	j->read->texts++;
	n = build_node(&j->build, type, j->line, j->col);
	if (!n)
		return 0;
	n->text = doc_text(&j->build.arena, text, len);
	n->number = number;
	if (type == DOC_INT && !doc_type_number(n)) {
		build_fail(&j->build, KUBE_E_RANGE, j->line, j->col,
			   "the number %.40s is larger than Kubernetes reads", n->text);
		return 0;
	}
	return go_on(j, build_value(&j->build, n));
}

static int on_null(void *arg)
{
	return add_scalar(arg, DOC_NULL, "null", 4, 0);
}

static int on_bool(void *arg, int value)
{
	return add_scalar(arg, DOC_BOOL, value ? "true" : "false", value ? 4 : 5, value);
}

static int on_number(void *arg, const char *text, size_t len)
{
	return add_scalar(arg, DOC_INT, text, len, 0);
}

static int on_string(void *arg, const unsigned char *text, size_t len)
{
	return add_scalar(arg, DOC_STRING, (const char *)text, len, 0);
}

static int on_key(void *arg, const unsigned char *text, size_t len)
{
	struct json_reader *j = arg;

	locate(j);
	j->read->texts++;
	return !build_key(&j->build, doc_text(&j->build.arena, (const char *)text, len), false,
			  j->line, j->col);
}

static int on_map(void *arg)
{
	struct json_reader *j = arg;

	locate(j);
	return !build_open(&j->build, DOC_MAP, j->line, j->col);
}

static int on_list(void *arg)
{
	struct json_reader *j = arg;

	locate(j);
	return !build_open(&j->build, DOC_LIST, j->line, j->col);
}

static int on_end(void *arg)
{
	struct json_reader *j = arg;
	struct doc_node *n;

	locate(j);
	return go_on(j, build_close(&j->build, &n));
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_list,
	.yajl_end_array = on_end,
};

static int syntax_error(struct json_reader *j)
{
	unsigned char *text = yajl_get_error(j->parser, 0, NULL, 0);

	locate_next(j);
	build_fail(&j->build, KUBE_E_SYNTAX, j->line, j->col, "not JSON: %.*s",
		   (int)strcspn((char *)text, "\n"), (char *)text);
	yajl_free_error(j->parser, text);
	return -EINVAL;
}

/* Bytes before the first form feed or vertical tab: blanks to yajl, not allowed in JSON. */
static size_t without_bad_blanks(const struct doc_part *part)
{
	const char *feed = memchr(part->data, '\f', part->len);
	size_t len = feed ? (size_t)(feed - part->data) : part->len;
	const char *tab = memchr(part->data, '\v', len);

	return tab ? (size_t)(tab - part->data) : len;
}

static int bad_blank(struct json_reader *j)
{
	advance(j, without_bad_blanks(j->part));
	return build_fail(&j->build, KUBE_E_SYNTAX, j->line, j->col,
			  "not JSON: control character: remove it");
}

int doc_read_json(struct doc_input *in, const struct doc_part *part, struct doc_json *ret_read,
		  struct doc_error *ret_error)
{
	struct json_reader j = { .in = in,
				 .part = part,
				 .read = ret_read,
				 .line = part->line,
				 .col = 1,
				 .build.error = ret_error };
	size_t len = without_bad_blanks(part);
	yajl_status status;
	int r = 0;

	*ret_read = (struct doc_json){ .rest = *part };
	j.parser = yajl_alloc(&callbacks, NULL, &j);
	yajl_config(j.parser, yajl_allow_multiple_values, 1);
	yajl_config(j.parser, yajl_dont_validate_strings, 1); /* see doc_text() */
	status = yajl_parse(j.parser, (const unsigned char *)part->data, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(j.parser);
	if (status == yajl_status_client_canceled)
		r = -EINVAL; /* the callback has filled the error */
	else if (status != yajl_status_ok)
		r = syntax_error(&j);
	else if (len < part->len)
		r = bad_blank(&j);
	yajl_free(j.parser);
	doc_build_free(&j.build);
	return r;
}
