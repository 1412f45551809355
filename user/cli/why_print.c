// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A judged flow as a drawing for people and as steps in JSON. See why.h. The
 * verdict comes first, then both directions, always; below each, the policies
 * with what failed in them and where it is written.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/why.h"

/* One line of the drawing; columns are aligned once all lines are known. */
struct line {
	const char *left, *where, *mark, *right;
	enum tone tone;
};

struct drawing {
	struct arena arena;
	struct line *lines;
	size_t n, cap;
	bool utf8;
};

static const char *glyph(const struct drawing *d, const char *utf8, const char *ascii)
{
	return d->utf8 ? utf8 : ascii;
}

static const char *where_text(struct arena *arena, const struct src *src)
{
	if (!src->file)
		return "";
	return src->line ? arena_printf(arena, "%s:%d", src->file, src->line) : src->file;
}

static struct line *add_line(struct drawing *d, const char *left, const struct src *src)
{
	struct line *l = VEC_ADD(d->lines, d->n, d->cap);

	*l = (struct line){
		.left = left, .where = src ? where_text(&d->arena, src) : "", .mark = "", .right = ""
	};
	return l;
}

/* stem: what leads from the rule above to the next one, or a space below the last */
static void draw_item(struct drawing *d, const struct explain_item *item, const char *stem, bool last)
{
	const char *branch = last ? glyph(d, "└", "`-") : glyph(d, "├", "|-");
	struct line *l = add_line(
		d, arena_printf(&d->arena, "   %s %s %-8s %s", stem, branch, item->path, item->text), &item->src);

	l->mark = item->failed ? glyph(d, "✖", "no") : glyph(d, "✔", "yes");
	l->tone = item->failed ? TONE_BAD : TONE_GOOD;
	l->right = item->failed ? item->failed : "";
}

static void draw_rule(struct drawing *d, const struct explain_rule *rule, enum kube_direction direction, bool last)
{
	const char *branch = last ? glyph(d, "└", "`-") : glyph(d, "├", "|-");
	const char *stem = last ? " " : glyph(d, "│", "|");
	const char *list = direction == KUBE_INGRESS ? "ingress" : "egress";
	struct line *l =
		add_line(d, arena_printf(&d->arena, "   %s %s[%u]", branch, list, rule->index), &rule->src);

	l->mark = rule->match ? glyph(d, "✔", "yes") : glyph(d, "✖", "no");
	l->tone = rule->match ? TONE_GOOD : TONE_BAD;
	if (!rule->n_peers)
		add_line(d, arena_printf(&d->arena, "   %s %s any peer", stem, glyph(d, "├", "|-")), NULL);
	for (size_t i = 0; i < rule->n_peers; i++)
		draw_item(d, &rule->peers[i], stem, false);
	if (!rule->n_ports)
		add_line(d, arena_printf(&d->arena, "   %s %s any port", stem, glyph(d, "└", "`-")), NULL);
	for (size_t i = 0; i < rule->n_ports; i++)
		draw_item(d, &rule->ports[i], stem, i + 1 == rule->n_ports);
}

static void draw_policies(struct drawing *d, const struct explain_side *side, enum kube_direction direction)
{
	const char *list = direction == KUBE_INGRESS ? "ingress" : "egress";

	for (size_t i = 0; i < side->n_policies; i++) {
		const struct explain_policy *p = &side->policies[i];

		add_line(d, arena_printf(&d->arena, "   NetworkPolicy %s", p->name), &p->policy->meta.src);
		if (!p->n_rules)
			add_line(d,
				 arena_printf(&d->arena, "   %s no %s rules: it allows nothing",
					      glyph(d, "└", "`-"), list),
				 NULL);
		for (size_t r = 0; r < p->n_rules; r++)
			draw_rule(d, &p->rules[r], direction, r + 1 == p->n_rules);
	}
	if (side->nearest)
		add_line(d, arena_printf(&d->arena, "   nearest: %s", side->nearest), NULL);
}

static void print_lines(const struct drawing *d, const struct style *s, FILE *out)
{
	size_t left = 0, where = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct line *l = &d->lines[i];

		if ((*l->where || *l->mark) && text_width(l->left) > left)
			left = text_width(l->left);
		if (*l->mark && text_width(l->where) > where)
			where = text_width(l->where);
	}
	for (size_t i = 0; i < d->n; i++) {
		const struct line *l = &d->lines[i];

		fputs(l->left, out);
		if (*l->where || *l->mark)
			fprintf(out, "%*s%s", (int)(left - text_width(l->left) + 2), "", l->where);
		if (*l->mark)
			fprintf(out, "%*s%s%s%s%s%s", (int)(where - text_width(l->where) + 2), "",
				tone_on(s, l->tone), l->mark, tone_off(s, l->tone), *l->right ? " " : "",
				l->right);
		fputc('\n', out);
	}
}

/* Why a side says what it says, in half a line. */
static const char *side_sentence(const struct why_flow *f, enum kube_direction d, struct arena *arena)
{
	const struct report_side *v = d == KUBE_EGRESS ? &f->item.egress : &f->item.ingress;
	const char *kind = d == KUBE_EGRESS ? "Egress" : "Ingress";
	size_t n = f->sides[d].n_policies;

	if (f->exempt)
		return f->exempt;
	if (!f->judged[d])
		return "no pod with an address of its own: no policy selects it";
	if (!n)
		return arena_printf(arena, "no %s policy selects it", kind);
	if (v->policy)
		return arena_printf(arena, "by %s %s[%d]", v->policy, d == KUBE_EGRESS ? "egress" : "ingress",
				    v->rule);
	return arena_printf(arena, "isolated by %zu %s, no rule matches", n, n == 1 ? "policy" : "policies");
}

static void print_side(const struct why_flow *f, enum kube_direction d, const struct style *s, FILE *out)
{
	const struct report_side *v = d == KUBE_EGRESS ? &f->item.egress : &f->item.ingress;
	enum tone tone = v->allow ? TONE_GOOD : TONE_BAD;
	struct drawing drawing = { .utf8 = s->utf8 };
	const char *who = d == KUBE_EGRESS ? f->item.from : f->item.to;

	fprintf(out, " %-7s %-4s %s  %s%s%s  %s\n", d == KUBE_EGRESS ? "egress" : "ingress",
		d == KUBE_EGRESS ? "from" : "to", who, tone_on(s, tone), v->allow ? "ALLOWED" : "DENIED",
		tone_off(s, tone), side_sentence(f, d, &drawing.arena));
	if (f->judged[d])
		draw_policies(&drawing, &f->sides[d], d);
	print_lines(&drawing, s, out);
	free(drawing.lines);
	arena_free(&drawing.arena);
}

static void print_service(const struct why_flow *f, const struct style *s, FILE *out)
{
	char frontend[ADDR_TEXT_MAX], backend[ADDR_TEXT_MAX];

	fprintf(out, " service %s/%s  %s port %u", f->service->meta.ns, f->service->meta.name,
		addr_text(&f->frontend, frontend), f->service_port);
	if (f->item.to_kind == REPORT_POD && !f->item.to_pod)
		fprintf(out, "  %s%s%s\n", reason_text(f->item.reason), f->no_such_port ? "; it has " : "",
			f->no_such_port ? f->no_such_port : "");
	else
		fprintf(out, " %s %s port %u\n", s->utf8 ? "→" : "->", addr_text(&f->item.dst, backend),
			f->item.port);
}

void why_print(const struct why_flow *f, const struct style *s, FILE *out)
{
	enum tone tone = f->item.allow ? TONE_GOOD : TONE_BAD;
	bool no_backend = f->service && f->item.to_kind == REPORT_POD && !f->item.to_pod;

	fprintf(out, "%s%s%s  %s %s %s  %s/%u  %s\n", tone_on(s, tone), f->item.allow ? "ALLOWED" : "DENIED",
		tone_off(s, tone), f->item.from, s->utf8 ? "→" : "->", f->item.to, proto_text(f->item.proto),
		f->item.port, f->both_families ? "IPv4 and IPv6" : family_text(f->item.family));
	why_print_origin(f, out);
	if (f->service)
		print_service(f, s, out);
	if (no_backend)
		return;
	print_side(f, KUBE_EGRESS, s, out);
	print_side(f, KUBE_INGRESS, s, out);
}

/* ---- JSON ---- */

static void emit_src(struct emit *e, const struct src *src)
{
	if (!src->file)
		return;
	emit_text(e, "file", src->file);
	if (src->line)
		emit_int(e, "line", src->line);
}

static void emit_items(struct emit *e, const char *key, const struct explain_item *items, size_t n)
{
	emit_array(e, key);
	for (size_t i = 0; i < n; i++) {
		emit_map(e, NULL);
		emit_text(e, "path", items[i].path);
		emit_text(e, "text", items[i].text);
		emit_bool(e, "match", !items[i].failed);
		emit_text(e, "failed", items[i].failed);
		emit_src(e, &items[i].src);
		emit_map_end(e);
	}
	emit_array_end(e);
}

static void emit_policy(struct emit *e, const struct explain_policy *p)
{
	emit_map(e, NULL);
	emit_text(e, "policy", p->name);
	emit_src(e, &p->policy->meta.src);
	emit_array(e, "rules");
	for (size_t r = 0; r < p->n_rules; r++) {
		const struct explain_rule *rule = &p->rules[r];

		emit_map(e, NULL);
		emit_int(e, "rule", rule->index);
		emit_bool(e, "match", rule->match);
		emit_src(e, &rule->src);
		emit_items(e, "peers", rule->peers, rule->n_peers);
		emit_items(e, "ports", rule->ports, rule->n_ports);
		emit_map_end(e);
	}
	emit_array_end(e);
	emit_map_end(e);
}

static void emit_step(struct emit *e, const struct why_flow *f, enum kube_direction d)
{
	const struct report_side *v = d == KUBE_EGRESS ? &f->item.egress : &f->item.ingress;

	emit_map(e, NULL);
	emit_text(e, "step", d == KUBE_EGRESS ? "egress" : "ingress");
	emit_bool(e, "judged", f->judged[d]);
	emit_text(e, "verdict", v->allow ? "allow" : "deny");
	emit_text(e, "nearest", f->judged[d] ? f->sides[d].nearest : NULL);
	emit_array(e, "policies");
	for (size_t i = 0; f->judged[d] && i < f->sides[d].n_policies; i++)
		emit_policy(e, &f->sides[d].policies[i]);
	emit_array_end(e);
	emit_map_end(e);
}

static void emit_service(struct emit *e, const struct why_flow *f)
{
	char text[ADDR_TEXT_MAX];

	emit_map(e, NULL);
	emit_text(e, "step", "frontend");
	emit_printf(e, "service", "%s/%s", f->service->meta.ns, f->service->meta.name);
	emit_text(e, "address", addr_text(&f->frontend, text));
	emit_int(e, "port", f->service_port);
	emit_map_end(e);
	if (f->item.to_kind == REPORT_POD && !f->item.to_pod)
		return;
	emit_map(e, NULL);
	emit_text(e, "step", "backend");
	emit_text(e, "address", addr_text(&f->item.dst, text));
	emit_int(e, "port", f->item.port);
	emit_map_end(e);
}

static void emit_flow(struct emit *e, const struct why_flow *f)
{
	report_item_emit(e, &f->item);
	why_emit_origin(f, e);
	emit_array(e, "steps");
	if (f->service)
		emit_service(e, f);
	emit_step(e, f, KUBE_EGRESS);
	emit_step(e, f, KUBE_INGRESS);
	emit_array_end(e);
}

/* The decisive way (the first that is denied, else the first) stands at the top; all ways are in items. */
void why_emit(const struct why_flows *flows, struct emit *e)
{
	const struct why_flow *decisive = &flows->items[0];

	for (size_t i = flows->n; i-- > 0;)
		if (!flows->items[i].item.allow)
			decisive = &flows->items[i];
	emit_document_begin(e, "Why");
	emit_flow(e, decisive);
	emit_array(e, "items");
	for (size_t i = 0; i < flows->n; i++) {
		emit_map(e, NULL);
		emit_flow(e, &flows->items[i]);
		emit_map_end(e);
	}
	emit_array_end(e);
	emit_document_end(e);
}
