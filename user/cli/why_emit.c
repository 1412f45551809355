// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A judged flow as JSON: one item of the report, with its steps. See why_print.h. Members may be
 * added, never removed or renamed.
 */
#include "cli/why_print.h"

static void emit_src(struct emit *e, const struct src *src)
{
	if (!src->file)
		return;
	emit_text(e, "file", src->file);
	if (src->line)
		emit_int(e, "line", src->line);
}

/* "failed" of an item is one sentence for all its parts; each part has its own list. */
static void emit_parts(struct emit *e, const struct explain_item *item)
{
	emit_array(e, "parts");
	for (size_t i = 0; i < item->n_parts; i++) {
		const struct explain_part *p = &item->parts[i];

		emit_map(e, NULL);
		emit_text(e, "text", p->text);
		emit_bool(e, "match", !p->n_failures);
		emit_array(e, "failed");
		for (size_t k = 0; k < p->n_failures; k++)
			emit_text(e, NULL, p->failures[k].text);
		emit_array_end(e);
		emit_src(e, &p->src);
		emit_map_end(e);
	}
	emit_array_end(e);
}

static void emit_nearest(struct emit *e, const struct explain_nearest *n)
{
	if (!n) {
		emit_null(e, "nearest");
		emit_null(e, "fix");
		return;
	}
	emit_printf(e, "nearest", "%s: %s", n->where, n->lacks);
	emit_map(e, "fix");
	emit_text(e, "change", n->change);
	emit_text(e, "then", n->all_allowed ? "allow" : "deny");
	emit_text(e, "consequence", n->consequence);
	emit_text(e, "either", n->either);
	emit_text(e, "finding", n->finding);
	emit_map_end(e);
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
		emit_parts(e, &items[i]);
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
	emit_nearest(e, f->judged[d] ? f->sides[d].nearest : NULL);
	emit_text(e, "either", f->judged[d] ? f->sides[d].either : NULL);
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
	emit_bool(e, "leftOut", f->left_out);
	emit_map_end(e);
	if (why_ends_at_frontend(f))
		return;
	emit_map(e, NULL);
	emit_text(e, "step", "backend");
	emit_text(e, "address", addr_text(&f->item.dst, text));
	emit_int(e, "port", f->item.port);
	emit_map_end(e);
}

static void emit_datapath(struct emit *e, const struct why_datapath *d)
{
	emit_map(e, "datapath");
	emit_bool(e, "asked", d->asked);
	if (d->asked)
		emit_bool(e, "agrees", d->agrees);
	else
		emit_null(e, "agrees");
	emit_known(e, "generation", d->generation, d->generation);
	emit_text(e, "text", d->text);
	emit_map_end(e);
}

static void emit_owner(struct emit *e, const char *key, const struct kube_pod *pod)
{
	if (!pod || !pod->meta.owner.name)
		return;
	emit_map(e, key);
	emit_text(e, "kind", kube_kind_text(pod->meta.owner.kind));
	emit_printf(e, "name", "%s/%s", pod->meta.ns, pod->meta.owner.name);
	emit_bool(e, "made", pod->made_for);
	if (pod->made_for) {
		emit_text(e, "file", pod->meta.src.file);
		emit_int(e, "line", pod->meta.src.line);
	}
	emit_map_end(e);
}

static void emit_owners(struct emit *e, const struct why_flow *f)
{
	emit_owner(e, "fromOwner", f->item.from_pod);
	emit_owner(e, "toOwner", f->item.to_pod);
}

static void emit_flow(struct emit *e, const struct why_flow *f)
{
	report_item_emit(e, &f->item);
	emit_owners(e, f);
	emit_array(e, "steps");
	if (f->service)
		emit_service(e, f);
	emit_step(e, f, KUBE_EGRESS);
	emit_step(e, f, KUBE_INGRESS);
	emit_array_end(e);
	emit_datapath(e, &f->datapath);
}

/*
 * The decisive flow (the first that is denied, else the first) is repeated at the top; items has
 * all.
 */
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
