// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Rules to words. See word.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/word.h"

bool rule_has_port_names(const struct kube_policy_rule *rule)
{
	for (size_t i = 0; i < rule->n_ports; i++)
		if (rule->ports[i].name)
			return true;
	return false;
}

/* Name and protocol must both match; a name declared twice means both numbers (NP-32, NP-35). */
static void add_named(struct word_build *w, const struct kube_policy_port *port,
		      const struct word_ports *ports, uint32_t rank)
{
	const struct kube_pod *pod = ports->pod;
	uint32_t name;

	for (size_t i = 0; pod && i < pod->n_ports; i++)
		if (pod->ports[i].proto == port->proto && !strcmp(pod->ports[i].name, port->name))
			range_add(&w->ranges, port->proto, pod->ports[i].port, pod->ports[i].port,
				  rank);
	if (pod)
		return;
	name = port_name_find(w->build, port->name, port->proto);
	for (size_t i = 0; i < ports->resolution->n; i++)
		if (ports->resolution->items[i].name == name)
			range_add(&w->ranges, port->proto, ports->resolution->items[i].port,
				  ports->resolution->items[i].port, rank);
}

static void add_rule(struct word_build *w, uint32_t id, const struct word_ports *ports)
{
	const struct kube_policy_rule *rule = w->build->rules[id].rule;

	for (size_t i = 0; i < rule->n_ports; i++) {
		const struct kube_policy_port *port = &rule->ports[i];

		if (!port->proto)
			continue;
		if (port->any)
			range_add(&w->ranges, port->proto, 0, UINT16_MAX, id);
		else if (port->name)
			add_named(w, port, ports, id);
		else
			range_add(&w->ranges, port->proto, port->low, port->high, id);
	}
}

/*
 * Offers the ranges of all rules with ports, as if one peer matched them all. They depend on
 * nothing but the policy set: so does a word that refers to them, on that and its identity.
 */
void word_begin(struct word_build *w, const struct ids *rules, const struct word_ports *ports)
{
	struct range_list flat;

	w->port_sets.plan = w->build->plan;
	port_sets_begin(&w->port_sets);
	w->ranges.n = 0;
	for (size_t i = 0; i < rules->n; i++)
		add_rule(w, rules->items[i], ports);
	if (w->ranges.n < PORT_SETS_SHARE_MIN)
		return;
	ranges_flatten(&w->ranges, &flat);
	port_sets_offer(&w->port_sets, &flat);
}

/*
 * Rule indexes are in order of attribution, so they serve as ranks. A rule without ports takes
 * every port that the rules before it left, so the rules after it get none.
 */
struct plan_word word_of(struct word_build *w, const struct ids *rules,
			 const struct word_ports *ports)
{
	struct range_list flat;

	w->ranges.n = 0;
	for (size_t i = 0; i < rules->n; i++) {
		uint32_t id = rules->items[i];

		if (w->build->rules[id].rule->n_ports) {
			add_rule(w, id, ports);
			continue;
		}
		if (!w->ranges.n)
			return (struct plan_word){ .kind = WEIR_WORD_ALLOW, .rule = id };
		range_add_all(&w->ranges, id);
		break;
	}
	if (!w->ranges.n)
		return (struct plan_word){ .kind = WEIR_WORD_DENY };
	ranges_flatten(&w->ranges, &flat);
	return (struct plan_word){ .kind = WEIR_WORD_PORTS,
				   .ports = port_sets_add(&w->port_sets, &flat) };
}

void word_build_finish(struct word_build *w, uint32_t **ret_new_id)
{
	w->port_sets.plan = w->build->plan;
	port_sets_finish(&w->port_sets, ret_new_id);
	range_list_free(&w->ranges);
}
