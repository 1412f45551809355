// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Escapes and requests of man(7). See roff.h. */
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "cli/roff.h"

/* Writes a character beyond ASCII by its code point. Returns its bytes in UTF-8; 1 if invalid. */
static size_t put_wide(const unsigned char *text, FILE *out)
{
	size_t n = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
	unsigned int code = *text & (0x7f >> n);

	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			putc('?', out);
			return 1;
		}
		code = code << 6 | (text[i] & 0x3f);
	}
	fprintf(out, "\\[u%04X]", code);
	return n;
}

/* Escapes text, also at the beginning of a line. */
void roff_text(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\'')
			fputs("\\(aq", out);
		else if (*text & 0x80)
			text += put_wide((const unsigned char *)text, out) - 1;
		else
			putc(*text, out);
	}
}

void roff_bold(const char *text, FILE *out)
{
	fputs("\\fB", out);
	roff_text(text, out);
	fputs("\\fR", out);
}

void roff_line(const char *text, FILE *out)
{
	roff_text(text, out);
	putc('\n', out);
}

void roff_section(const char *title, FILE *out)
{
	fprintf(out, ".SH %s\n", title);
}

void roff_entries(const struct man_entry *entries, FILE *out)
{
	for (; entries->term; entries++) {
		fputs(".TP\n", out);
		roff_bold(entries->term, out);
		putc('\n', out);
		roff_line(entries->text, out);
	}
}

/*
 * details as help shows them. An indented line is an example, "TERM  text" with two blanks an
 * entry, any other line is filled.
 */
void roff_details(const char *details, FILE *out)
{
	_cleanup_(arena_free) struct arena arena = {};
	bool entries = false;

	fputs(".PP\n", out);
	for (const char *line = details, *next; *line; line = next) {
		size_t len = strcspn(line, "\n");
		char *text = arena_strndup(&arena, line, len), *gap = strstr(text, "  ");

		next = line + len + (line[len] == '\n');
		if (!len) {
			fputs(".PP\n", out);
			entries = false;
		} else if (gap == text) {
			fputs(".RS 4\n.nf\n", out);
			roff_line(text + strspn(text, " "), out);
			fputs(".fi\n.RE\n", out);
		} else if (gap) {
			*gap = 0;
			fputs(".TP\n", out);
			roff_bold(text, out);
			putc('\n', out);
			roff_line(gap + 2 + strspn(gap + 2, " "), out);
			entries = true;
		} else {
			fputs(entries ? ".PP\n" : "", out);
			entries = false;
			roff_line(text, out);
		}
	}
}
