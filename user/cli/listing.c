// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Rows as a table or as JSON. See listing.h. */
#include <stdarg.h>
#include <stdlib.h>

#include "cli/listing.h"

static bool in_table(const struct listing *l, const struct listing_column *column)
{
	if (cli_output_is(l->common, "name"))
		return column == l->columns;
	return column->heading && (!column->wide || cli_output_is(l->common, "wide"));
}

void listing_begin(struct listing *l, const struct common_options *c, const char *kind,
		   const struct listing_column *columns)
{
	size_t n = 0;

	*l = (struct listing){ .common = c, .columns = columns };
	for (; columns[l->n_columns].key; l->n_columns++)
		if (in_table(l, &columns[l->n_columns]))
			l->headings[n++] = columns[l->n_columns].heading;
	if (cli_json(c)) {
		emit_open(&l->emit, stdout);
		emit_list_begin(&l->emit, kind);
	} else {
		grid_init(&l->table, &c->out, c->no_headers || cli_output_is(c, "name"),
			  l->headings);
	}
}

/* The column of the next value. */
static const struct listing_column *next_column(struct listing *l)
{
	const struct listing_column *column = &l->columns[l->at];

	if (cli_json(l->common) && !l->at)
		emit_item_begin(&l->emit);
	l->at = (l->at + 1) % l->n_columns;
	return column;
}

static void end_column(struct listing *l)
{
	if (cli_json(l->common) && !l->at)
		emit_item_end(&l->emit);
}

void listing_tone(struct listing *l, enum tone tone, const char *text)
{
	const struct listing_column *column = next_column(l);

	if (cli_json(l->common))
		emit_text(&l->emit, column->key, text && *text ? text : NULL);
	else if (in_table(l, column))
		grid_cell(&l->table, tone, "%s", text ? text : "");
	end_column(l);
}

void listing_text(struct listing *l, const char *text)
{
	listing_tone(l, TONE_PLAIN, text);
}

void listing_printf(struct listing *l, const char *fmt, ...)
{
	_cleanup_(mem_free) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	listing_text(l, text);
}

void listing_int(struct listing *l, long long value)
{
	const struct listing_column *column = next_column(l);

	if (cli_json(l->common))
		emit_int(&l->emit, column->key, value);
	else if (in_table(l, column))
		grid_cell(&l->table, TONE_PLAIN, "%lld", value);
	end_column(l);
}

void listing_count(struct listing *l, long long value)
{
	if (value >= 0)
		listing_int(l, value);
	else
		listing_text(l, NULL);
}

void listing_end(struct listing *l)
{
	if (cli_json(l->common)) {
		emit_list_end(&l->emit);
		emit_close(&l->emit);
	} else {
		grid_print(&l->table, stdout);
		grid_free(&l->table);
	}
}
