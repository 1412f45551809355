// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See diag.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/mem.h"

#define SHOWN_MAX 1000 /* bytes of one part (object, path, message) that are printed */

static const char *const level_text[] = {
	[DIAG_NOTE] = "note",
	[DIAG_WARNING] = "warning",
	[DIAG_ERROR] = "error",
};

bool diag_has_room(const struct diag_list *list, enum diag_level level)
{
	return list->kept[level] < DIAG_KEPT_MAX;
}

/* A little more than is printed: it shows that the text was cut. */
static char *copy_shown(const char *text)
{
	return text ? mem_strndup(text, strnlen(text, 2 * SHOWN_MAX)) : NULL;
}

void diag_add(struct diag_list *list, enum diag_level level, const char *code,
	      const struct src *src, const char *object, const char *path, const char *fmt, ...)
{
	_cleanup_(mem_free) char *message = NULL;
	struct diag *d;
	va_list ap;

	list->errors += level == DIAG_ERROR;
	if (!diag_has_room(list, level)) {
		list->more[level]++;
		return;
	}
	list->kept[level]++;
	va_start(ap, fmt);
	message = mem_vprintf(fmt, ap);
	va_end(ap);
	d = VEC_ADD(list->items, list->n, list->cap);
	d->level = level;
	if (src) {
		d->src = *src;
		d->src.file = src->file ? mem_strdup(src->file) : NULL;
	}
	d->code = copy_shown(code);
	d->object = copy_shown(object);
	d->path = copy_shown(path);
	d->message = copy_shown(message);
}

static int by_position(const void *a, const void *b)
{
	const struct diag *x = *(const struct diag *const *)a, *y = *(const struct diag *const *)b;
	int order;

	order = strcmp(x->src.file ? x->src.file : "", y->src.file ? y->src.file : "");
	if (!order)
		order = (x->src.line > y->src.line) - (x->src.line < y->src.line);
	if (!order)
		order = (x->src.col > y->src.col) - (x->src.col < y->src.col);
	return order ? order : (x > y) - (x < y);
}

/* C0, DEL, or C1 encoded as UTF-8. */
static bool is_control(const char *c)
{
	return (unsigned char)*c < ' ' || *c == 0x7f || (*c == '\xc2' && (c[1] & 0xe0) == 0x80);
}

/*
 * Names and values come from the manifests and are not trusted: a line break could forge a
 * diagnostic, an escape sequence control the terminal. Control characters become '?'; long text is
 * cut.
 */
static void print_untrusted(const char *text, FILE *out)
{
	for (size_t i = 0; text[i]; i++) {
		if (i >= SHOWN_MAX && ((unsigned char)text[i] & 0xc0) != 0x80) {
			fputs("...", out);
			return;
		}
		if (is_control(&text[i])) {
			fputc('?', out);
			i += text[i] == '\xc2';
		} else {
			fputc(text[i], out);
		}
	}
}

static void print_one(const struct diag *d, FILE *out)
{
	if (d->src.file && d->src.line)
		fprintf(out, "%s:%d:%d: ", d->src.file, d->src.line, d->src.col);
	else if (d->src.file)
		fprintf(out, "%s: ", d->src.file);
	fprintf(out, "%s%s%s: ", level_text[d->level], d->code ? " " : "", d->code ? d->code : "");
	if (d->object) {
		print_untrusted(d->object, out);
		fputs(": ", out);
	}
	if (d->path) {
		print_untrusted(d->path, out);
		fputs(": ", out);
	}
	print_untrusted(d->message, out);
	fputc('\n', out);
}

static void print_rest(const struct diag_list *list, enum diag_level level, FILE *out)
{
	size_t more = list->more[level];

	if (more)
		fprintf(out, "%s: %zu more %s%s not shown\n", level_text[level], more,
			level_text[level], more == 1 ? " is" : "s are");
}

/* Written at once: stderr has no buffer. */
void diag_print_from(const struct diag_list *list, enum diag_level least, FILE *out)
{
	_cleanup_(mem_free) const struct diag **order = mem_zalloc((list->n + 1) * sizeof(*order));
	_cleanup_(mem_free) char *text = NULL;
	size_t n = 0, len;
	FILE *lines = open_memstream(&text, &len);

	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].level >= least)
			order[n++] = &list->items[i];
	qsort(order, n, sizeof(*order), by_position);
	for (size_t i = 0; i < n; i++)
		print_one(order[i], lines);
	for (enum diag_level level = least; level < _DIAG_LEVEL_MAX; level++)
		print_rest(list, level, lines);
	fclose(lines);
	fwrite(text, 1, len, out);
}

void diag_print(const struct diag_list *list, FILE *out)
{
	diag_print_from(list, DIAG_NOTE, out);
}

/* If one of a level is dropped, those that are not kept came after it. */
static void forget_rest(struct diag_list *list, enum diag_level level)
{
	list->errors -= level == DIAG_ERROR ? list->more[level] : 0;
	list->more[level] = 0;
}

void diag_drop(struct diag_list *list, size_t n)
{
	while (list->n > n) {
		struct diag *d = &list->items[--list->n];

		list->errors -= d->level == DIAG_ERROR;
		list->kept[d->level]--;
		forget_rest(list, d->level);
		free((char *)d->src.file);
		free(d->code);
		free(d->object);
		free(d->path);
		free(d->message);
		*d = (struct diag){};
	}
}

void diag_make_strict(struct diag_list *list, const char *code)
{
	for (size_t i = 0; i < list->n; i++) {
		struct diag *d = &list->items[i];

		if (d->level != DIAG_WARNING)
			continue;
		d->level = DIAG_ERROR;
		d->code = mem_strdup(code);
		list->errors++;
	}
	list->kept[DIAG_ERROR] += list->kept[DIAG_WARNING];
	list->more[DIAG_ERROR] += list->more[DIAG_WARNING];
	list->errors += list->more[DIAG_WARNING];
	list->kept[DIAG_WARNING] = list->more[DIAG_WARNING] = 0;
}

void diag_free(struct diag_list *list)
{
	diag_drop(list, 0);
	free(list->items);
	*list = (struct diag_list){};
}

int err_set(struct weir_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

const char *err_name(int code)
{
	static _Thread_local char unknown[16];
	const char *name = strerrorname_np(abs(code));

	if (name)
		return name;
	snprintf(unknown, sizeof(unknown), "E%d", code);
	return unknown;
}
