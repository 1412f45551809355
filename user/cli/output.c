// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables, colour, CSV fields. See output.h. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"

#define COLUMN_GAP 2

void style_locale(void)
{
	setlocale(LC_CTYPE, "");
}

static unsigned int terminal_width(FILE *f)
{
	struct winsize ws;

	return !ioctl(fileno(f), TIOCGWINSZ, &ws) ? ws.ws_col : 0;
}

struct style style_detect(FILE *f, const char *choice)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct style s = { .tty = isatty(fileno(f)), .width = terminal_width(f) };

	s.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	s.color = s.tty && !(no_color && *no_color) && term && strcmp(term, "dumb");
	if (choice && !strcmp(choice, "always"))
		s.color = true;
	if (choice && !strcmp(choice, "never"))
		s.color = false;
	return s;
}

const char *tone_on(const struct style *s, enum tone tone)
{
	static const char *const codes[] = {
		[TONE_PLAIN] = "",        [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
		[TONE_WARN] = "\033[33m", [TONE_DIM] = "\033[2m",   [TONE_STRONG] = "\033[1m",
	};

	return s->color ? codes[tone] : "";
}

const char *tone_off(const struct style *s, enum tone tone)
{
	return s->color && tone != TONE_PLAIN ? "\033[0m" : "";
}

size_t text_width(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) != 0x80;
	return n;
}

void grid_init(struct grid *t, const struct style *s, bool no_headers, const char *const *columns)
{
	*t = (struct grid){ .columns = columns, .style = *s, .no_headers = no_headers };
	while (columns[t->n_columns])
		t->n_columns++;
}

void grid_cell(struct grid *t, enum tone tone, const char *fmt, ...)
{
	struct grid_cell *cell = VEC_ADD(t->cells, t->n, t->cap);
	va_list ap;

	va_start(ap, fmt);
	cell->text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (!*cell->text) {
		free(cell->text);
		cell->text = mem_strdup("-");
	}
	cell->tone = tone;
}

static void print_cell(const struct grid *t, FILE *out, const struct grid_cell *cell, size_t width,
		       bool last)
{
	size_t used = text_width(cell->text);

	fprintf(out, "%s%s%s", tone_on(&t->style, cell->tone), cell->text,
		tone_off(&t->style, cell->tone));
	if (last)
		fputc('\n', out);
	else
		fprintf(out, "%*s", (int)(width - used + COLUMN_GAP), "");
}

void grid_print(const struct grid *t, FILE *out)
{
	_cleanup_(mem_free) size_t *width = mem_zalloc(t->n_columns * sizeof(*width));

	for (size_t c = 0; c < t->n_columns; c++)
		width[c] = t->no_headers ? 0 : text_width(t->columns[c]);
	for (size_t i = 0; i < t->n; i++) {
		size_t w = text_width(t->cells[i].text);

		if (w > width[i % t->n_columns])
			width[i % t->n_columns] = w;
	}
	for (size_t c = 0; c < t->n_columns && !t->no_headers; c++) {
		struct grid_cell head = { (char *)t->columns[c], TONE_STRONG };

		print_cell(t, out, &head, width[c], c + 1 == t->n_columns);
	}
	for (size_t i = 0; i < t->n; i++) {
		size_t c = i % t->n_columns;

		print_cell(t, out, &t->cells[i], width[c], c + 1 == t->n_columns);
	}
}

void grid_free(struct grid *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	t->cells = NULL;
	t->n = t->cap = 0;
}

void csv_field(FILE *out, bool first, const char *text)
{
	if (!first)
		fputc(',', out);
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}
