// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The nearest miss of a denied flow: the rule, peer and port that need the smallest change, the
 * change, and its effect. See explain.h. Changes of labels are made on copies and both ends are
 * explained again, because a label that one policy needs may make another one isolate the pod.
 * Never changes the store.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze/explain.h"

/* candidates tried, cheapest first; the rest would need too many changes to be useful */
#define TRIED_MAX 32

enum cost {
	COST_NEW_LABEL = 4,
	COST_OTHER_LABEL = 5, /* also removes the present value */
	COST_EDIT = 6,
	COST_RULE = 10, /* from here on a new rule is the smaller change */
	COST_NEVER = 1000,
};

/* One rule with one of its peers and one of its ports. */
struct candidate {
	const struct explain_policy *policy;
	const struct explain_rule *rule; /* NULL: the policy has none */
	const struct explain_item *peer, *port; /* NULL: any */
	unsigned int cost;
	size_t order;
};

struct candidates {
	struct candidate *items;
	size_t n, cap;
};

struct work {
	const struct store *store;
	const struct explain_flow *const *flows;
	struct arena *arena;
	struct explain_side *sides;
	enum kube_direction direction; /* the side that denies */
};

static unsigned int item_cost(const struct explain_item *item)
{
	unsigned int cost = 0;

	for (size_t i = 0; item && i < item->n_parts; i++)
		for (size_t k = 0; k < item->parts[i].n_failures; k++) {
			const struct explain_failure *f = &item->parts[i].failures[k];

			if (f->fix == EXPLAIN_NO_FIX)
				return COST_NEVER;
			cost += f->fix == EXPLAIN_EDIT_POLICY ? COST_EDIT
				: f->now                      ? COST_OTHER_LABEL
							      : COST_NEW_LABEL;
		}
	return cost;
}

static void add_candidate(struct candidates *c, const struct candidate *one)
{
	struct candidate *out;

	if (one->cost >= COST_NEVER)
		return;
	out = VEC_ADD(c->items, c->n, c->cap);
	*out = *one;
	out->order = c->n;
}

static const struct explain_item *cheapest(const struct explain_item *items, size_t n)
{
	const struct explain_item *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (!best || item_cost(&items[i]) < item_cost(best))
			best = &items[i];
	return best;
}

static void collect(const struct explain_side *side, struct candidates *c)
{
	for (size_t i = 0; i < side->n_policies; i++) {
		const struct explain_policy *p = &side->policies[i];

		for (size_t r = 0; r < p->n_rules; r++) {
			const struct explain_rule *rule = &p->rules[r];
			struct candidate one = { .policy = p, .rule = rule };

			one.port = cheapest(rule->ports, rule->n_ports);
			for (size_t k = 0; k < rule->n_peers; k++) {
				one.peer = &rule->peers[k];
				one.cost = item_cost(one.peer) + item_cost(one.port);
				add_candidate(c, &one);
			}
			one.peer = NULL;
			one.cost = item_cost(one.port);
			if (!rule->n_peers)
				add_candidate(c, &one);
		}
	}
}

static int by_cost(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* ---- Trying a change ---- */

/* value NULL: removes the label. Keeps the labels sorted. */
static void set_label(struct arena *arena, struct kube_labels *labels, const char *key,
		      const char *value)
{
	struct kube_label *items = arena_zalloc(arena, (labels->n + 1) * sizeof(*items));
	bool placed = !value;
	size_t n = 0;

	for (size_t i = 0; i < labels->n; i++) {
		if (!placed && strcmp(key, labels->items[i].key) <= 0) {
			items[n++] = (struct kube_label){ key, value };
			placed = true;
		}
		if (strcmp(key, labels->items[i].key))
			items[n++] = labels->items[i];
	}
	if (!placed)
		items[n++] = (struct kube_label){ key, value };
	*labels = (struct kube_labels){ items, n };
}

/* Copies of the objects that would change; their strings are the originals'. */
struct changed {
	struct kube_pod pod;
	struct kube_namespace ns;
};

static void change(const struct work *w, const struct explain_item *peer, struct changed *c)
{
	const struct kube_pod *pod = w->flows[w->direction]->peer;
	const struct kube_namespace *ns = pod ? store_namespace(w->store, pod->meta.ns) : NULL;

	*c = (struct changed){};
	if (pod)
		c->pod = *pod;
	if (ns)
		c->ns = *ns;
	else if (pod)
		c->ns.meta.name = pod->meta.ns;
	for (size_t i = 0; peer && pod && i < peer->n_parts; i++)
		for (size_t k = 0; k < peer->parts[i].n_failures; k++) {
			const struct explain_failure *f = &peer->parts[i].failures[k];

			if (f->fix == EXPLAIN_LABEL_POD)
				set_label(w->arena, &c->pod.meta.labels, f->key, f->value);
			if (f->fix == EXPLAIN_LABEL_NAMESPACE)
				set_label(w->arena, &c->ns.meta.labels, f->key, f->value);
		}
}

static bool only_edits(const struct explain_item *item)
{
	for (size_t i = 0; item && i < item->n_parts; i++)
		for (size_t k = 0; k < item->parts[i].n_failures; k++)
			if (item->parts[i].failures[k].fix != EXPLAIN_EDIT_POLICY)
				return false;
	return true;
}

/* Does the candidate's peer match after the change of labels, but for what edits would fix? */
static bool rule_matches(const struct explain_side *after, const struct candidate *c)
{
	for (size_t i = 0; i < after->n_policies; i++) {
		const struct explain_policy *p = &after->policies[i];

		if (p->policy != c->policy->policy)
			continue;
		return !c->rule || !c->peer ||
		       only_edits(&p->rules[c->rule->index].peers[c->peer - c->rule->peers]);
	}
	return true; /* the policy no longer isolates */
}

/* Tries the change. False: this side would still deny. *ret_all: both ends would allow. */
static bool try_candidate(const struct work *w, const struct candidate *c, bool *ret_all)
{
	enum kube_direction mine = w->direction, other = !mine;
	struct changed changed;
	struct explain_flow flow;
	struct explain_side after;

	change(w, c->peer, &changed);
	flow = *w->flows[mine];
	flow.peer = flow.peer ? &changed.pod : NULL;
	flow.changed_ns = &changed.ns;
	explain_flow(w->store, &flow, w->arena, &after);
	if (!after.allow && !rule_matches(&after, c))
		return false;
	*ret_all = true;
	if (w->flows[other]) {
		flow = *w->flows[other];
		flow.subject = &changed.pod;
		flow.changed_ns = &changed.ns;
		explain_flow(w->store, &flow, w->arena, &after);
		*ret_all = after.allow;
	}
	return true;
}

/* ---- As text ---- */

static const char *joined(struct arena *arena, const char *text, const char *more)
{
	return *text ? arena_printf(arena, "%s and %s", text, more) : more;
}

static const char *label_text(const struct work *w, const struct explain_failure *f)
{
	const struct kube_meta *pod = &w->flows[w->direction]->peer->meta;
	const char *object =
		f->fix == EXPLAIN_LABEL_NAMESPACE ? arena_printf(w->arena, "Namespace %s", pod->ns)
		: pod->owner.name
			? arena_printf(w->arena, "the pods of %s %s/%s",
				       kube_kind_text(pod->owner.kind), pod->ns, pod->owner.name)
			: arena_printf(w->arena, "Pod %s/%s", pod->ns, pod->name);

	if (!f->value)
		return arena_printf(w->arena, "remove label %s from %s", f->key, object);
	return arena_printf(w->arena, "label %s %s%s%s", object, f->key,
			    *f->value ? "=" : " (any value)", f->value);
}

static bool no_namespace_has(const struct store *s, const char *key)
{
	for (size_t i = 0; i < s->n_namespaces; i++)
		if (kube_label(&s->namespaces[i]->meta.labels, key))
			return false;
	return true;
}

static void describe_item(const struct work *w, const struct explain_item *item,
			  const char **labels, const char **edits, struct explain_nearest *n)
{
	for (size_t i = 0; item && i < item->n_parts; i++)
		for (size_t k = 0; k < item->parts[i].n_failures; k++) {
			const struct explain_failure *f = &item->parts[i].failures[k];

			n->lacks = n->lacks ? arena_printf(w->arena, "%s; %s", n->lacks, f->text)
					    : f->text;
			if (f->fix == EXPLAIN_EDIT_POLICY)
				*edits = joined(w->arena, *edits, f->edit);
			else
				*labels = joined(w->arena, *labels, label_text(w, f));
			if (f->fix == EXPLAIN_LABEL_NAMESPACE)
				n->consequence =
					item->n_parts > 1
						? arena_printf(w->arena,
							       "for all its pods that match %s",
							       item->parts[1].text)
						: "for every pod in it";
			else if (f->fix == EXPLAIN_LABEL_POD && f->now)
				n->consequence = arena_printf(
					w->arena, "but selectors for %s=%s stop matching it",
					f->key, f->now);
			if (f->hint && no_namespace_has(w->store, f->key))
				n->finding = EXPLAIN_FINDING_NAME;
		}
}

static const char *either_text(struct arena *arena, const char *list, size_t i, size_t k)
{
	return arena_printf(arena, "%s[%zu] and %s[%zu] are ORed", list, i < k ? i : k, list,
			    i < k ? k : i);
}

/*
 * One item with only a namespaceSelector and another one with only a podSelector: probably one dash
 * too many (NP-20).
 */
static const char *either(struct arena *arena, const struct kube_policy_rule *rule, size_t at,
			  const char *list)
{
	const struct kube_peer *mine = &rule->peers[at];

	if (!mine->pods == !mine->namespaces)
		return NULL;
	for (size_t i = 0; i < rule->n_peers; i++)
		if (!rule->peers[i].pods == !mine->namespaces &&
		    !rule->peers[i].namespaces == !mine->pods && !rule->peers[i].has_block)
			return either_text(arena, list, at, i);
	return NULL;
}

static const struct explain_nearest *describe(const struct work *w, const struct candidate *c,
					      bool all)
{
	struct explain_nearest *n = arena_zalloc(w->arena, sizeof(*n));
	const char *list = w->direction == KUBE_INGRESS ? "ingress" : "egress";
	const char *labels = "", *edits = "", *rule;

	rule = arena_printf(w->arena, "%s %s[%u]", c->policy->name, list, c->rule->index);
	n->where = c->peer ? arena_printf(w->arena, "%s.%s", rule, c->peer->path) : rule;
	n->all_allowed = all;
	if (c->port && c->port->failed)
		n->consequence = "for every peer of that rule";
	describe_item(w, c->peer, &labels, &edits, n);
	describe_item(w, c->port, &labels, &edits, n);
	if (*edits)
		labels = joined(w->arena, labels, arena_printf(w->arena, "in %s %s", rule, edits));
	n->change = labels;
	if (c->peer)
		n->either = either(
			w->arena, &c->policy->policy->rules[w->direction][c->rule->index],
			c->peer - c->rule->peers, w->direction == KUBE_INGRESS ? "from" : "to");
	if (n->either)
		n->finding = EXPLAIN_FINDING_OR;
	return n;
}

/* No candidate works at a lower cost than a new rule. */
static const struct explain_nearest *new_rule(const struct work *w, const struct candidate *c)
{
	struct explain_nearest *n = arena_zalloc(w->arena, sizeof(*n));
	const struct explain_side *side = &w->sides[w->direction];
	const struct explain_flow *f = w->flows[w->direction];
	const char *list = w->direction == KUBE_INGRESS ? "ingress" : "egress";
	const char *policy = c ? c->policy->name : side->policies[0].name;
	char addr[ADDR_TEXT_MAX];

	n->where = policy;
	n->lacks = arena_printf(w->arena, "there are no %s rules", list);
	if (c)
		*n = *describe(w, c, false);
	n->consequence = n->either = n->finding = NULL;
	n->change = arena_printf(w->arena, "add an %s rule to %s for %s, %s/%u", list, policy,
				 f->peer ? f->peer->meta.name : addr_text(&f->peer_addr, addr),
				 proto_text(f->proto), f->port);
	n->all_allowed = !w->flows[!w->direction] || w->sides[!w->direction].allow;
	return n;
}

static const struct explain_nearest *find(const struct work *w)
{
	struct candidates c = {};
	const struct explain_nearest *found = NULL;
	bool all = false;

	collect(&w->sides[w->direction], &c);
	if (c.n)
		qsort(c.items, c.n, sizeof(*c.items), by_cost);
	for (size_t i = 0; i < c.n && i < TRIED_MAX && c.items[i].cost < COST_RULE && !found; i++)
		if (try_candidate(w, &c.items[i], &all))
			found = describe(w, &c.items[i], all);
	if (!found)
		found = new_rule(w, c.n ? &c.items[0] : NULL);
	free(c.items);
	return found;
}

/* ---- Allowed, but only by one of two items that were probably meant as one ---- */

static const char *confused(const struct work *w, const struct explain_policy *p,
			    const struct explain_rule *rule)
{
	const struct kube_policy_rule *r = &p->policy->rules[w->direction][rule->index];
	const char *list = w->direction == KUBE_INGRESS ? "from" : "to";

	for (size_t i = 0; i < rule->n_peers; i++) {
		if (rule->peers[i].failed || !r->peers[i].namespaces || r->peers[i].pods)
			continue;
		for (size_t k = 0; k < rule->n_peers; k++) {
			const struct kube_selector *pods =
				r->peers[k].namespaces ? NULL : r->peers[k].pods;

			if (pods && !kube_selector_matches(
					    pods, &w->flows[w->direction]->peer->meta.labels))
				return either_text(w->arena, list, i, k);
		}
	}
	return NULL;
}

/* NULL where another rule allows, too. */
static const char *find_confusion(const struct work *w)
{
	const struct explain_side *side = &w->sides[w->direction];
	const char *found = NULL;

	for (size_t i = 0; i < side->n_policies; i++)
		for (size_t r = 0; r < side->policies[i].n_rules; r++) {
			const struct explain_rule *rule = &side->policies[i].rules[r];
			const char *text =
				rule->match ? confused(w, &side->policies[i], rule) : NULL;

			if (rule->match && !text)
				return NULL;
			found = text ? text : found;
		}
	return found;
}

void explain_nearest(const struct store *s, const struct explain_flow *const flows[2],
		     struct arena *arena, struct explain_side sides[2])
{
	for (int d = 0; d < 2; d++) {
		const struct work w = { s, flows, arena, sides, d };

		if (!flows[d])
			continue;
		if (!sides[d].allow)
			sides[d].nearest = find(&w);
		else if (flows[d]->peer)
			sides[d].either = find_confusion(&w);
	}
}
