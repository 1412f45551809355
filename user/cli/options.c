// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Parses and lists options by their tables. See options.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/options.h"

struct parser {
	const struct option_row *const *tables;
	char *values;
	int argc, at; /* at: index of the current word */
	char **argv;
	struct weir_err *err;
};

static const struct option_row *find_long(const struct parser *p, const char *name, size_t len)
{
	for (const struct option_row *const *t = p->tables; *t; t++)
		for (const struct option_row *row = *t; row->name; row++)
			if (strlen(row->name) == len && !strncmp(row->name, name, len))
				return row;
	return NULL;
}

static const struct option_row *find_short(const struct parser *p, char c)
{
	for (const struct option_row *const *t = p->tables; *t; t++)
		for (const struct option_row *row = *t; row->name; row++)
			if (row->short_name == c)
				return row;
	return NULL;
}

bool options_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *c = choices; *c; c += strcspn(c, "|"), c += *c == '|')
		if (strcspn(c, "|") == len && !strncmp(c, word, len) && len)
			return true;
	return false;
}

static int store_value(struct parser *p, const struct option_row *row, const char *text)
{
	void *value = p->values + row->offset;
	struct option_list *list = value;
	unsigned long number;
	char *end;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)value = true;
		return 0;
	case OPTION_COUNT:
		++*(unsigned int *)value;
		return 0;
	case OPTION_LIST:
		*VEC_ADD(list->items, list->n, list->cap) = text;
		return 0;
	case OPTION_CHOICE:
		if (!options_choice(row->metavar, text))
			return err_set(p->err, -EINVAL, "--%s: '%s' is not one of %s", row->name,
				       text, row->metavar);
		*(const char **)value = text;
		return 0;
	case OPTION_TEXT:
		*(const char **)value = text;
		return 0;
	case OPTION_NUMBER:
		errno = 0;
		number = strtoul(text, &end, 10);
		if (errno || *end || *text < '0' || *text > '9' || number > UINT32_MAX)
			return err_set(p->err, -EINVAL, "--%s: '%s' is not a number", row->name,
				       text);
		if (!number)
			return err_set(p->err, -EINVAL, "--%s: 0 is too small: give 1 or more",
				       row->name);
		*(uint32_t *)value = number;
		return 0;
	}
	return -EINVAL;
}

static bool takes_value(const struct option_row *row)
{
	return row->type != OPTION_FLAG && row->type != OPTION_COUNT;
}

/* attached: the value from the same word ("=x", "-fx"), or NULL. */
static int take(struct parser *p, const struct option_row *row, const char *attached)
{
	if (!takes_value(row)) {
		if (attached)
			return err_set(p->err, -EINVAL, "--%s takes no value", row->name);
		return store_value(p, row, NULL);
	}
	if (!attached) {
		if (p->at + 1 >= p->argc)
			return err_set(p->err, -EINVAL, "--%s needs a value: --%s %s", row->name,
				       row->name, row->metavar);
		attached = p->argv[++p->at];
	}
	return store_value(p, row, attached);
}

static int parse_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word, "=");
	const struct option_row *row = find_long(p, word, len);

	if (!row)
		return err_set(p->err, -EINVAL, "unknown option --%.*s", (int)len, word);
	return take(p, row, word[len] ? word + len + 1 : NULL);
}

static int parse_short(struct parser *p, const char *word)
{
	int r;

	for (; *word; word++) {
		const struct option_row *row = find_short(p, *word);

		if (!row)
			return err_set(p->err, -EINVAL, "unknown option -%c", *word);
		if (takes_value(row))
			return take(p, row, word[1] ? word + 1 + (word[1] == '=') : NULL);
		r = take(p, row, NULL);
		if (r)
			return r;
	}
	return 0;
}

int options_parse(const struct option_row *const *tables, void *values, int argc, char **argv,
		  int *ret_n, struct weir_err *err)
{
	struct parser p = {
		.tables = tables, .values = values, .argc = argc, .argv = argv, .err = err
	};
	bool only_arguments = false;
	int n = 0, r;

	for (; p.at < argc; p.at++) {
		char *word = argv[p.at];

		if (only_arguments || word[0] != '-' || !word[1]) { /* "-" alone is stdin */
			argv[n++] = word;
			continue;
		}
		if (!strcmp(word, "--")) {
			only_arguments = true;
			continue;
		}
		r = word[1] == '-' ? parse_long(&p, word + 2) : parse_short(&p, word + 1);
		if (r)
			return r;
	}
	*ret_n = n;
	return 0;
}

static int left_column(const struct option_row *row, char *buf, size_t size)
{
	char first[8] = "    ";

	if (row->short_name)
		snprintf(first, sizeof(first), "-%c, ", row->short_name);
	return snprintf(buf, size, "  %s--%s%s%s", first, row->name, row->metavar ? " " : "",
			row->metavar ? row->metavar : "");
}

void options_help(const struct option_row *table, FILE *out)
{
	char left[128];

	for (const struct option_row *row = table; row && row->name; row++) {
		if (left_column(row, left, sizeof(left)) > 30)
			fprintf(out, "%s\n%-30s %s\n", left, "", row->help);
		else
			fprintf(out, "%-30s %s\n", left, row->help);
	}
}
