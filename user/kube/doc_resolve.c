// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tags and keys of YAML, as Kubernetes' API machinery applies them (PARSE-9). */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/doc_build.h"

#define TAG "tag:yaml.org,2002:"
#define FLOAT_DIGITS_MAX 9 /* tell all floats of 32 bits apart */
/* Below, and from EXPONENT_MAX on, a float is written with an exponent. */
#define EXPONENT_MIN (-4)
#define EXPONENT_MAX 6

/* ---- Tags ---- */

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Writes at most strlen(text) bytes; false: not base64. Line breaks are ignored, = must fill up. */
static bool decode_base64(const char *text, char *buf, size_t *ret_len)
{
	unsigned int bits = 0, digits = 0, padding = 0;

	*ret_len = 0;
	for (; *text; text++) {
		int value = base64_value(*text);

		if (*text == '\r' || *text == '\n')
			continue;
		if (*text == '=') {
			padding++;
			continue;
		}
		if (value < 0 || padding)
			return false;
		bits = bits << 6 | value;
		digits++;
		if (digits % 4 != 1)
			buf[(*ret_len)++] = bits >> (6 - 2 * ((digits + 3) % 4));
	}
	return digits % 4 != 1 && padding == (4 - digits % 4) % 4;
}

static int resolve_binary(struct build *b, struct doc_node *n)
{
	_cleanup_(mem_free) char *bytes = mem_zalloc(strlen(n->text) + 1);
	size_t len;

	if (!decode_base64(n->text, bytes, &len))
		return build_fail(b, KUBE_E_SYNTAX, n->line, n->col,
				  "expected base64 after !!binary, found \"%.40s\"", n->text);
	n->text = doc_text(&b->arena, bytes, len);
	return 0;
}

/* 2001-12-14, with a time perhaps. */
static bool is_timestamp(const char *text)
{
	int year, month, day, used = 0;

	if (strspn(text, "0123456789") != 4 ||
	    sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3)
		return false;
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
	       (!text[used] || strchr("Tt ", text[used]));
}

static int must_fit(struct build *b, const struct doc_node *n, const char *name, bool fits)
{
	return fits ? 0
		    : build_fail(b, KUBE_E_SYNTAX, n->line, n->col,
				 "expected a value for tag !!%s, found \"%.40s\"", name, n->text);
}

/* An integer is a float too; 1.0 is no integer here, though it is one in JSON. */
static bool fits(const struct doc_node *n, enum doc_type wanted)
{
	double value;

	if (wanted == DOC_FLOAT)
		return n->type == DOC_FLOAT || n->type == DOC_INT;
	return n->type == wanted && (wanted != DOC_INT || !doc_float_value(n, &value));
}

int doc_resolve(struct build *b, struct doc_node *n, const char *tag, bool plain)
{
	/* as enum doc_type */
	static const char *const names[] = { "null", "bool", "int", "float" };
	const char *name = tag && !strncmp(tag, TAG, strlen(TAG)) ? tag + strlen(TAG) : "";

	n->type = DOC_STRING;
	if (!tag && plain)
		doc_type_plain(n);
	if (!strcmp(name, "binary"))
		return resolve_binary(b, n);
	if (!strcmp(name, "timestamp"))
		return must_fit(b, n, name, is_timestamp(n->text));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]))
			continue;
		doc_type_plain(n);
		return must_fit(b, n, name, fits(n, i));
	}
	return 0;
}

/* ---- Keys ---- */

/* Writes the shortest text d.ddde+xx of a 32-bit float; returns the number of its digits. */
static int shortest(float value, char *buf, size_t size)
{
	int digits = 1;

	for (; digits <= FLOAT_DIGITS_MAX; digits++) {
		snprintf(buf, size, "%.*e", digits - 1, (double)value);
		if (strtof(buf, NULL) == value)
			break;
	}
	return digits;
}

static const char *float_text(struct arena *a, float value)
{
	int digits, exponent, decimals;
	char text[32];

	if (isnan(value))
		return ".nan";
	if (isinf(value))
		return value < 0 ? "-.inf" : ".inf";
	digits = shortest(value, text, sizeof(text));
	exponent = atoi(strchr(text, 'e') + 1);
	decimals = digits - exponent - 1;
	if (exponent < EXPONENT_MIN || exponent >= EXPONENT_MAX)
		return arena_strdup(a, text);
	return arena_printf(a, "%.*f", decimals > 0 ? decimals : 0, (double)value);
}

const char *doc_key_text(struct arena *a, const struct doc_node *n)
{
	double value;

	if (n->type == DOC_STRING)
		return n->text;
	if (n->type == DOC_BOOL)
		return n->number ? "true" : "false";
	if (n->type != DOC_INT && n->type != DOC_FLOAT)
		return NULL;
	if (doc_float_value(n, &value))
		return float_text(a, value);
	return n->type == DOC_INT ? arena_printf(a, "%lld", (long long)n->number) : NULL;
}
