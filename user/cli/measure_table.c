// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A measurement as text: a matrix with a row for each source and a column for each port of a
 * destination, the policies that denied, and the spread of requests to Services over backends; and
 * as JSON, one item for each question.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/explain.h"
#include "base/emit.h"
#include "cli/measure_table.h"

#define WIDTH_WHEN_UNKNOWN 120

/* ---- Matrix ---- */

struct column {
	const char *to;
	size_t to_row;
	int proto;
	uint16_t port;
	char *text;
};

struct columns {
	struct arena arena; /* of the texts */
	struct column *items;
	size_t n, cap;
};

static const char *short_name(const char *text)
{
	const char *slash = strchr(text, '/');

	return slash ? slash + 1 : text;
}

static int by_destination(const void *a, const void *b)
{
	const struct column *p = a, *q = b;

	if (p->to_row != q->to_row)
		return p->to_row < q->to_row ? -1 : 1;
	return p->proto != q->proto ? p->proto - q->proto : (int)p->port - q->port;
}

static void collect_columns(const struct measure *m, struct columns *cols)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct report_item *item = &m->results[i].item;
		struct column *c = NULL;

		for (size_t j = 0; j < cols->n && !c; j++)
			if (!strcmp(cols->items[j].to, item->to) &&
			    cols->items[j].proto == item->proto &&
			    cols->items[j].port == item->port)
				c = &cols->items[j];
		if (c)
			continue;
		c = VEC_ADD(cols->items, cols->n, cols->cap);
		c->to = item->to;
		c->to_row = item->to_row;
		c->proto = item->proto;
		c->port = item->port;
		c->text = arena_printf(&cols->arena, "%s:%u%s", short_name(item->to), item->port,
				       item->proto == IPPROTO_TCP   ? ""
				       : item->proto == IPPROTO_UDP ? "/udp"
								    : "/sctp");
	}
	if (cols->n)
		qsort(cols->items, cols->n, sizeof(*cols->items), by_destination);
}

/* Both families of one question; of two, the one that differs is shown. */
struct cell {
	bool asked, allow, mixed, differs, unknown;
	enum sandbox_measured measured;
};

static struct cell cell_of(const struct measure *m, const char *from, const struct column *c)
{
	struct cell cell = {};

	for (size_t i = 0; i < m->n; i++) {
		const struct measure_result *r = &m->results[i];

		if (strcmp(r->item.from, from) || strcmp(r->item.to, c->to) ||
		    r->item.proto != c->proto || r->item.port != c->port)
			continue;
		cell.mixed |= cell.asked && cell.allow != r->item.allow;
		cell.unknown |= r->measured == SANDBOX_UNKNOWN;
		if (!cell.differs) {
			cell.allow = r->item.allow;
			cell.measured = r->measured;
			cell.differs = !measure_agrees(r);
		}
		cell.asked = true;
	}
	return cell;
}

static void print_cell(struct grid *t, const struct cell *c, bool utf8)
{
	if (!c->asked)
		grid_cell(t, TONE_DIM, "%s", utf8 ? "·" : ".");
	else if (c->differs)
		grid_cell(t, TONE_WARN, "%s %s %s", c->allow ? "allow" : "deny",
			  utf8 ? "≠" : "!=", sandbox_measured_text(c->measured));
	else if (c->mixed)
		grid_cell(t, TONE_PLAIN, "by family %s", utf8 ? "✓" : "ok");
	else
		grid_cell(t, c->allow ? TONE_GOOD : TONE_BAD, "%s %s", c->allow ? "allow" : "deny",
			  c->unknown ? "?"
			  : utf8     ? "✓"
				     : "ok");
}

static void print_block(const struct measure *m, const struct common_options *c,
			const struct columns *cols, size_t first, size_t n, FILE *out)
{
	_cleanup_(mem_free) const char **heads = mem_zalloc((n + 2) * sizeof(*heads));
	_cleanup_(grid_free) struct grid t = {};

	heads[0] = "FROM \\ TO";
	for (size_t i = 0; i < n; i++)
		heads[i + 1] = cols->items[first + i].text;
	grid_init(&t, &c->out, c->no_headers, heads);
	for (size_t row = 0; row < report_n_rows(m->report); row++) {
		const char *from = report_row_text(m->report, row);

		grid_cell(&t, TONE_PLAIN, "%s", from);
		for (size_t i = 0; i < n; i++) {
			struct cell cell = cell_of(m, from, &cols->items[first + i]);

			print_cell(&t, &cell, c->out.utf8);
		}
	}
	grid_print(&t, out);
}

static size_t label_width(const struct measure *m)
{
	size_t width = 0;

	for (size_t row = 0; row < report_n_rows(m->report); row++)
		if (text_width(report_row_text(m->report, row)) > width)
			width = text_width(report_row_text(m->report, row));
	return width;
}

/* As many columns side by side as fit the terminal, the next ones below. */
static void print_matrix(const struct measure *m, const struct common_options *c, FILE *out)
{
	size_t width = c->out.width ? c->out.width : WIDTH_WHEN_UNKNOWN, label = label_width(m);
	struct columns cols = {};

	collect_columns(m, &cols);
	for (size_t first = 0, n; first < cols.n; first += n) {
		size_t used = label;

		for (n = 0; first + n < cols.n; n++) {
			size_t w = text_width(cols.items[first + n].text) + 2;

			used += w < 10 ? 10 : w;
			if (n && used > width)
				break;
		}
		if (first)
			fputc('\n', out);
		print_block(m, c, &cols, first, n, out);
	}
	arena_free(&cols.arena);
	free(cols.items);
}

/* ---- Denials ---- */

struct denial {
	const char *end; /* "egress of shop/db" */
	const char *policies, *others;
};

struct denials {
	struct arena arena; /* of the texts */
	struct denial *items;
	size_t n, cap;
};

static const char *isolating_policies(const struct measure *m, const struct report_item *item,
				      enum kube_direction d, struct arena *arena)
{
	bool egress = d == KUBE_EGRESS;
	struct explain_flow flow = {
		.direction = d,
		.subject = egress ? item->from_pod : item->to_pod,
		.peer = egress ? item->to_pod : item->from_pod,
		.peer_addr = egress ? item->dst : item->src,
		.dst = item->to_pod,
		.proto = item->proto,
		.port = item->port,
	};
	struct explain_side side;
	const char *text = "";

	explain_flow(m->store, &flow, arena, &side);
	for (size_t i = 0; i < side.n_policies; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", side.policies[i].name);
	return text;
}

static struct denial *denial_of(struct denials *list, const struct measure *m,
				const struct report_item *item, enum kube_direction d)
{
	const char *end = d == KUBE_EGRESS ? arena_printf(&list->arena, "egress of %s", item->from)
					   : arena_printf(&list->arena, "ingress to %s", item->to);
	struct denial *found;

	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->items[i].end, end))
			return &list->items[i];
	found = VEC_ADD(list->items, list->n, list->cap);
	*found = (struct denial){ end, isolating_policies(m, item, d, &list->arena), "" };
	return found;
}

/* Adds a name once: families and ports share a line. */
static void add_other(struct denial *d, const char *name, struct arena *arena)
{
	const char *at = strstr(d->others, name);
	size_t len = strlen(name);

	for (; at; at = strstr(at + 1, name))
		if ((at == d->others || at[-1] == ' ') && (!at[len] || at[len] == ','))
			return;
	d->others = arena_printf(arena, "%s%s%s", d->others, *d->others ? ", " : "", name);
}

static void print_denials(const struct measure *m, const struct common_options *c, FILE *out)
{
	static const char *const heads[] = { "DENIED AT", "NO RULE MATCHES IN", "OTHER END", NULL };
	struct denials list = {};
	_cleanup_(grid_free) struct grid t = {};

	grid_init(&t, &c->out, c->no_headers, heads);
	for (size_t i = 0; i < m->n; i++) {
		const struct report_item *item = &m->results[i].item;
		bool egress = !item->egress.allow;

		if (item->allow || (item->egress.allow && item->ingress.allow))
			continue;
		add_other(denial_of(&list, m, item, egress ? KUBE_EGRESS : KUBE_INGRESS),
			  short_name(egress ? item->to : item->from), &list.arena);
	}
	for (size_t i = 0; i < list.n; i++) {
		grid_cell(&t, TONE_PLAIN, "%s", list.items[i].end);
		grid_cell(&t, TONE_BAD, "%s", list.items[i].policies);
		grid_cell(&t, TONE_PLAIN, "%s", list.items[i].others);
	}
	if (list.n) {
		fputc('\n', out);
		grid_print(&t, out);
	}
	free(list.items);
	arena_free(&list.arena);
}

/* ---- Services ---- */

static char *spread_text(const struct measure_spread *s)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; i < s->n; i++)
		fprintf(f, "%s%s %u", i ? ", " : "", short_name(s->backends[i].name),
			s->backends[i].answers);
	fclose(f);
	return text;
}

static void print_spreads(const struct measure *m, const struct common_options *c, FILE *out)
{
	static const char *const heads[] = { "SERVICE",  "FROM",       "EXPECTED",
					     "ANSWERED", "BY BACKEND", NULL };
	_cleanup_(grid_free) struct grid t = {};

	if (!m->n_spreads)
		return;
	grid_init(&t, &c->out, c->no_headers, heads);
	for (size_t i = 0; i < m->n_spreads; i++) {
		const struct measure_spread *s = &m->spreads[i];
		_cleanup_(mem_free) char *text = spread_text(s);
		const char *mark = s->elsewhere               ? "?"
				   : measure_spread_agrees(s) ? (c->out.utf8 ? "✓" : "ok")
							      : (c->out.utf8 ? "≠" : "!=");

		grid_cell(&t, TONE_PLAIN, "%s", s->service);
		grid_cell(&t, TONE_PLAIN, "%s", s->from);
		grid_cell(&t,
			  !measure_spread_agrees(s) ? TONE_WARN
			  : s->allowed              ? TONE_GOOD
						    : TONE_BAD,
			  "%s %s", measure_spread_expected(s), mark);
		grid_cell(&t, TONE_PLAIN, "%u of %u", s->answered, s->requests);
		grid_cell(&t, TONE_PLAIN, "%s", text);
	}
	fputc('\n', out);
	grid_print(&t, out);
}

void measure_print(const struct measure *m, const struct common_options *c, FILE *out)
{
	size_t asked = m->n, differ = measure_differences(m);

	print_matrix(m, c, out);
	print_denials(m, c, out);
	print_spreads(m, c, out);
	fprintf(out, "\n%s%zu connections tried besides Services, %zu %s not as expected%s\n",
		tone_on(&c->out, differ ? TONE_BAD : TONE_GOOD), asked, differ,
		differ == 1 ? "result" : "results",
		tone_off(&c->out, differ ? TONE_BAD : TONE_GOOD));
}

static void emit_spread(struct emit *e, const struct measure_spread *s)
{
	emit_text(e, "from", s->from);
	emit_printf(e, "service", "%s/%s", s->port->ns, s->port->service);
	emit_int(e, "port", s->frontend->port);
	emit_text(e, "protocol", proto_text(s->frontend->proto));
	emit_text(e, "expected", measure_spread_expected(s));
	emit_bool(e, "agrees", measure_spread_agrees(s));
	emit_int(e, "candidates", s->candidates);
	emit_int(e, "reachable", s->allowed);
	emit_int(e, "unmeasurable", s->elsewhere);
	emit_int(e, "requests", s->requests);
	emit_int(e, "answered", s->answered);
	emit_int(e, "refused", s->refused);
	emit_array(e, "backends");
	for (size_t i = 0; i < s->n; i++) {
		emit_map(e, NULL);
		emit_text(e, "pod", s->backends[i].name);
		emit_int(e, "answers", s->backends[i].answers);
		emit_map_end(e);
	}
	emit_array_end(e);
}

/* The report's items with "measured" added, and a list of Services. */
void measure_print_json(const struct measure *m, FILE *out)
{
	_cleanup_(emit_close) struct emit e = {};

	emit_open(&e, out);
	emit_list_begin(&e, "Report");
	for (size_t i = 0; i < m->n; i++) {
		const struct measure_result *r = &m->results[i];

		emit_item_begin(&e);
		report_item_emit(&e, &r->item);
		emit_text(&e, "measured",
			  r->measured == SANDBOX_UNKNOWN ? NULL
							 : sandbox_measured_text(r->measured));
		emit_item_end(&e);
	}
	emit_list_next(&e, "services");
	for (size_t i = 0; i < m->n_spreads; i++) {
		emit_item_begin(&e);
		emit_spread(&e, &m->spreads[i]);
		emit_item_end(&e);
	}
	emit_list_end(&e);
}
