// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Types of plain scalars: YAML 1.1 as Kubernetes' API machinery applies it. yes/no/on/off are
 * booleans; 0x1f, 0o17, 017 and 0b11 are integers; underscores in numbers are ignored; times are
 * strings, and so is a number too large for a float. A float without a fraction is an integer,
 * because Kubernetes converts YAML to JSON first.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kube/doc_build.h"

#define EXACT_FLOAT_MAX 9007199254740992.0 /* 2^53 */
#define NUMBER_TEXT_MAX 128 /* longer text is a string: no field takes such a number */
#define NO_NUMBER 1 /* in doc_node.number of a float: .inf and .nan */

static const struct {
	const char *text;
	enum doc_type type;
	int number;
} words[] = {
	{ "", DOC_NULL, 0 },
	{ "~", DOC_NULL, 0 },
	{ "null", DOC_NULL, 0 },
	{ "Null", DOC_NULL, 0 },
	{ "NULL", DOC_NULL, 0 },
	{ "y", DOC_BOOL, 1 },
	{ "Y", DOC_BOOL, 1 },
	{ "yes", DOC_BOOL, 1 },
	{ "Yes", DOC_BOOL, 1 },
	{ "YES", DOC_BOOL, 1 },
	{ "true", DOC_BOOL, 1 },
	{ "True", DOC_BOOL, 1 },
	{ "TRUE", DOC_BOOL, 1 },
	{ "on", DOC_BOOL, 1 },
	{ "On", DOC_BOOL, 1 },
	{ "ON", DOC_BOOL, 1 },
	{ "n", DOC_BOOL, 0 },
	{ "N", DOC_BOOL, 0 },
	{ "no", DOC_BOOL, 0 },
	{ "No", DOC_BOOL, 0 },
	{ "NO", DOC_BOOL, 0 },
	{ "false", DOC_BOOL, 0 },
	{ "False", DOC_BOOL, 0 },
	{ "FALSE", DOC_BOOL, 0 },
	{ "off", DOC_BOOL, 0 },
	{ "Off", DOC_BOOL, 0 },
	{ "OFF", DOC_BOOL, 0 },
	{ ".nan", DOC_FLOAT, NO_NUMBER },
	{ ".NaN", DOC_FLOAT, NO_NUMBER },
	{ ".NAN", DOC_FLOAT, NO_NUMBER },
	{ ".inf", DOC_FLOAT, NO_NUMBER },
	{ ".Inf", DOC_FLOAT, NO_NUMBER },
	{ ".INF", DOC_FLOAT, NO_NUMBER },
	{ "+.inf", DOC_FLOAT, NO_NUMBER },
	{ "+.Inf", DOC_FLOAT, NO_NUMBER },
	{ "+.INF", DOC_FLOAT, NO_NUMBER },
	{ "-.inf", DOC_FLOAT, NO_NUMBER },
	{ "-.Inf", DOC_FLOAT, NO_NUMBER },
	{ "-.INF", DOC_FLOAT, NO_NUMBER },
};

/* Digits without their prefix, which gives the base. */
static const char *find_base(const char *digits, int *ret_base)
{
	*ret_base = 10;
	if (digits[0] != '0' || !digits[1])
		return digits;
	*ret_base = strchr("xX", digits[1]) ? 16 : strchr("bB", digits[1]) ? 2 : 8;
	return digits + (isalpha((unsigned char)digits[1]) ? 2 : 1);
}

/*
 * The number must be the whole text. 0; 1: it fits 64 bits only without a sign; -EINVAL: it is no
 * integer.
 */
static int parse_integer(const char *text, int64_t *ret_number)
{
	static const char all[] = "0123456789abcdef";
	bool sign = *text == '-' || *text == '+';
	char allowed[2 * sizeof(all)] = "";
	const char *digits;
	long long value;
	int base;

	if (text[sign] == '0' && isalpha((unsigned char)text[sign + 1]) &&
	    !strchr("xXbBoO", text[sign + 1]))
		return -EINVAL;
	digits = find_base(text + sign, &base);
	snprintf(allowed, sizeof(allowed), "%.*s%s", base, all, base == 16 ? "ABCDEF" : "");
	if (!*digits || digits[strspn(digits, allowed)])
		return -EINVAL;
	errno = 0;
	value = strtoll(digits, NULL, base);
	if (!errno) {
		*ret_number = *text == '-' ? -value : value;
		return 0;
	}
	errno = 0;
	strtoull(digits, NULL, base);
	return errno || sign ? -EINVAL : 1;
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
	return isinf(*ret_value) ? -ERANGE : 0;
}

/* JSON writes such a float without a fraction, as an integer. */
static void type_float(struct doc_node *n, double value)
{
	n->type = DOC_FLOAT;
	n->number = 0;
	if (fabs(value) < EXACT_FLOAT_MAX && value == (double)(int64_t)value) {
		n->type = DOC_INT;
		n->number = (int64_t)value;
	}
}

static void type_numeric(struct doc_node *n, const char *text)
{
	int r = parse_integer(text, &n->number);
	double value;

	if (!r)
		n->type = DOC_INT;
	else if (r > 0)
		n->type = DOC_FLOAT; /* no field takes it */
	else if (!parse_float(text, &value))
		type_float(n, value);
}

/*
 * Without underscores. In text that begins with a point they must be between digits, or it is no
 * number.
 */
static void copy_digits(const char *text, char *digits)
{
	size_t len = 0;

	for (const char *p = text; *p; p++) {
		bool between =
			p > text && isdigit((unsigned char)p[-1]) && isdigit((unsigned char)p[1]);

		if (*p != '_' || (text[0] == '.' && !between))
			digits[len++] = *p;
	}
	digits[len] = 0;
}

static bool may_be_number(const char *text)
{
	return *text && strchr("+-.0123456789", text[0]) && strlen(text) < NUMBER_TEXT_MAX;
}

void doc_type_plain(struct doc_node *n)
{
	char digits[NUMBER_TEXT_MAX];

	n->type = DOC_STRING;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(n->text, words[i].text))
			continue;
		n->type = words[i].type;
		n->number = words[i].number;
		return;
	}
	if (!may_be_number(n->text))
		return;
	copy_digits(n->text, digits);
	type_numeric(n, digits);
}

bool doc_float_value(const struct doc_node *n, double *ret_value)
{
	char digits[NUMBER_TEXT_MAX];
	int64_t number;

	if (doc_is_no_number(n)) {
		*ret_value = strcasecmp(n->text + strlen(n->text) - 3, "nan") ? INFINITY : NAN;
		if (n->text[0] == '-')
			*ret_value = -INFINITY;
		return true;
	}
	if (!may_be_number(n->text))
		return false;
	copy_digits(n->text, digits);
	return parse_integer(digits, &number) < 0 && !parse_float(digits, ret_value);
}

bool doc_type_number(struct doc_node *n)
{
	double value;
	char *end;

	errno = 0;
	n->number = strtoll(n->text, &end, 10);
	n->type = DOC_INT;
	if (!errno && !*end)
		return true;
	value = strtod(n->text, NULL);
	type_float(n, value);
	return !isinf(value);
}

bool doc_is_no_number(const struct doc_node *n)
{
	return n->type == DOC_FLOAT && n->number == NO_NUMBER;
}
