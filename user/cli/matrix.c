// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The report as a matrix of letters. See matrix.h. Both families share one block if they agree
 * wherever both were evaluated; otherwise each has its own.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/matrix.h"

#define LETTER_ALLOW '.'
#define LETTER_EGRESS 'e'
#define LETTER_INGRESS 'i'
#define LETTER_BOTH 'b'
#define LETTER_OTHER 'x'
#define LETTER_MIXED '~' /* a port name with several numbers whose answers differ */

#define CORNER "from \\ to"

struct matrix {
	const struct report *report;
	const struct report_port *ports;
	size_t n_ports, n; /* n: rows and columns */
	char *letters; /* [port][family][from][to]; 0: not evaluated */
};

static char *letter_at(const struct matrix *m, size_t port, int family, size_t from, size_t to)
{
	return &m->letters[((port * 2 + family) * m->n + from) * m->n + to];
}

struct matrix *matrix_new(const struct report *r)
{
	struct matrix *m = mem_zalloc(sizeof(*m));

	m->report = r;
	m->n_ports = report_ports(r, &m->ports);
	m->n = report_n_rows(r);
	m->letters = mem_zalloc(m->n_ports * 2 * m->n * m->n);
	return m;
}

static char letter_of(const struct report_item *item)
{
	if (item->allow)
		return LETTER_ALLOW;
	if (!item->egress.allow && !item->ingress.allow)
		return LETTER_BOTH;
	if (!item->egress.allow)
		return LETTER_EGRESS;
	return item->ingress.allow ? LETTER_OTHER : LETTER_INGRESS;
}

int matrix_add(const struct report_item *item, void *matrix)
{
	char *at = letter_at(matrix, item->port_row, item->family, item->from_row, item->to_row);
	char letter = letter_of(item);

	*at = !*at || *at == letter ? letter : LETTER_MIXED;
	return 0;
}

static bool families_agree(const struct matrix *m, size_t port)
{
	const char *v4 = letter_at(m, port, 0, 0, 0), *v6 = letter_at(m, port, 1, 0, 0);

	for (size_t i = 0; i < m->n * m->n; i++)
		if (v4[i] && v6[i] && v4[i] != v6[i])
			return false;
	return true;
}

static bool asked(const struct matrix *m, size_t port, int family)
{
	const char *letters = letter_at(m, port, family, 0, 0);

	for (size_t i = 0; i < m->n * m->n; i++)
		if (letters[i])
			return true;
	return false;
}

static void print_letter(const struct style *s, FILE *out, char letter, int width)
{
	enum tone tone = !letter ? TONE_DIM : letter == LETTER_ALLOW ? TONE_GOOD : TONE_BAD;

	fprintf(out, "%*s%s%c%s", width - 1, "", tone_on(s, tone), letter ? letter : '-',
		tone_off(s, tone));
}

/* family -1: both agree; a cell shows the one that was asked. */
static void print_block(const struct matrix *m, size_t port, int family, const struct style *s,
			FILE *out)
{
	int label = strlen(CORNER), width = snprintf(NULL, 0, " %zu", m->n);

	for (size_t i = 0; i < m->n; i++)
		if ((int)strlen(report_row_text(m->report, i)) > label)
			label = strlen(report_row_text(m->report, i));
	fprintf(out, "%*s %-*s", width, "", label, CORNER);
	for (size_t i = 0; i < m->n; i++)
		fprintf(out, "%*zu", width, i + 1);
	fputc('\n', out);
	for (size_t from = 0; from < m->n; from++) {
		fprintf(out, "%*zu %-*s", width, from + 1, label > 9 ? label : 10,
			report_row_text(m->report, from));
		for (size_t to = 0; to < m->n; to++) {
			char letter = *letter_at(m, port, family < 0 ? 0 : family, from, to);

			if (!letter && family < 0)
				letter = *letter_at(m, port, 1, from, to);
			print_letter(s, out, letter, width);
		}
		fputc('\n', out);
	}
}

static void print_port(const struct matrix *m, size_t port, int family, const struct style *s,
		       FILE *out)
{
	const struct report_port *p = &m->ports[port];

	fprintf(out, "%s", tone_on(s, TONE_STRONG));
	if (p->name)
		fprintf(out, "%s%s%s", p->name, p->proto ? "/" : "",
			p->proto ? proto_text(p->proto) : "");
	else
		fprintf(out, "%u/%s", p->port, proto_text(p->proto));
	fprintf(out, "%s%s%s\n", family < 0 ? "" : " ", family < 0 ? "" : family_text(family),
		tone_off(s, TONE_STRONG));
	print_block(m, port, family, s, out);
	fputc('\n', out);
}

void matrix_print(const struct matrix *m, const struct style *s, FILE *out)
{
	for (size_t port = 0; port < m->n_ports; port++) {
		if (families_agree(m, port)) {
			print_port(m, port, -1, s, out);
			continue;
		}
		for (int family = 0; family < 2; family++)
			if (asked(m, port, family))
				print_port(m, port, family, s, out);
	}
	fputs(". allowed   e denied by the source's egress   i by the destination's ingress   b by both   x otherwise   - not evaluated\n",
	      out);
}

void matrix_free(struct matrix **mp)
{
	if (*mp)
		free((*mp)->letters);
	free(*mp);
	*mp = NULL;
}
