// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See emit.h. The yajl generator holds one item at a time; the list around the items is written as
 * text.
 */
#include <stdarg.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "base/emit.h"
#include "base/mem.h"

void emit_open(struct emit *e, FILE *out)
{
	*e = (struct emit){ .gen = yajl_gen_alloc(NULL), .out = out };
	yajl_gen_config(e->gen, yajl_gen_validate_utf8, 1);
}

static void flush(struct emit *e)
{
	const unsigned char *buf;
	size_t len;

	if (yajl_gen_get_buf(e->gen, &buf, &len) == yajl_gen_status_ok && len)
		fwrite(buf, 1, len, e->out);
	yajl_gen_clear(e->gen);
	yajl_gen_reset(e->gen, NULL);
}

void emit_close(struct emit *e)
{
	if (!e->gen)
		return;
	flush(e);
	yajl_gen_free(e->gen);
	e->gen = NULL;
}

/*
 * yajl refuses a string that is not UTF-8, and the document would lack a value: each byte that is
 * not ASCII becomes a question mark.
 */
static void string(struct emit *e, const char *s)
{
	_cleanup_(mem_free) char *copy = NULL;

	if (yajl_gen_string(e->gen, (const unsigned char *)s, strlen(s)) != yajl_gen_invalid_string)
		return;
	copy = mem_strdup(s);
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	yajl_gen_string(e->gen, (const unsigned char *)copy, strlen(copy));
}

static void key_of(struct emit *e, const char *key)
{
	if (key)
		string(e, key);
}

void emit_text(struct emit *e, const char *key, const char *value)
{
	key_of(e, key);
	if (value)
		string(e, value);
	else
		yajl_gen_null(e->gen);
}

void emit_printf(struct emit *e, const char *key, const char *fmt, ...)
{
	_cleanup_(mem_free) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	emit_text(e, key, text);
}

void emit_int(struct emit *e, const char *key, long long value)
{
	key_of(e, key);
	yajl_gen_integer(e->gen, value);
}

void emit_bool(struct emit *e, const char *key, bool value)
{
	key_of(e, key);
	yajl_gen_bool(e->gen, value);
}

void emit_null(struct emit *e, const char *key)
{
	key_of(e, key);
	yajl_gen_null(e->gen);
}

void emit_known(struct emit *e, const char *key, bool known, long long value)
{
	if (known)
		emit_int(e, key, value);
	else
		emit_null(e, key);
}

void emit_map(struct emit *e, const char *key)
{
	key_of(e, key);
	yajl_gen_map_open(e->gen);
}

void emit_map_end(struct emit *e)
{
	yajl_gen_map_close(e->gen);
}

void emit_array(struct emit *e, const char *key)
{
	key_of(e, key);
	yajl_gen_array_open(e->gen);
}

void emit_array_end(struct emit *e)
{
	yajl_gen_array_close(e->gen);
}

void emit_list_begin(struct emit *e, const char *kind)
{
	fprintf(e->out, "{\"apiVersion\":\"" EMIT_API_VERSION "\",\"kind\":\"%s\",\"items\":[",
		kind);
	e->items = 0;
}

void emit_item_begin(struct emit *e)
{
	fputs(e->items++ ? ",\n" : "\n", e->out);
	emit_map(e, NULL);
}

void emit_item_end(struct emit *e)
{
	emit_map_end(e);
	flush(e);
}

void emit_number_item(struct emit *e, long long value)
{
	fprintf(e->out, "%s%lld", e->items++ ? ",\n" : "\n", value);
}

void emit_list_next(struct emit *e, const char *key)
{
	fprintf(e->out, "%s],\n\"%s\":[", e->items ? "\n" : "", key);
	e->items = 0;
}

void emit_list_end(struct emit *e)
{
	fputs(e->items ? "\n]}\n" : "]}\n", e->out);
}

void emit_document_begin(struct emit *e, const char *kind)
{
	emit_map(e, NULL);
	emit_text(e, "apiVersion", EMIT_API_VERSION);
	emit_text(e, "kind", kind);
}

void emit_document_end(struct emit *e)
{
	emit_map_end(e);
	flush(e);
	fputc('\n', e->out);
}
