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

static struct plan_hash port_set_name(const struct build *b, const struct range_list *list)
{
	struct hasher h;

	hash_begin(&h, "ports");
	for (size_t i = 0; i < list->n; i++) {
		hash_u32(&h, list->items[i].low);
		hash_u32(&h, list->items[i].high);
		hash_name(&h, &b->plan->rules[list->items[i].rank].name);
	}
	return hash_end(&h);
}

static uint32_t port_set(struct word_build *w, const struct range_list *list)
{
	struct plan_port_set set = { .name = port_set_name(w->build, list), .n_ranges = list->n };
	uint32_t id = name_table_add(&w->names, &set.name, w->n_sets);

	if (id < w->n_sets)
		return id;
	set.ranges = arena_zalloc(&w->build->plan->arena, list->n * sizeof(*set.ranges));
	for (size_t i = 0; i < list->n; i++)
		set.ranges[i] = (struct plan_range){
			.low = list->items[i].low,
			.high = list->items[i].high,
			.allow = true,
			.rule = list->items[i].rank,
		};
	*VEC_ADD(w->sets, w->n_sets, w->cap_sets) = set;
	return id;
}

/*
 * Rule indexes are in order of attribution, so they serve as ranks. A rule without ports takes
 * every port that the rules before it left, so the rules after it get none.
 */
struct plan_word word_of(struct word_build *w, const struct ids *rules,
			 const struct word_ports *ports)
{
	_cleanup_(range_list_free) struct range_list flat = {};

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
	return (struct plan_word){ .kind = WEIR_WORD_PORTS, .ports = port_set(w, &flat) };
}

void word_build_finish(struct word_build *w, uint32_t **ret_new_id)
{
	struct plan *p = w->build->plan;

	*ret_new_id = sort_by_name(w->sets, w->n_sets, sizeof(*w->sets), 0);
	p->port_sets = arena_array(&p->arena, w->sets, w->n_sets);
	p->n_port_sets = w->n_sets;
	free(w->sets);
	range_list_free(&w->ranges);
	name_table_free(&w->names);
}
