// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Why policies say what they say. See explain.h. Reads objects, not the plan, because people wrote objects. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/explain.h"

struct work {
	const struct store *store;
	const struct explain_flow *flow;
	struct arena *arena;
};

/* What did not hold so far; texts are joined by "; ". */
static void add_failure(const struct work *w, struct explain_item *item, const char *text)
{
	item->failed = item->failed ? arena_printf(w->arena, "%s; %s", item->failed, text) : text;
	item->n_failed++;
}

/* ---- Selectors as text, and what fails in them ---- */

static const char *join_values(struct arena *arena, const struct kube_requirement *q)
{
	const char *text = q->n ? q->values[0] : "";

	for (size_t i = 1; i < q->n; i++)
		text = arena_printf(arena, "%s,%s", text, q->values[i]);
	return text;
}

static const char *requirement_text(struct arena *arena, const struct kube_requirement *q)
{
	switch (q->op) {
	case KUBE_IN:
		return q->n == 1 ? arena_printf(arena, "%s=%s", q->key, q->values[0])
				 : arena_printf(arena, "%s in (%s)", q->key, join_values(arena, q));
	case KUBE_NOT_IN:
		return q->n == 1 ? arena_printf(arena, "%s!=%s", q->key, q->values[0])
				 : arena_printf(arena, "%s not in (%s)", q->key, join_values(arena, q));
	case KUBE_EXISTS:
		return q->key;
	case KUBE_NOT_EXISTS:
		return arena_printf(arena, "!%s", q->key);
	}
	return "?";
}

static const char *selector_text(struct arena *arena, const struct kube_selector *sel)
{
	const char *text = sel->n ? requirement_text(arena, &sel->items[0]) : "{}";

	for (size_t i = 1; i < sel->n; i++)
		text = arena_printf(arena, "%s, %s", text, requirement_text(arena, &sel->items[i]));
	return text;
}

/* who: "Namespace production" or "web-7c9". */
static void judge_selector(const struct work *w, const struct kube_selector *sel, const struct kube_labels *labels,
			   const char *who, struct explain_item *item)
{
	if (sel->invalid)
		add_failure(w, item, "the selector is invalid and matches nothing");
	for (size_t i = 0; i < sel->n && !sel->invalid; i++) {
		struct kube_selector one = { .items = &sel->items[i], .n = 1 };
		const char *has = kube_label(labels, sel->items[i].key);

		if (kube_selector_matches(&one, labels))
			continue;
		add_failure(w, item,
			    has ? arena_printf(w->arena, "%s has %s=%s", who, sel->items[i].key, has)
				: arena_printf(w->arena, "%s has no label \"%s\"", who, sel->items[i].key));
	}
}

/* ---- Peers ---- */

static void judge_block(const struct work *w, const struct kube_peer *peer, struct explain_item *item)
{
	char block[ADDR_TEXT_MAX], addr[ADDR_TEXT_MAX];

	addr_text(&w->flow->peer_addr, addr);
	item->text = arena_printf(w->arena, "ipBlock %s", cidr_text(&peer->block, block));
	if (!cidr_holds(&peer->block, &w->flow->peer_addr))
		add_failure(w, item, arena_printf(w->arena, "%s is not in %s", addr, block));
	for (size_t i = 0; i < peer->n_except; i++) {
		item->text = arena_printf(w->arena, "%s%s%s", item->text, i ? "," : " except ",
					  cidr_text(&peer->except[i], block));
		if (cidr_holds(&peer->except[i], &w->flow->peer_addr))
			add_failure(w, item, arena_printf(w->arena, "%s is in except %s", addr, block));
	}
}

static void judge_namespace(const struct work *w, const struct kube_peer *peer, const char *policy_ns,
			    struct explain_item *item)
{
	const struct kube_pod *pod = w->flow->peer;
	const struct kube_namespace *ns = store_namespace(w->store, pod->meta.ns);
	const char *who = arena_printf(w->arena, "Namespace %s", pod->meta.ns);
	static const struct kube_labels no_labels;
	unsigned int before = item->n_failed;

	if (!peer->namespaces) {
		if (strcmp(pod->meta.ns, policy_ns))
			add_failure(w, item,
				    arena_printf(w->arena, "%s is in namespace %s, not %s", pod->meta.name,
						 pod->meta.ns, policy_ns));
		return;
	}
	judge_selector(w, peer->namespaces, ns ? &ns->meta.labels : &no_labels, who, item);
	for (size_t i = 0; i < peer->namespaces->n && item->n_failed > before; i++) {
		const struct kube_requirement *q = &peer->namespaces->items[i];

		/* the classic mistake: nobody labels namespaces with "name" */
		if (q->op == KUBE_IN && !strcmp(q->key, "name") && q->n == 1 &&
		    !strcmp(q->values[0], pod->meta.ns))
			item->failed = arena_printf(w->arena, "%s (it has kubernetes.io/metadata.name=%s)",
						    item->failed, pod->meta.ns);
	}
}

static void selectors_text(const struct work *w, const struct kube_peer *peer, struct explain_item *item)
{
	const char *pods = peer->pods ? selector_text(w->arena, peer->pods) : NULL;
	const char *namespaces = peer->namespaces ? selector_text(w->arena, peer->namespaces) : NULL;

	if (pods && namespaces)
		item->text = arena_printf(w->arena, "namespaceSelector %s and podSelector %s", namespaces, pods);
	else if (pods)
		item->text = arena_printf(w->arena, "podSelector %s", pods);
	else if (namespaces)
		item->text = arena_printf(w->arena, "namespaceSelector %s", namespaces);
	else
		item->text = "{}";
}

static void judge_peer(const struct work *w, const struct kube_peer *peer, const char *policy_ns,
		       struct explain_item *item)
{
	char addr[ADDR_TEXT_MAX];

	item->src = peer->src;
	if (peer->has_block) {
		judge_block(w, peer, item);
		return;
	}
	selectors_text(w, peer, item);
	if (!peer->pods && !peer->namespaces) {
		add_failure(w, item, "an empty item matches nothing");
		return;
	}
	if (!w->flow->peer) {
		add_failure(w, item,
			    arena_printf(w->arena, "%s is no pod's own address; selectors match pods only",
					 addr_text(&w->flow->peer_addr, addr)));
		return;
	}
	judge_namespace(w, peer, policy_ns, item);
	if (peer->pods)
		judge_selector(w, peer->pods, &w->flow->peer->meta.labels, w->flow->peer->meta.name, item);
}

/* ---- Ports ---- */

/* What the destination declares under that name; NULL when the port is among it (NP-32, NP-35). */
static const char *name_failure(const struct work *w, const struct kube_policy_port *port)
{
	const struct kube_pod *dst = w->flow->dst;
	const char *failed = NULL;

	if (!dst)
		return "a name needs a pod as destination"; /* NP-33 */
	for (size_t i = 0; i < dst->n_ports; i++) {
		const struct kube_pod_port *p = &dst->ports[i];

		if (strcmp(p->name, port->name) || p->proto != port->proto)
			continue;
		if (p->port == w->flow->port)
			return NULL;
		failed = arena_printf(w->arena, "%s calls %u %s, not %u", dst->meta.name, p->port, port->name,
				      w->flow->port);
	}
	return failed ? failed
		      : arena_printf(w->arena, "%s has no %s port named %s", dst->meta.name,
				     proto_text(port->proto), port->name);
}

static void judge_port(const struct work *w, const struct kube_policy_port *port, struct explain_item *item)
{
	const struct explain_flow *f = w->flow;
	const char *proto = proto_text(port->proto);

	item->src = port->src;
	if (port->name)
		item->text = arena_printf(w->arena, "%s/%s", proto, port->name);
	else if (port->any)
		item->text = arena_printf(w->arena, "%s/any", proto);
	else if (port->low != port->high)
		item->text = arena_printf(w->arena, "%s/%u-%u", proto, port->low, port->high);
	else
		item->text = arena_printf(w->arena, "%s/%u", proto, port->low);
	if (port->proto != f->proto)
		add_failure(w, item, arena_printf(w->arena, "the protocol is %s", proto_text(f->proto)));
	else if (port->name && name_failure(w, port))
		add_failure(w, item, name_failure(w, port));
	else if (!port->name && !port->any && (f->port < port->low || f->port > port->high))
		add_failure(w, item, arena_printf(w->arena, "the port is %u", f->port));
}

/* ---- Rules ---- */

static bool any_matches(const struct explain_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!items[i].failed)
			return true;
	return !n;
}

static void judge_rule(const struct work *w, const struct kube_policy *p, unsigned int index,
		       struct explain_rule *ret_rule)
{
	const struct kube_policy_rule *rule = &p->rules[w->flow->direction][index];
	const char *list = w->flow->direction == KUBE_INGRESS ? "from" : "to";

	ret_rule->index = index;
	ret_rule->src = rule->src;
	ret_rule->n_peers = rule->n_peers;
	ret_rule->n_ports = rule->n_ports;
	ret_rule->peers = arena_zalloc(w->arena, rule->n_peers * sizeof(*ret_rule->peers));
	ret_rule->ports = arena_zalloc(w->arena, rule->n_ports * sizeof(*ret_rule->ports));
	for (size_t i = 0; i < rule->n_peers; i++) {
		ret_rule->peers[i].path = arena_printf(w->arena, "%s[%zu]", list, i);
		judge_peer(w, &rule->peers[i], p->meta.ns, &ret_rule->peers[i]);
	}
	for (size_t i = 0; i < rule->n_ports; i++) {
		ret_rule->ports[i].path = arena_printf(w->arena, "ports[%zu]", i);
		judge_port(w, &rule->ports[i], &ret_rule->ports[i]);
	}
	ret_rule->match =
		any_matches(ret_rule->peers, ret_rule->n_peers) && any_matches(ret_rule->ports, ret_rule->n_ports);
}

static const struct explain_item *least_failed(const struct explain_item *items, size_t n)
{
	const struct explain_item *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (!best || items[i].n_failed < best->n_failed)
			best = &items[i];
	return best;
}

/* The rule that lacks least: what one would change first. */
static void find_nearest(const struct work *w, struct explain_side *side)
{
	const char *list = w->flow->direction == KUBE_INGRESS ? "ingress" : "egress";
	unsigned int best = ~0u;

	for (size_t i = 0; i < side->n_policies && !side->allow; i++)
		for (size_t r = 0; r < side->policies[i].n_rules; r++) {
			const struct explain_rule *rule = &side->policies[i].rules[r];
			const struct explain_item *peer = least_failed(rule->peers, rule->n_peers);
			const struct explain_item *port = least_failed(rule->ports, rule->n_ports);
			const char *first = peer && peer->failed ? peer->failed : NULL;
			const char *second = port && port->failed ? port->failed : NULL;
			unsigned int lacks = (peer ? peer->n_failed : 0) + (port ? port->n_failed : 0);

			if (lacks >= best)
				continue;
			best = lacks;
			side->nearest = arena_printf(w->arena, "%s %s[%u]%s%s: %s%s%s", side->policies[i].name,
						     list, rule->index, peer ? "." : "", peer ? peer->path : "",
						     first ? first : "", first && second ? "; " : "",
						     second ? second : "");
		}
}

static bool isolates(const struct kube_policy *p, const struct explain_flow *f)
{
	return p->isolates[f->direction] && !strcmp(p->meta.ns, f->subject->meta.ns) &&
	       !f->subject->host_network && kube_selector_matches(&p->pods, &f->subject->meta.labels);
}

void explain_flow(const struct store *s, const struct explain_flow *f, struct arena *arena,
		  struct explain_side *ret_side)
{
	const struct work w = { s, f, arena };
	struct explain_side side = {};
	size_t n = 0;

	for (size_t i = 0; i < s->n_policies; i++)
		n += isolates(s->policies[i], f);
	side.policies = arena_zalloc(arena, n * sizeof(*side.policies));
	side.allow = !n;
	for (size_t i = 0; i < s->n_policies; i++) {
		const struct kube_policy *p = s->policies[i];
		struct explain_policy *out;

		if (!isolates(p, f))
			continue;
		out = &side.policies[side.n_policies++];
		out->policy = p;
		out->name = arena_printf(arena, "%s/%s", p->meta.ns, p->meta.name);
		out->n_rules = p->n_rules[f->direction];
		out->rules = arena_zalloc(arena, out->n_rules * sizeof(*out->rules));
		for (size_t r = 0; r < out->n_rules; r++) {
			judge_rule(&w, p, r, &out->rules[r]);
			side.allow |= out->rules[r].match;
		}
	}
	find_nearest(&w, &side);
	*ret_side = side;
}
