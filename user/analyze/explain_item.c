// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Explains one peer or port of a rule: its conditions, those that fail, what the object has
 * instead, and the change that would help. See explain.h. Knows nothing of rules and verdicts.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/explain_item.h"

/* the API server sets it and refuses changes */
#define OWN_NAME_LABEL "kubernetes.io/metadata.name"

static struct explain_part *add_part(struct explain_item *item, const char *text,
				     const struct src *src)
{
	struct explain_part *part = &item->parts[item->n_parts++];

	part->text = text;
	part->src = *src;
	return part;
}

static struct explain_failure *add_failure(const struct explain_work *w, struct explain_part *part,
					   const char *text)
{
	struct explain_failure *all = arena_zalloc(w->arena, (part->n_failures + 1) * sizeof(*all));

	if (part->n_failures)
		memcpy(all, part->failures, part->n_failures * sizeof(*all));
	part->failures = all;
	all[part->n_failures].text = text;
	return &all[part->n_failures++];
}

static void add_edit(const struct explain_work *w, struct explain_part *part, const char *text,
		     const char *edit)
{
	struct explain_failure *f = add_failure(w, part, text);

	f->fix = EXPLAIN_EDIT_POLICY;
	f->edit = edit;
}

/* Text and failures of the item, from those of its parts. */
static void sum_up(const struct explain_work *w, struct explain_item *item)
{
	for (size_t i = 0; i < item->n_parts; i++) {
		const struct explain_part *p = &item->parts[i];

		item->text = i ? arena_printf(w->arena, "%s and %s", item->text, p->text) : p->text;
		for (size_t k = 0; k < p->n_failures; k++) {
			const char *text = p->failures[k].text;

			if (p->failures[k].hint)
				text = arena_printf(w->arena, "%s (%s)", text, p->failures[k].hint);
			item->failed =
				item->failed ? arena_printf(w->arena, "%s; %s", item->failed, text)
					     : text;
		}
		item->n_failed += p->n_failures;
	}
}

/* ---- Selectors as text, and their failures ---- */

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
				 : arena_printf(arena, "%s not in (%s)", q->key,
						join_values(arena, q));
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

/* The label that would make the requirement hold. */
static void want_label(const struct kube_requirement *q, const char *has, enum explain_fix fix,
		       struct explain_failure *f)
{
	f->fix = fix;
	f->key = q->key;
	f->now = has;
	if (q->op == KUBE_IN)
		f->value = q->n ? q->values[0] : NULL;
	else if (q->op == KUBE_EXISTS)
		f->value = "";
	if (q->op == KUBE_IN && !q->n)
		f->fix = EXPLAIN_NO_FIX;
}

/* object: "Namespace production" or "web-7c9". */
static void judge_selector(const struct explain_work *w, const struct kube_selector *sel,
			   const struct kube_labels *labels, const char *object,
			   enum explain_fix fix, struct explain_part *part)
{
	if (sel->invalid)
		add_failure(w, part, "the selector is invalid and matches nothing");
	for (size_t i = 0; i < sel->n && !sel->invalid; i++) {
		const struct kube_requirement *q = &sel->items[i];
		struct kube_selector one = { .items = &sel->items[i], .n = 1 };
		const char *has = kube_label(labels, q->key);
		struct explain_failure *f;

		if (kube_selector_matches(&one, labels))
			continue;
		f = add_failure(
			w, part,
			has ? arena_printf(w->arena, "%s has %s=%s", object, q->key, has)
			    : arena_printf(w->arena, "%s has no label \"%s\"", object, q->key));
		want_label(q, has, fix, f);
	}
}

/* ---- Peers ---- */

static void judge_block(const struct explain_work *w, const struct kube_peer *peer,
			struct explain_item *item)
{
	char block[ADDR_TEXT_MAX], except[ADDR_TEXT_MAX], addr[ADDR_TEXT_MAX];
	struct explain_part *part;

	addr_text(&w->flow->peer_addr, addr);
	cidr_text(&peer->block, block);
	part = add_part(item, arena_printf(w->arena, "ipBlock %s", block), &peer->src);
	if (!cidr_holds(&peer->block, &w->flow->peer_addr))
		add_edit(w, part, arena_printf(w->arena, "%s is not in %s", addr, block),
			 arena_printf(w->arena, "add an ipBlock that contains %s", addr));
	for (size_t i = 0; i < peer->n_except; i++) {
		cidr_text(&peer->except[i], except);
		part->text =
			arena_printf(w->arena, "%s%s%s", part->text, i ? "," : " except ", except);
		if (cidr_holds(&peer->except[i], &w->flow->peer_addr))
			add_edit(w, part,
				 arena_printf(w->arena, "%s is in except %s", addr, except),
				 arena_printf(w->arena,
					      "change except %s so that it does not contain %s",
					      except, addr));
	}
}

static const struct kube_labels *namespace_labels(const struct explain_work *w, const char *name)
{
	static const struct kube_labels no_labels;
	const struct kube_namespace *ns = w->flow->changed_ns;

	if (!ns || strcmp(ns->meta.name, name))
		ns = store_namespace(w->store, name);
	return ns ? &ns->meta.labels : &no_labels;
}

/*
 * Two common mistakes: Namespaces have no label `name` by default, and the label that holds the
 * name cannot be changed.
 */
static void refine_namespace(const struct explain_work *w, const char *ns,
			     struct explain_part *part)
{
	for (size_t i = 0; i < part->n_failures; i++) {
		struct explain_failure *f = &part->failures[i];

		if (f->fix != EXPLAIN_LABEL_NAMESPACE)
			continue;
		if (!strcmp(f->key, "name") && f->value && !strcmp(f->value, ns))
			f->hint = arena_printf(w->arena, "it has " OWN_NAME_LABEL "=%s", ns);
		if (strcmp(f->key, OWN_NAME_LABEL))
			continue;
		f->fix = EXPLAIN_EDIT_POLICY;
		f->edit = arena_printf(w->arena, "select Namespace %s", ns);
	}
}

static void judge_namespaces(const struct explain_work *w, const struct kube_peer *peer,
			     struct explain_item *item)
{
	const char *ns = w->flow->peer->meta.ns;
	struct explain_part *part =
		add_part(item,
			 arena_printf(w->arena, "namespaceSelector %s",
				      selector_text(w->arena, peer->namespaces)),
			 &peer->src);

	judge_selector(w, peer->namespaces, namespace_labels(w, ns),
		       arena_printf(w->arena, "Namespace %s", ns), EXPLAIN_LABEL_NAMESPACE, part);
	refine_namespace(w, ns, part);
}

static void judge_pods(const struct explain_work *w, const struct kube_peer *peer,
		       const char *policy_ns, struct explain_item *item)
{
	const struct kube_meta *pod = &w->flow->peer->meta;
	struct explain_part *part = add_part(
		item, arena_printf(w->arena, "podSelector %s", selector_text(w->arena, peer->pods)),
		peer->namespaces ? &peer->pods->src : &peer->src);

	if (!peer->namespaces && strcmp(pod->ns, policy_ns)) /* NP-18 */
		add_edit(w, part,
			 arena_printf(w->arena,
				      "podSelector alone matches only Namespace %s; %s is in %s",
				      policy_ns, pod->name, pod->ns),
			 arena_printf(w->arena, "add a namespaceSelector for %s to the same item",
				      pod->ns));
	judge_selector(w, peer->pods, &pod->labels, pod->name, EXPLAIN_LABEL_POD, part);
}

/* The other end is not a pod, so no selector can match it. */
static void no_pod(const struct explain_work *w, const struct kube_peer *peer,
		   struct explain_item *item)
{
	char addr[ADDR_TEXT_MAX];
	const char *text = "";

	if (peer->namespaces)
		text = arena_printf(w->arena, "namespaceSelector %s",
				    selector_text(w->arena, peer->namespaces));
	if (peer->pods)
		text = arena_printf(w->arena, "%s%spodSelector %s", text, *text ? " and " : "",
				    selector_text(w->arena, peer->pods));
	addr_text(&w->flow->peer_addr, addr);
	add_edit(w, add_part(item, text, &peer->src),
		 arena_printf(w->arena, "%s is not a pod's own address; selectors match only pods",
			      addr),
		 arena_printf(w->arena, "add an ipBlock that contains %s", addr));
}

void explain_peer(const struct explain_work *w, const struct kube_peer *peer, const char *policy_ns,
		  struct explain_item *ret_item)
{
	ret_item->src = peer->src;
	if (peer->has_block)
		judge_block(w, peer, ret_item);
	else if (!peer->pods && !peer->namespaces)
		add_failure(w, add_part(ret_item, "{}", &peer->src),
			    "an empty item matches nothing");
	else if (!w->flow->peer)
		no_pod(w, peer, ret_item);
	else {
		if (peer->namespaces)
			judge_namespaces(w, peer, ret_item);
		if (peer->pods)
			judge_pods(w, peer, policy_ns, ret_item);
	}
	sum_up(w, ret_item);
}

/* ---- Ports ---- */

/* Why the named port doesn't match on the destination; NULL when it does (NP-32, NP-35). */
static const char *name_failure(const struct explain_work *w, const struct kube_policy_port *port)
{
	const struct kube_pod *dst = w->flow->dst;
	const char *failed = NULL;

	if (!dst)
		return "a named port matches only on a pod"; /* NP-33 */
	for (size_t i = 0; i < dst->n_ports; i++) {
		const struct kube_pod_port *p = &dst->ports[i];

		if (strcmp(p->name, port->name) || p->proto != port->proto)
			continue;
		if (p->port == w->flow->port)
			return NULL;
		failed = arena_printf(w->arena, "on %s the port named %s is %u, not %u",
				      dst->meta.name, port->name, p->port, w->flow->port);
	}
	return failed ? failed
		      : arena_printf(w->arena, "%s has no %s port named %s", dst->meta.name,
				     proto_text(port->proto), port->name);
}

static const char *port_text(struct arena *arena, const struct kube_policy_port *port)
{
	const char *proto = proto_text(port->proto);

	if (port->name)
		return arena_printf(arena, "%s/%s", proto, port->name);
	if (port->any)
		return arena_printf(arena, "%s/any", proto);
	if (port->low != port->high)
		return arena_printf(arena, "%s/%u-%u", proto, port->low, port->high);
	return arena_printf(arena, "%s/%u", proto, port->low);
}

static const char *port_failure(const struct explain_work *w, const struct kube_policy_port *port)
{
	const struct explain_flow *f = w->flow;

	if (port->proto != f->proto)
		return arena_printf(w->arena, "the protocol is %s", proto_text(f->proto));
	if (port->name)
		return name_failure(w, port);
	if (!port->any && (f->port < port->low || f->port > port->high))
		return arena_printf(w->arena, "the port is %u", f->port);
	return NULL;
}

void explain_port(const struct explain_work *w, const struct kube_policy_port *port,
		  struct explain_item *ret_item)
{
	struct explain_part *part = add_part(ret_item, port_text(w->arena, port), &port->src);
	const char *failed = port_failure(w, port);

	ret_item->src = port->src;
	if (failed)
		add_edit(w, part, failed,
			 arena_printf(w->arena, "allow %s/%u", proto_text(w->flow->proto),
				      w->flow->port));
	sum_up(w, ret_item);
}
