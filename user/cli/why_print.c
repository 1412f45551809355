// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A judged flow as a drawing. See why_print.h. First the verdict, then always both directions;
 * below each its policies, each selector with what failed in it and its file and line; last the
 * nearest miss.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/why_print.h"

#define RIGHT_MIN 28 /* least width of the right column, on a terminal */
#define NOTE_INDENT 10 /* of continuation lines */

/* One line of the drawing. Columns are aligned once all lines are known. */
struct line {
	const char *left, *where, *mark;
	const char *below; /* left part of continuation lines */
	const char *right[8]; /* a line each, or more where wrapped */
	size_t n_right;
	enum tone tone;
};

struct drawing {
	struct arena arena;
	const struct style *style;
	const struct why_flow *flow;
	struct line *lines;
	size_t n, cap;
};

static const char *glyph(const struct style *s, const char *utf8, const char *ascii)
{
	return s->utf8 ? utf8 : ascii;
}

static const char *branch(const struct style *s, bool last)
{
	return last ? glyph(s, "└", "`-") : glyph(s, "├", "|-");
}

static const char *list_name(enum kube_direction d)
{
	return d == KUBE_INGRESS ? "ingress" : "egress";
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Whether another file in the drawing has the same base name. */
static bool is_ambiguous(const struct why_flow *f, const char *file)
{
	for (int d = 0; d < 2; d++)
		for (size_t i = 0; f->judged[d] && i < f->sides[d].n_policies; i++) {
			const char *other = f->sides[d].policies[i].policy->meta.src.file;

			if (other && strcmp(other, file) &&
			    !strcmp(base_name(other), base_name(file)))
				return true;
		}
	return false;
}

/* "db.yaml:15"; the whole path where base names are ambiguous. -o json has whole paths. */
static const char *where_text(struct drawing *d, const struct src *src)
{
	const char *file = src->file;

	if (!file)
		return "";
	if (!is_ambiguous(d->flow, file))
		file = base_name(file);
	return src->line ? arena_printf(&d->arena, "%s:%d", file, src->line) : file;
}

static struct line *add_line(struct drawing *d, const char *left, const struct src *src)
{
	struct line *l = VEC_ADD(d->lines, d->n, d->cap);

	*l = (struct line){
		.left = left, .where = src ? where_text(d, src) : "", .mark = "", .below = ""
	};
	return l;
}

static void add_right(struct line *l, const char *text)
{
	if (l->n_right < ARRAY_SIZE(l->right))
		l->right[l->n_right++] = text;
	else
		l->right[l->n_right - 1] = "and more; -o json has all";
}

static void judge_line(struct drawing *d, struct line *l, const struct explain_part *part)
{
	l->mark = part->n_failures ? glyph(d->style, "✖", "no") : glyph(d->style, "✔", "yes");
	l->tone = part->n_failures ? TONE_BAD : TONE_GOOD;
	for (size_t i = 0; i < part->n_failures; i++) {
		add_right(l, part->failures[i].text);
		if (part->failures[i].hint)
			add_right(l, arena_printf(&d->arena, "(%s)", part->failures[i].hint));
	}
}

/*
 * One line for each part, so that each selector has its own mark. stem: the line from this rule to
 * the next one.
 */
static void draw_item(struct drawing *d, const struct explain_item *item, const char *path,
		      const char *stem, bool last)
{
	const char *below =
		arena_printf(&d->arena, "   %s %s", stem, last ? " " : glyph(d->style, "│", "|"));

	for (size_t i = 0; i < item->n_parts; i++) {
		const struct explain_part *part = &item->parts[i];
		const char *left = i ? arena_printf(&d->arena, "%s %*s %s", below,
						    (int)strlen(path), "and", part->text)
				     : arena_printf(&d->arena, "   %s %s %s %s", stem,
						    branch(d->style, last), path, part->text);
		struct line *l = add_line(d, left, &part->src);

		l->below = below;
		judge_line(d, l, part);
	}
}

static void draw_rule(struct drawing *d, const struct explain_rule *rule,
		      enum kube_direction direction, bool last)
{
	const char *stem = last ? " " : glyph(d->style, "│", "|");
	const char *list = direction == KUBE_INGRESS ? "from" : "to";
	struct line *l = add_line(d,
				  arena_printf(&d->arena, "   %s %s[%u]", branch(d->style, last),
					       list_name(direction), rule->index),
				  &rule->src);
	size_t width = strlen(list) + 3;

	if (rule->match) {
		l->mark = glyph(d->style, "✔", "yes");
		l->tone = TONE_GOOD;
		l->below = arena_printf(&d->arena, "   %s", stem);
		add_right(l, "this rule allows it");
	}
	if (width < strlen("ports") + (rule->n_ports > 1 ? 3 : 0))
		width = strlen("ports") + (rule->n_ports > 1 ? 3 : 0);
	if (!rule->n_peers)
		add_line(
			d,
			arena_printf(&d->arena, "   %s %s any peer", stem, branch(d->style, false)),
			NULL);
	for (size_t i = 0; i < rule->n_peers; i++)
		draw_item(d, &rule->peers[i],
			  arena_printf(&d->arena, "%-*s", (int)width, rule->peers[i].path), stem,
			  false);
	if (!rule->n_ports)
		add_line(d,
			 arena_printf(&d->arena, "   %s %s any port", stem, branch(d->style, true)),
			 NULL);
	for (size_t i = 0; i < rule->n_ports; i++)
		draw_item(d, &rule->ports[i],
			  arena_printf(&d->arena, "%-*s", (int)width,
				       rule->n_ports > 1 ? rule->ports[i].path : "ports"),
			  stem, i + 1 == rule->n_ports);
}

static void draw_policies(struct drawing *d, const struct explain_side *side,
			  enum kube_direction direction)
{
	for (size_t i = 0; i < side->n_policies; i++) {
		const struct explain_policy *p = &side->policies[i];

		add_line(d, arena_printf(&d->arena, "   NetworkPolicy %s", p->name),
			 &p->policy->meta.src);
		if (!p->n_rules)
			add_line(d,
				 arena_printf(
					 &d->arena,
					 p->hidden ? "   %s closed: its %s rules count for nothing"
						   : "   %s no %s rules: it allows nothing",
					 branch(d->style, true), list_name(direction)),
				 NULL);
		for (size_t r = 0; r < p->n_rules; r++)
			draw_rule(d, &p->rules[r], direction, r + 1 == p->n_rules);
	}
}

/* ---- Printing ---- */

/*
 * How many bytes of text fit into so many columns, cut at a space if there is one; at least one
 * character.
 */
static size_t fitting(const char *text, size_t columns)
{
	size_t at = 0, used = 0, space = 0;

	while (text[at]) {
		size_t next = at + 1;

		while ((text[next] & 0xc0) == 0x80)
			next++;
		if (++used > columns && at)
			return space ? space : at;
		if (text[at] == ' ')
			space = at;
		at = next;
	}
	return at;
}

/* Prints text from column on. Continuation lines begin with below and continue at column. */
static void print_wrapped(const char *text, const char *below, size_t column, unsigned int width,
			  FILE *out)
{
	size_t room = width > column + RIGHT_MIN / 2 ? width - column : 0, n;

	while (*text) {
		n = room ? fitting(text, room) : strlen(text);
		fwrite(text, 1, n, out);
		text += n;
		text += strspn(text, " ");
		if (*text)
			fprintf(out, "\n%s%*s", below, (int)(column - text_width(below)), "");
	}
	fputc('\n', out);
}

struct columns {
	size_t left, where, mark;
	size_t right; /* column of the right part; 0: on lines of its own, the terminal is narrow */
};

/* A left part that is too long for the terminal does not widen its column. */
static struct columns find_columns(const struct drawing *d)
{
	size_t width = d->style->width ? d->style->width : SIZE_MAX, most;
	struct columns c = {};

	for (size_t i = 0; i < d->n; i++) {
		if (text_width(d->lines[i].mark) > c.mark)
			c.mark = text_width(d->lines[i].mark);
		if (text_width(d->lines[i].where) > c.where)
			c.where = text_width(d->lines[i].where);
	}
	most = width > c.where + c.mark + 4 + RIGHT_MIN ? width - c.where - c.mark - 4 : RIGHT_MIN;
	for (size_t i = 0; i < d->n; i++) {
		size_t left = text_width(d->lines[i].left);

		if ((*d->lines[i].where || *d->lines[i].mark) && left > c.left && left <= most)
			c.left = left;
	}
	c.right = c.left + c.where + c.mark + 5;
	if (c.right + RIGHT_MIN > width)
		c.right = 0;
	return c;
}

static void print_right(const struct drawing *d, const struct columns *c, const struct line *l,
			FILE *out)
{
	size_t below = text_width(l->below), column = c->right ? c->right : below + NOTE_INDENT;

	for (size_t i = 0; i < l->n_right; i++) {
		if (i || !c->right)
			fprintf(out, "%s%*s", l->below, (int)(column - below), "");
		else
			fprintf(out, "%*s", (int)(c->mark - text_width(l->mark) + 1), "");
		print_wrapped(l->right[i], l->below, column, d->style->width, out);
	}
}

static void print_line(const struct drawing *d, const struct columns *c, const struct line *l,
		       FILE *out)
{
	size_t left = text_width(l->left), gap = c->left > left ? c->left - left : 0;

	fputs(l->left, out);
	if (left > c->left && d->style->width && *l->where &&
	    left + text_width(l->where) + c->mark + 4 > d->style->width) {
		fprintf(out, "\n%s", l->below);
		gap = NOTE_INDENT - 2;
	}
	if (*l->where || *l->mark)
		fprintf(out, "%*s%s", (int)gap + 2, "", l->where);
	if (*l->mark)
		fprintf(out, "%*s%s%s%s", (int)(c->where - text_width(l->where) + 2), "",
			tone_on(d->style, l->tone), l->mark, tone_off(d->style, l->tone));
	if (!l->n_right || !c->right)
		fputc('\n', out);
	print_right(d, c, l, out);
}

static void print_lines(const struct drawing *d, FILE *out)
{
	struct columns c = find_columns(d);

	for (size_t i = 0; i < d->n; i++)
		print_line(d, &c, &d->lines[i], out);
}

/* ---- Sides ---- */

static const struct report_side *verdict_of(const struct why_flow *f, enum kube_direction d)
{
	return d == KUBE_EGRESS ? &f->item.egress : &f->item.ingress;
}

/* The reason for a side's verdict, in half a line. */
static const char *side_sentence(const struct why_flow *f, enum kube_direction d,
				 struct arena *arena)
{
	const struct report_side *v = verdict_of(f, d);
	const char *kind = d == KUBE_EGRESS ? "Egress" : "Ingress";
	size_t n = f->sides[d].n_policies;

	if (f->exempt)
		return f->exempt;
	if (!f->judged[d])
		return (d == KUBE_EGRESS ? f->item.from_pod : f->item.to_pod)
			       ? "NetworkPolicies do not apply to this end: a hostNetwork pod has its node's address"
			       : "NetworkPolicies do not apply to this end: it is not a pod";
	if (!n)
		return arena_printf(arena, "no %s policy selects it", kind);
	if (v->policy)
		return arena_printf(arena, "by %s %s[%d]", v->policy, list_name(d), v->rule);
	if (v->closed)
		return "closed: a policy that selects it does not fit the tables (see 'weir status' or 'weir compile')";
	return arena_printf(arena, "isolated by %zu %s, no rule matched", n,
			    n == 1 ? "policy" : "policies");
}

/* The name without its namespace, unless both ends would then look the same. */
static const char *short_name(const struct why_flow *f, enum kube_direction d)
{
	const char *from = base_name(f->item.from), *to = base_name(f->item.to);

	if (!strcmp(from, to))
		return d == KUBE_EGRESS ? f->item.from : f->item.to;
	return d == KUBE_EGRESS ? from : to;
}

static void print_side(const struct why_flow *f, enum kube_direction d, const struct style *s,
		       FILE *out)
{
	const struct report_side *v = verdict_of(f, d);
	enum tone tone = v->allow ? TONE_GOOD : TONE_BAD;
	struct drawing drawing = { .style = s, .flow = f };
	const char *end = short_name(f, d);
	size_t width = text_width(short_name(f, !d));

	if (width < text_width(end))
		width = text_width(end);
	fprintf(out, " %-7s %-4s %s%*s  %s%-7s%s  ", list_name(d), d == KUBE_EGRESS ? "from" : "to",
		end, (int)(width - text_width(end)), "", tone_on(s, tone),
		v->allow ? "ALLOWED" : "DENIED", tone_off(s, tone));
	print_wrapped(side_sentence(f, d, &drawing.arena), "", width + 25, s->width, out);
	if (f->judged[d])
		draw_policies(&drawing, &f->sides[d], d);
	print_lines(&drawing, out);
	free(drawing.lines);
	arena_free(&drawing.arena);
}

static const char *nearest_text(const struct why_flow *f, enum kube_direction d,
				const struct style *s, struct arena *arena)
{
	const struct explain_nearest *n = f->sides[d].nearest;
	const char *text = arena_printf(arena, "%s %s ", n->change, glyph(s, "→", "->"));

	if (n->all_allowed)
		text = arena_printf(arena, "%sALLOWED", text);
	else
		text = arena_printf(arena, "%s%s ALLOWED, %s still DENIED", text, list_name(d),
				    list_name(!d));
	if (n->consequence)
		text = arena_printf(arena, "%s %s %s", text, glyph(s, "—", "--"), n->consequence);
	if (n->either)
		text = arena_printf(arena, "%s (%s)", text, n->either);
	return n->finding ? arena_printf(arena, "%s: %s", text, n->finding) : text;
}

static void print_note(const char *label, const char *text, const struct style *s, FILE *out)
{
	_cleanup_(arena_free) struct arena arena = {};
	const char *whole = arena_printf(&arena, " %s %s", label, text);
	size_t n = s->width > RIGHT_MIN ? fitting(whole, s->width) : strlen(whole);

	fwrite(whole, 1, n, out);
	if (whole[n]) {
		fprintf(out, "\n%*s", NOTE_INDENT, "");
		print_wrapped(whole + n + strspn(whole + n, " "), "", NOTE_INDENT, s->width, out);
	} else {
		fputc('\n', out);
	}
}

static void print_nearest(const struct why_flow *f, const struct style *s, FILE *out)
{
	_cleanup_(arena_free) struct arena arena = {};
	bool both = f->sides[KUBE_EGRESS].nearest && f->sides[KUBE_INGRESS].nearest;

	for (int i = 0; i < 2; i++) {
		enum kube_direction d = i ? KUBE_INGRESS : KUBE_EGRESS;

		if (f->sides[d].nearest)
			print_note(both ? arena_printf(&arena, "smallest change, %s:", list_name(d))
					: "smallest change:",
				   nearest_text(f, d, s, &arena), s, out);
		if (f->judged[d] && f->sides[d].either)
			print_note(
				"note:",
				arena_printf(&arena,
					     "%s allows this only because %s: " EXPLAIN_FINDING_OR,
					     list_name(d), f->sides[d].either),
				s, out);
	}
}

/* ---- The whole ---- */

static void print_owner(const struct kube_pod *pod, FILE *out)
{
	const struct kube_meta *m = &pod->meta;

	if (pod->made_for)
		fprintf(out, " %s was created from %s %s/%s  %s:%d\n", m->name,
			kube_kind_text(m->owner.kind), m->ns, m->owner.name, m->src.file,
			m->src.line);
}

/*
 * For pods that were made from a workload: the reader has seen only the workload.
 */
static void print_owners(const struct why_flow *f, FILE *out)
{
	if (f->item.from_pod)
		print_owner(f->item.from_pod, out);
	if (f->item.to_pod && f->item.to_pod != f->item.from_pod)
		print_owner(f->item.to_pod, out);
}

static void print_service(const struct why_flow *f, const struct style *s, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, " service %s/%s  %s %s ", f->service->meta.ns, f->service->meta.name,
		addr_port_text(&f->frontend, f->service_port, text), glyph(s, "→", "->"));
	if (!why_ends_at_frontend(f)) {
		fprintf(out, "%s\n", addr_port_text(&f->item.dst, f->item.port, text));
		return;
	}
	fputs(reason_text(f->item.reason), out);
	if (f->left_out)
		fputs("; the Service does not fit the tables, and is not served (see 'weir status' or 'weir compile')",
		      out);
	else if (f->no_such_port)
		fprintf(out, "; it has %s", f->no_such_port);
	fputc('\n', out);
}

static void print_alike(const struct why_flow *f, const struct style *s, FILE *out)
{
	_cleanup_(arena_free) struct arena arena = {};
	const char *text = "";

	for (size_t i = 0; i < f->n_alike; i++)
		text = arena_printf(&arena, "%s%s%s", text, i ? ", " : "", f->alike[i]);
	if (f->n_alike)
		print_note(arena_printf(&arena, "the same for %zu more %s:", f->n_alike,
					f->n_alike == 1 ? "backend" : "backends"),
			   text, s, out);
}

static void print_head(const struct why_flow *f, const struct style *s, FILE *out)
{
	enum tone tone = f->item.allow ? TONE_GOOD : TONE_BAD;
	char proto[16];

	snprintf(proto, sizeof(proto), "%s", proto_text(f->item.proto));
	for (char *at = proto; *at; at++)
		*at = tolower((unsigned char)*at);
	fprintf(out, "%s%s%s  %s %s %s  %s/%u%s%s\n", tone_on(s, tone),
		f->item.allow ? "ALLOWED" : "DENIED", tone_off(s, tone), f->item.from,
		glyph(s, "→", "->"), f->item.to, proto, f->item.port, f->one_family ? "  " : "",
		f->one_family ? family_text(f->item.family) : "");
}

void why_print(const struct why_flow *f, const struct style *s, FILE *out)
{
	print_head(f, s, out);
	print_owners(f, out);
	if (f->service)
		print_service(f, s, out);
	if (why_never_allowed(f)) {
		print_note("whatever policies say:", reason_text(f->item.reason), s, out);
	} else if (!why_ends_at_frontend(f)) {
		print_side(f, KUBE_EGRESS, s, out);
		print_side(f, KUBE_INGRESS, s, out);
		print_nearest(f, s, out);
	}
	if (f->datapath.text)
		print_note("datapath:", f->datapath.text, s, out);
	print_alike(f, s, out);
}
