// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See field.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kube/field.h"

#define NAME_SHOWN 256 /* bytes of a kind or name in a message: valid ones are shorter */
#define FIELD_DEPTH_MAX 24 /* decoders reach 9, unknown_fields.c twice SCHEMA_DEPTH_MAX */

struct field field_root(struct decode *d, const struct doc_node *node)
{
	return (struct field){ .d = d, .node = node };
}

struct field field_at(const struct field *up, const char *key)
{
	struct field f = { .d = up->d, .up = up, .key = key };

	if (up->node)
		f.node = doc_get(up->node, key);
	if (f.node && f.node->type == DOC_NULL)
		f.node = NULL;
	return f;
}

static struct field must_be(struct field f, enum doc_type type, const char *wanted)
{
	if (!f.node || f.node->type == type)
		return f;
	field_error(&f, KUBE_E_TYPE, "expected %s, found %s", wanted, field_found(&f));
	f.node = NULL;
	return f;
}

struct field field_map(const struct field *up, const char *key)
{
	return must_be(field_at(up, key), DOC_MAP, "a mapping");
}

struct field field_list(const struct field *up, const char *key)
{
	return must_be(field_at(up, key), DOC_LIST, "a list");
}

bool field_empty(const struct field *f)
{
	return !f->node || (f->node->type == DOC_STRING && !*f->node->text);
}

size_t field_count(const struct field *f)
{
	if (!f->node)
		return 0;
	return f->node->type == DOC_LIST ? f->node->n_items : f->node->n_pairs;
}

struct field field_item(const struct field *list, size_t i)
{
	const struct doc_node *n = list->node->items[i];

	return (struct field){
		.d = list->d, .up = list, .index = i, .node = n->type == DOC_NULL ? NULL : n
	};
}

struct field field_map_item(const struct field *list, size_t i)
{
	return must_be(field_item(list, i), DOC_MAP, "a mapping");
}

struct field field_pair(const struct field *map, size_t i)
{
	const struct doc_pair *p = &map->node->pairs[i];

	return (struct field){ .d = map->d,
			       .up = map,
			       .key = p->key,
			       .node = p->value->type == DOC_NULL ? NULL : p->value };
}

/* ---- Scalars ---- */

const char *field_raw(const struct field *f, const char *otherwise)
{
	if (!f->node)
		return otherwise;
	if (f->node->type == DOC_STRING)
		return f->node->text;
	if (f->node->type == DOC_MAP || f->node->type == DOC_LIST)
		field_error(f, KUBE_E_TYPE, "expected a string, found %s", field_found(f));
	else
		field_error(f, KUBE_E_TYPE, "expected a string, found %s: put it in quotes",
			    field_found(f));
	return otherwise;
}

const char *field_text(const struct field *f, const char *otherwise)
{
	const char *text = field_raw(f, NULL);

	return text ? arena_strdup(f->d->arena, text) : otherwise;
}

/* For a string that holds the number or boolean that the field takes. */
static const char *quotes_hint(const struct doc_node *n, enum doc_type wanted)
{
	const char *text = n->text;
	bool fits;

	if (n->type != DOC_STRING)
		return "";
	if (wanted == DOC_INT)
		fits = *text && !text[strspn(text, "0123456789")];
	else
		fits = !strcmp(text, "true") || !strcmp(text, "false");
	return fits ? ": remove the quotes" : "";
}

int64_t field_number(const struct field *f, int64_t min, int64_t max, int64_t otherwise)
{
	if (!f->node)
		return otherwise;
	if (f->node->type != DOC_INT) {
		field_error(f, KUBE_E_TYPE, "expected an integer, found %s%s", field_found(f),
			    quotes_hint(f->node, DOC_INT));
		return otherwise;
	}
	if (f->node->number < min || f->node->number > max) {
		field_error(f, KUBE_E_RANGE, "expected an integer from %lld to %lld, found %lld",
			    (long long)min, (long long)max, (long long)f->node->number);
		return otherwise;
	}
	return f->node->number;
}

bool field_flag(const struct field *f, bool otherwise)
{
	if (!f->node)
		return otherwise;
	if (f->node->type == DOC_BOOL)
		return f->node->number;
	field_error(f, KUBE_E_TYPE, "expected true or false, found %s%s", field_found(f),
		    quotes_hint(f->node, DOC_BOOL));
	return otherwise;
}

/* "A, B or C" */
static void join_words(const char *const *words, char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; words[i] && len < size; i++)
		len += snprintf(buf + len, size - len, "%s%s",
				!i             ? ""
				: words[i + 1] ? ", "
					       : " or ",
				words[i]);
}

int field_word(const struct field *f, const char *const *words, int otherwise)
{
	return field_empty(f) ? otherwise : field_word_given(f, words, otherwise);
}

int field_word_given(const struct field *f, const char *const *words, int otherwise)
{
	const char *text = field_raw(f, NULL);
	char all[160] = "";

	if (!text)
		return otherwise;
	for (int i = 0; words[i]; i++)
		if (!strcmp(text, words[i]))
			return i;
	join_words(words, all, sizeof(all));
	field_error(f, KUBE_E_VALUE, "expected %s, found %s", all, field_quoted(f));
	return otherwise;
}

/* Exactly n digits, not above most; -1: none. */
static int take_digits(const char **at, int n, int most)
{
	int value = 0;

	for (; n; n--, ++*at) {
		if (!isdigit((unsigned char)**at))
			return -1;
		value = 10 * value + (**at - '0');
	}
	return value <= most ? value : -1;
}

static bool take_date(const char **at, struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap;

	tm->tm_year = take_digits(at, 4, 9999);
	if (tm->tm_year < 0 || *(*at)++ != '-')
		return false;
	tm->tm_mon = take_digits(at, 2, 12) - 1;
	if (tm->tm_mon < 0 || *(*at)++ != '-')
		return false;
	tm->tm_mday = take_digits(at, 2, 31);
	leap = tm->tm_year % 4 == 0 && (tm->tm_year % 100 || tm->tm_year % 400 == 0);
	return tm->tm_mday > 0 && tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1);
}

static bool take_clock(const char **at, struct tm *tm)
{
	tm->tm_hour = take_digits(at, 2, 23);
	if (tm->tm_hour < 0 || *(*at)++ != ':')
		return false;
	tm->tm_min = take_digits(at, 2, 59);
	if (tm->tm_min < 0 || *(*at)++ != ':')
		return false;
	tm->tm_sec = take_digits(at, 2, 59);
	if (tm->tm_sec < 0)
		return false;
	if ((**at == '.' || **at == ',') && isdigit((unsigned char)(*at)[1]))
		*at += 1 + strspn(*at + 1, "0123456789");
	return true;
}

/* RFC 3339: 2006-01-02T15:04:05[.fraction](Z|+hh:mm). */
static bool parse_time(const char *text, int64_t *ret_seconds)
{
	int hours = 0, minutes = 0, sign;
	struct tm tm = {};

	if (!take_date(&text, &tm) || *text++ != 'T' || !take_clock(&text, &tm))
		return false;
	sign = *text == '-' ? -1 : 1;
	if (*text == '-' || *text == '+') {
		text++;
		hours = take_digits(&text, 2, 24);
		if (hours < 0 || *text++ != ':')
			return false;
		minutes = take_digits(&text, 2, 60);
		if (minutes < 0)
			return false;
	} else if (*text++ != 'Z') {
		return false;
	}
	tm.tm_year -= 1900;
	*ret_seconds = timegm(&tm) - sign * (hours * 3600 + minutes * 60);
	return !*text;
}

int64_t field_time(const struct field *f)
{
	const char *text = field_raw(f, NULL);
	int64_t seconds = 0;

	if (text && !parse_time(text, &seconds))
		field_error(f, KUBE_E_TIME, "expected a time like 2006-01-02T15:04:05Z, found %s",
			    field_quoted(f));
	return seconds;
}

const char *field_raw_at(const struct field *up, const char *key, const char *otherwise)
{
	struct field f = field_at(up, key);

	return field_raw(&f, otherwise);
}

const char *field_text_at(const struct field *up, const char *key, const char *otherwise)
{
	struct field f = field_at(up, key);

	return field_text(&f, otherwise);
}

int64_t field_number_at(const struct field *up, const char *key, int64_t min, int64_t max,
			int64_t otherwise)
{
	struct field f = field_at(up, key);

	return field_number(&f, min, max, otherwise);
}

bool field_flag_at(const struct field *up, const char *key, bool otherwise)
{
	struct field f = field_at(up, key);

	return field_flag(&f, otherwise);
}

int field_word_at(const struct field *up, const char *key, const char *const *words, int otherwise)
{
	struct field f = field_at(up, key);

	return field_word(&f, words, otherwise);
}

int field_word_given_at(const struct field *up, const char *key, const char *const *words,
			int otherwise)
{
	struct field f = field_at(up, key);

	return field_word_given(&f, words, otherwise);
}

/* ---- Positions and errors ---- */

struct src field_src(const struct field *f)
{
	const struct field *at = f;

	while (!at->node && at->up)
		at = at->up;
	return (struct src){ .file = f->d->file,
			     .line = at->node ? at->node->line : 0,
			     .col = at->node ? at->node->col : 0 };
}

const char *field_found(const struct field *f)
{
	static _Thread_local char text[96];

	return f->node ? doc_describe(f->node, text, sizeof(text)) : "nothing";
}

const char *field_quoted(const struct field *f)
{
	static _Thread_local char text[96];

	return doc_quote(f->node, text, sizeof(text));
}

static bool plain_key(const char *key)
{
	for (const char *p = key; *p; p++)
		if (!isalnum((unsigned char)*p))
			return false;
	return *key;
}

/* "spec.ingress[2].ports[0]", metadata.labels["a.b/c"] */
char *field_path(const struct field *f)
{
	const struct field *chain[FIELD_DEPTH_MAX];
	char *text = NULL;
	size_t n = 0, size;
	FILE *out = open_memstream(&text, &size);

	for (; f && f->up && n < FIELD_DEPTH_MAX; f = f->up)
		chain[n++] = f;
	for (size_t i = n; out && i--;) {
		if (!chain[i]->key)
			fprintf(out, "[%zu]", chain[i]->index);
		else if (plain_key(chain[i]->key))
			fprintf(out, "%s%.80s", i == n - 1 ? "" : ".", chain[i]->key);
		else
			fprintf(out, "[\"%.80s\"]", chain[i]->key);
	}
	if (out)
		fclose(out);
	return text;
}

char *field_object(const struct field *f)
{
	const struct decode *d = f->d;

	if (!d->kind)
		return NULL;
	if (!d->name || !*d->name)
		return mem_printf("%.*s", NAME_SHOWN, d->kind);
	return mem_printf("%.*s %.*s%s%.*s", NAME_SHOWN, d->kind, NAME_SHOWN, d->ns ? d->ns : "",
			  d->ns && *d->ns ? "/" : "", NAME_SHOWN, d->name);
}

static void report(const struct field *f, enum diag_level level, const char *code,
		   const char *message)
{
	_cleanup_(mem_free) char *path = field_path(f), *object = field_object(f);
	struct src src = field_src(f);

	diag_add(f->d->diags, level, code, &src, object, path && *path ? path : NULL, "%s",
		 message);
}

void field_error(const struct field *f, enum kube_code code, const char *fmt, ...)
{
	_cleanup_(mem_free) char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	message = mem_vprintf(fmt, ap);
	va_end(ap);
	report(f, DIAG_ERROR, kube_code_text(code), message);
}

void field_warning(const struct field *f, const char *fmt, ...)
{
	_cleanup_(mem_free) char *message = NULL;
	va_list ap;

	va_start(ap, fmt);
	message = mem_vprintf(fmt, ap);
	va_end(ap);
	report(f, DIAG_WARNING, NULL, message);
}
