// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The plan as JSON: one item a line, so that it streams and diffs well. Items that the kernel holds
 * by number carry their hash. The same plan gives the same bytes.
 */
#include "base/emit.h"
#include "base/mem.h"
#include "compile/plan.h"

static void array_begin(struct emit *e, const char *key)
{
	fprintf(e->out, ",\n\"%s\":[", key);
	e->items = 0;
}

static void array_end(struct emit *e)
{
	fputs(e->items ? "\n]" : "]", e->out);
}

static void emit_hash(struct emit *e, const char *key, const struct plan_hash *h)
{
	char text[PLAN_HASH_TEXT_MAX];

	emit_text(e, key, plan_hash_text(h, text));
}

static void emit_addr(struct emit *e, const char *key, const struct weir_addr *a)
{
	char text[ADDR_TEXT_MAX];

	emit_text(e, key, addr_text(a, text));
}

static void emit_src(struct emit *e, const struct src *src)
{
	if (src->file)
		emit_printf(e, "src", "%s:%d:%d", src->file, src->line, src->col);
}

static const char *direction_text(enum kube_direction d)
{
	return d == KUBE_INGRESS ? "ingress" : "egress";
}

static void emit_rule(struct emit *e, const char *key, const struct plan *p, uint32_t rule)
{
	if (rule)
		emit_printf(e, key, "%s %s[%u]", p->rules[rule].policy,
			    direction_text(p->rules[rule].direction), p->rules[rule].index);
	else
		emit_null(e, key);
}

static void write_rules(struct emit *e, const struct plan *p)
{
	array_begin(e, "rules");
	for (size_t i = 1; i < p->n_rules; i++) {
		const struct plan_rule *r = &p->rules[i];

		emit_item_begin(e);
		emit_hash(e, "name", &r->name);
		emit_text(e, "policy", r->policy);
		emit_text(e, "direction", direction_text(r->direction));
		emit_int(e, "rule", r->index);
		emit_src(e, &r->src);
		emit_item_end(e);
	}
	array_end(e);
}

/* "TCP/80"; the number of a protocol that has no name. */
static void emit_point(struct emit *e, const char *key, uint32_t point)
{
	const char *proto = proto_text(point >> 16);

	if (*proto == '?')
		emit_printf(e, key, "%u/%u", point >> 16, point & 0xffff);
	else
		emit_printf(e, key, "%s/%u", proto, point & 0xffff);
}

static void emit_word(struct emit *e, const struct plan *p, const struct plan_word *w)
{
	if (w->kind == WEIR_WORD_PORTS) {
		emit_hash(e, "ports", &p->port_sets[w->ports].name);
		return;
	}
	emit_text(e, "verdict",
		  w->kind == WEIR_WORD_ALLOW    ? "allow"
		  : w->kind == WEIR_WORD_CLOSED ? "closed"
						: "deny");
	emit_rule(e, "rule", p, w->rule);
}

static void write_port_sets(struct emit *e, const struct plan *p)
{
	array_begin(e, "portSets");
	for (size_t i = 0; i < p->n_port_sets; i++) {
		emit_item_begin(e);
		emit_hash(e, "name", &p->port_sets[i].name);
		emit_array(e, "ranges");
		for (size_t j = 0; j < p->port_sets[i].n_ranges; j++) {
			const struct plan_range *r = &p->port_sets[i].ranges[j];

			emit_map(e, NULL);
			emit_point(e, "first", r->low);
			emit_point(e, "last", r->high);
			emit_word(e, p, &r->word);
			emit_map_end(e);
		}
		emit_array_end(e);
		emit_item_end(e);
	}
	array_end(e);
}

static void write_identities(struct emit *e, const struct plan *p)
{
	array_begin(e, "identities");
	for (size_t i = 1; i < p->n_identities; i++) {
		emit_item_begin(e);
		emit_hash(e, "name", &p->identities[i].name);
		emit_text(e, "text", p->identities[i].text);
		emit_item_end(e);
	}
	array_end(e);
}

static void emit_identity(struct emit *e, const char *key, const struct plan *p, uint32_t identity)
{
	if (identity)
		emit_hash(e, key, &p->identities[identity].name);
	else
		emit_null(e, key);
}

static void write_addresses(struct emit *e, const struct plan *p)
{
	char text[ADDR_TEXT_MAX];

	array_begin(e, "addresses");
	for (size_t i = 0; i < p->n_addresses; i++) {
		const struct plan_address *a = &p->addresses[i];

		emit_item_begin(e);
		emit_text(e, "address",
			  a->pod ? addr_text(&a->cidr.addr, text) : cidr_text(&a->cidr, text));
		emit_text(e, "kind", a->pod ? "pod" : "block");
		emit_identity(e, "identity", p, a->identity);
		emit_item_end(e);
	}
	array_end(e);
}

static void emit_set(struct emit *e, const struct plan *p, const struct plan_set *s)
{
	emit_hash(e, "name", &s->name);
	emit_text(e, "direction", direction_text(s->direction));
	emit_array(e, "policies");
	for (size_t i = 0; i < s->n_policies; i++)
		emit_text(e, NULL, s->policies[i]);
	emit_array_end(e);
	emit_map(e, "default");
	emit_word(e, p, &s->default_word);
	emit_map_end(e);
	emit_array(e, "elements");
	for (size_t i = 0; i < s->n_elements; i++) {
		emit_map(e, NULL);
		emit_identity(e, "identity", p, s->elements[i].identity);
		emit_word(e, p, &s->elements[i].word);
		emit_map_end(e);
	}
	emit_array_end(e);
}

static void write_sets(struct emit *e, const struct plan *p)
{
	array_begin(e, "policySets");
	for (size_t i = 1; i < p->n_sets; i++) {
		emit_item_begin(e);
		emit_set(e, p, &p->sets[i]);
		emit_item_end(e);
	}
	array_end(e);
}

static void emit_set_name(struct emit *e, const char *key, const struct plan *p, uint32_t set)
{
	if (set)
		emit_hash(e, key, &p->sets[set].name);
	else
		emit_null(e, key);
}

static void write_pods(struct emit *e, const struct plan *p)
{
	array_begin(e, "pods");
	for (size_t i = 0; i < p->n_pods; i++) {
		const struct plan_pod *pod = &p->pods[i];

		emit_item_begin(e);
		emit_printf(e, "pod", "%s/%s", pod->ns, pod->name);
		emit_text(e, "uid", pod->uid);
		emit_array(e, "addresses");
		for (int f = 0; f < 2; f++) {
			if (weir_addr_is_zero(&pod->addr[f]))
				continue;
			emit_map(e, NULL);
			emit_addr(e, "address", &pod->addr[f]);
			emit_identity(e, "identity", p, pod->identity[f]);
			emit_map_end(e);
		}
		emit_array_end(e);
		emit_set_name(e, "ingress", p, pod->ingress_set);
		emit_set_name(e, "egress", p, pod->egress_set);
		if (pod->deleting)
			emit_bool(e, "deleting", true);
		emit_src(e, &pod->src);
		emit_item_end(e);
	}
	array_end(e);
}

static void emit_candidate(struct emit *e, const struct plan_backend *b)
{
	char text[ADDR_TEXT_MAX];

	emit_printf(e, NULL, weir_addr_is_v4(&b->addr) ? "%s:%u" : "[%s]:%u",
		    addr_text(&b->addr, text), b->port);
}

static void emit_list(struct emit *e, const char *key, const struct plan *p,
		      const struct plan_list *list)
{
	emit_array(e, key);
	for (size_t i = 0; i < list->n; i++)
		emit_candidate(e, &p->backends[list->items[i]]);
	emit_array_end(e);
}

static void emit_ranges(struct emit *e, const struct plan_service *s)
{
	char text[ADDR_TEXT_MAX];

	emit_array(e, "sourceRanges");
	for (size_t i = 0; i < s->n_ranges; i++)
		emit_text(e, NULL, cidr_text(&s->ranges[i], text));
	emit_array_end(e);
}

static void write_services(struct emit *e, const struct plan *p)
{
	array_begin(e, "services");
	for (size_t i = 1; i < p->n_services; i++) {
		const struct plan_service *s = &p->services[i];

		emit_item_begin(e);
		emit_hash(e, "name", &s->name);
		emit_printf(e, "service", "%s/%s", s->ns, s->service);
		emit_text(e, "port", s->port_name);
		emit_text(e, "protocol", proto_text(s->proto));
		emit_text(e, "family", family_text(s->family));
		emit_bool(e, "usable", s->flags & WEIR_SERVICE_USABLE);
		emit_bool(e, "externalLocal", s->flags & WEIR_SERVICE_EXTERNAL_LOCAL);
		emit_int(e, "affinitySeconds", s->affinity_s);
		emit_list(e, "candidates", p, &s->lists[WEIR_LIST_INTERNAL]);
		emit_list(e, "externalCandidates", p, &s->lists[WEIR_LIST_EXTERNAL]);
		emit_list(e, "shortCandidates", p, &s->lists[WEIR_LIST_SHORT]);
		emit_ranges(e, s);
		emit_src(e, &s->src);
		emit_item_end(e);
	}
	array_end(e);
}

static void write_backends(struct emit *e, const struct plan *p)
{
	array_begin(e, "backends");
	for (size_t i = 0; i < p->n_backends; i++) {
		emit_item_begin(e);
		emit_hash(e, "service", &p->services[p->backends[i].service].name);
		emit_addr(e, "address", &p->backends[i].addr);
		emit_int(e, "port", p->backends[i].port);
		emit_bool(e, "serving", p->backends[i].serving);
		emit_bool(e, "local", p->backends[i].local);
		emit_item_end(e);
	}
	array_end(e);
}

static void emit_kinds(struct emit *e, const struct plan_frontend *f)
{
	emit_array(e, "kinds");
	for (int i = 0; f->kinds >> i; i++)
		if (f->kinds >> i & 1)
			emit_text(e, NULL, plan_frontend_kind_text(1 << i));
	emit_array_end(e);
}

static void write_frontends(struct emit *e, const struct plan *p)
{
	array_begin(e, "frontends");
	for (size_t i = 0; i < p->n_frontends; i++) {
		const struct plan_frontend *f = &p->frontends[i];

		emit_item_begin(e);
		emit_addr(e, "address", &f->addr);
		emit_int(e, "port", f->port);
		emit_text(e, "protocol", f->proto ? proto_text(f->proto) : NULL);
		emit_kinds(e, f);
		if (f->service)
			emit_hash(e, "service", &p->services[f->service].name);
		else
			emit_null(e, "service");
		emit_item_end(e);
	}
	array_end(e);
}

static void write_node_addrs(struct emit *e, const struct plan *p)
{
	array_begin(e, "nodeAddresses");
	for (size_t i = 0; i < p->n_node_addrs; i++) {
		emit_item_begin(e);
		emit_addr(e, "address", &p->node_addrs[i].addr);
		emit_text(e, "node", p->node_addrs[i].kind == WEIR_NODE_OWN ? "own" : "other");
		emit_bool(e, "nodePorts", p->node_addrs[i].node_ports);
		emit_item_end(e);
	}
	array_end(e);
}

static void write_overlay_ports(struct emit *e, const struct plan *p)
{
	array_begin(e, "overlayPorts");
	for (unsigned int port = 0; port < 64 * WEIR_OVERLAY_WORDS; port++)
		if (p->overlay_ports[port / 64] >> (port % 64) & 1)
			emit_number_item(e, port);
	array_end(e);
}

static void write_closed(struct emit *e, const struct plan *p)
{
	array_begin(e, "closed");
	for (size_t i = 0; i < p->n_closed; i++) {
		const struct plan_closed *c = &p->closed[i];

		emit_item_begin(e);
		emit_text(e, "policy", c->policy);
		emit_text(e, "direction", direction_text(c->direction));
		emit_text(e, "table", plan_table_name(c->table));
		emit_int(e, "need", c->need);
		emit_int(e, "size", c->size);
		emit_item_end(e);
	}
	array_end(e);
}

static void emit_frontend(struct emit *e, const struct plan_frontend *f)
{
	char text[ADDR_TEXT_MAX];

	emit_printf(e, NULL, "%s/%s", addr_port_text(&f->addr, f->port, text),
		    proto_text(f->proto));
}

static void write_left_out(struct emit *e, const struct plan *p)
{
	array_begin(e, "leftOut");
	for (size_t i = 0; i < p->n_left_out; i++) {
		const struct plan_left_out *l = &p->left_out[i];

		emit_item_begin(e);
		emit_text(e, "service", l->service);
		emit_bool(e, "refused", l->known);
		emit_text(e, "table", plan_table_name(l->table));
		emit_int(e, "need", l->need);
		emit_int(e, "size", l->size);
		emit_array(e, "frontends");
		for (size_t f = 0; f < l->n_frontends; f++)
			emit_frontend(e, &l->frontends[f]);
		emit_array_end(e);
		emit_item_end(e);
	}
	array_end(e);
}

static void write_head(const struct plan *p, FILE *out)
{
	_cleanup_(emit_close) struct emit e = {};

	fputs("{\"apiVersion\":\"" EMIT_API_VERSION "\",\"kind\":\"Plan\",\n\"node\":", out);
	emit_open(&e, out);
	emit_text(&e, NULL, p->node);
}

void plan_write_json(const struct plan *p, FILE *out)
{
	_cleanup_(emit_close) struct emit e = {};

	write_head(p, out);
	fprintf(out, ",\n\"echo\":\"%s\"", p->echo_always ? "always" : "policy");
	emit_open(&e, out);
	write_pods(&e, p);
	write_rules(&e, p);
	write_sets(&e, p);
	write_port_sets(&e, p);
	write_identities(&e, p);
	write_addresses(&e, p);
	write_services(&e, p);
	write_backends(&e, p);
	write_frontends(&e, p);
	write_node_addrs(&e, p);
	write_overlay_ports(&e, p);
	write_closed(&e, p);
	write_left_out(&e, p);
	fputs("\n}\n", out);
}
