// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Types of plain scalars: YAML 1.1 as Kubernetes' API machinery applies it. yes/no/on/off are
 * booleans; 0x1f, 0o17, 017 and 0b11 are integers; underscores in numbers are ignored; times are
 * strings. A float without a fraction is an integer, because Kubernetes converts YAML to JSON
 * first.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kube/doc_build.h"

#define EXACT_FLOAT_MAX 9007199254740992.0 /* 2^53 */
#define NUMBER_TEXT_MAX 128 /* longer text is a string: no field takes such a number */

static const struct {
	const char *text;
	enum doc_type type;
	int number;
} words[] = {
	{ "", DOC_NULL, 0 },       { "~", DOC_NULL, 0 },      { "null", DOC_NULL, 0 },
	{ "Null", DOC_NULL, 0 },   { "NULL", DOC_NULL, 0 },   { "y", DOC_BOOL, 1 },
	{ "Y", DOC_BOOL, 1 },      { "yes", DOC_BOOL, 1 },    { "Yes", DOC_BOOL, 1 },
	{ "YES", DOC_BOOL, 1 },    { "true", DOC_BOOL, 1 },   { "True", DOC_BOOL, 1 },
	{ "TRUE", DOC_BOOL, 1 },   { "on", DOC_BOOL, 1 },     { "On", DOC_BOOL, 1 },
	{ "ON", DOC_BOOL, 1 },     { "n", DOC_BOOL, 0 },      { "N", DOC_BOOL, 0 },
	{ "no", DOC_BOOL, 0 },     { "No", DOC_BOOL, 0 },     { "NO", DOC_BOOL, 0 },
	{ "false", DOC_BOOL, 0 },  { "False", DOC_BOOL, 0 },  { "FALSE", DOC_BOOL, 0 },
	{ "off", DOC_BOOL, 0 },    { "Off", DOC_BOOL, 0 },    { "OFF", DOC_BOOL, 0 },
	{ ".nan", DOC_FLOAT, 0 },  { ".NaN", DOC_FLOAT, 0 },  { ".NAN", DOC_FLOAT, 0 },
	{ ".inf", DOC_FLOAT, 0 },  { ".Inf", DOC_FLOAT, 0 },  { ".INF", DOC_FLOAT, 0 },
	{ "+.inf", DOC_FLOAT, 0 }, { "-.inf", DOC_FLOAT, 0 },
};

/* The prefix gives the base; the number must be the whole text. */
static int parse_integer(const char *text, int64_t *ret_number)
{
	const char *digits = text + (*text == '-' || *text == '+');
	int base = 10;
	long long value;
	char *end;

	if (digits[0] == '0' && digits[1]) {
		base = strchr("xX", digits[1]) ? 16 : strchr("bB", digits[1]) ? 2 : 8;
		digits += base == 8 ? (digits[1] == 'o' || digits[1] == 'O' ? 2 : 1) : 2;
	}
	if (!strspn(digits, "0123456789abcdefABCDEF"))
		return -EINVAL;
	errno = 0;
	value = strtoll(digits, &end, base);
	if (*end || errno)
		return -EINVAL;
	*ret_number = *text == '-' ? -value : value;
	return 0;
}

/* [-+]?(.digits | digits[.digits])([eE][-+]?digits)? */
static int parse_float(const char *text, double *ret_value)
{
	const char *p = text + (*text == '-' || *text == '+');
	size_t whole = strspn(p, "0123456789"), fraction = 0;

	p += whole;
	if (*p == '.') {
		fraction = strspn(p + 1, "0123456789");
		p += 1 + fraction;
	}
	if (!whole && !fraction)
		return -EINVAL;
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!strspn(p, "0123456789"))
			return -EINVAL;
		p += strspn(p, "0123456789");
	}
	if (*p)
		return -EINVAL;
	*ret_value = strtod(text, NULL);
	return 0;
}

static void type_numeric(struct doc_node *n, const char *text)
{
	double value;

	if (!parse_integer(text, &n->number)) {
		n->type = DOC_INT;
	} else if (!parse_float(text, &value)) {
		n->type = DOC_FLOAT;
		if (fabs(value) < EXACT_FLOAT_MAX && value == (double)(int64_t)value) {
			n->type = DOC_INT;
			n->number = (int64_t)value;
		}
	}
}

void doc_type_plain(struct doc_node *n)
{
	char digits[NUMBER_TEXT_MAX];
	size_t len = 0;

	n->type = DOC_STRING;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(n->text, words[i].text))
			continue;
		n->type = words[i].type;
		n->number = words[i].number;
		return;
	}
	if (!strchr("+-.0123456789", n->text[0]) || strlen(n->text) >= sizeof(digits))
		return;
	for (const char *p = n->text; *p; p++)
		if (*p != '_')
			digits[len++] = *p;
	digits[len] = 0;
	type_numeric(n, digits);
}

void doc_type_number(struct doc_node *n)
{
	char *end;

	n->type = DOC_FLOAT;
	if (strpbrk(n->text, ".eE"))
		return;
	errno = 0;
	n->number = strtoll(n->text, &end, 10);
	if (!errno && !*end)
		n->type = DOC_INT;
}
