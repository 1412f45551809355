// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Explains the policy verdict on a flow. See explain.h. Reads the objects, not the plan: the
 * explanation must refer to what people wrote.
 */
#include <string.h>

#include "analyze/explain_item.h"

/* An empty list matches everything. */
static bool list_matches(const struct explain_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!items[i].failed)
			return true;
	return !n;
}

static void judge_rule(const struct explain_work *w, const struct kube_policy *p,
		       unsigned int index, struct explain_rule *ret_rule)
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
		explain_peer(w, &rule->peers[i], p->meta.ns, &ret_rule->peers[i]);
	}
	for (size_t i = 0; i < rule->n_ports; i++) {
		ret_rule->ports[i].path = arena_printf(w->arena, "ports[%zu]", i);
		explain_port(w, &rule->ports[i], &ret_rule->ports[i]);
	}
	ret_rule->match = list_matches(ret_rule->peers, ret_rule->n_peers) &&
			  list_matches(ret_rule->ports, ret_rule->n_ports);
}

static bool isolates(const struct kube_policy *p, const struct explain_flow *f)
{
	return p->isolates[f->direction] && !strcmp(p->meta.ns, f->subject->meta.ns) &&
	       !f->subject->host_network &&
	       kube_selector_matches(&p->pods, &f->subject->meta.labels);
}

void explain_flow(const struct store *s, const struct explain_flow *f, struct arena *arena,
		  struct explain_side *ret_side)
{
	const struct explain_work w = { s, f, arena };
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
	*ret_side = side;
}
