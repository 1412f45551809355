// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policy tables: written under fresh ids before anything refers to them, deleted when nothing does
 * any more. sync_moves.c moves addresses between identities.
 */
#include <errno.h>

#include "base/mem.h"
#include "sync/private.h"

static void want_addresses(struct sync *s)
{
	struct weir_prefix v4 = { .prefix_len = WEIR_V4_PREFIX_BITS, .addr = weir_addr_from_v4(0) };
	uint32_t none = WEIR_IDENTITY_NONE;

	for (size_t i = 0; i < s->p->n_addresses; i++) {
		const struct plan_address *a = &s->p->addresses[i];
		struct weir_prefix key = { .prefix_len = a->cidr.len, .addr = a->cidr.addr };
		uint32_t id = s->bound[WEIR_NAME_IDENTITY][a->identity].id;

		if (i + 1 < s->p->n_addresses && !cidr_compare(&a->cidr, &a[1].cidr))
			continue; /* a block of one pod's address: the pod's element follows and
				     includes it (NP-27) */
		if (a->pod || a->cidr.len == 128)
			table_add(&s->want[WEIR_MAP_identities], &a->cidr.addr, &id);
		else
			table_add(&s->want[WEIR_MAP_networks], &key, &id);
	}
	/* NP-29; if the plan has this prefix, table_sort() keeps that one */
	table_add(&s->want[WEIR_MAP_networks], &v4, &none);
	table_sort(&s->want[WEIR_MAP_identities]);
	table_sort(&s->want[WEIR_MAP_networks]);
}

static void want_rules(struct sync *s)
{
	for (size_t i = 1; i < s->p->n_sets; i++) {
		const struct plan_set *set = &s->p->sets[i];

		for (size_t e = 0; e < set->n_elements; e++) {
			const struct plan_element *el = &set->elements[e];
			struct weir_policy_key key = {
				.set = s->bound[WEIR_NAME_POLICY_SET][i].id,
				.identity = s->bound[WEIR_NAME_IDENTITY][el->identity].id
			};
			uint64_t word = bound_word(s, &el->word);

			table_add(&s->want[WEIR_MAP_policy_rules], &key, &word);
		}
	}
	table_sort(&s->want[WEIR_MAP_policy_rules]);
}

void policy_want(struct sync *s)
{
	want_addresses(s);
	want_rules(s);
	for (size_t i = 0; i < s->p->n_node_addrs; i++) {
		const struct plan_node_addr *a = &s->p->node_addrs[i];
		uint32_t kind = a->kind | (a->node_ports ? WEIR_NODE_PORTS : 0);

		table_add(&s->want[WEIR_MAP_nodes], &a->addr, &kind);
	}
	table_sort(&s->want[WEIR_MAP_nodes]);
}

static void count_dropped_set(struct sync *s, struct weir_name_id id)
{
	s->delta.deleted[WEIR_MAP_policy_sets]++;
}

static void count_dropped_ports(struct sync *s, struct weir_name_id id)
{
	s->delta.deleted[WEIR_MAP_port_ranges] += id.len;
}

int policy_delta(struct sync *s)
{
	const struct table_diff *nodes = &s->diff[WEIR_MAP_nodes];
	int r = moves_plan(s);

	if (r)
		return r;
	for (size_t i = 1; i < s->p->n_sets; i++)
		s->delta.inserted[WEIR_MAP_policy_sets] += s->bound[WEIR_NAME_POLICY_SET][i].fresh;
	for (size_t i = 0; i < s->p->n_port_sets; i++)
		if (s->bound[WEIR_NAME_PORT_SET][i].fresh)
			s->delta.inserted[WEIR_MAP_port_ranges] +=
				s->bound[WEIR_NAME_PORT_SET][i].len;
	bound_each_dropped(s, WEIR_NAME_POLICY_SET, count_dropped_set);
	bound_each_dropped(s, WEIR_NAME_PORT_SET, count_dropped_ports);
	for (size_t i = 0; i < s->n_moves; i++)
		if (s->moves[i].from != s->moves[i].to)
			s->delta.policy_epoch_raised = 1;
	if (nodes->insert.n || nodes->change.n || nodes->drop.n)
		s->delta.policy_epoch_raised = 1;
	return 0;
}

static void write_ports(struct sync *s, size_t i)
{
	struct weir_port_range *live = node_array(s->n, WEIR_MAP_port_ranges);
	const struct plan_port_set *set = &s->p->port_sets[i];

	for (size_t r = 0; r < set->n_ranges; r++)
		live[s->bound[WEIR_NAME_PORT_SET][i].id + r] = bound_range(s, &set->ranges[r]);
}

int policy_prepare(struct sync *s)
{
	uint64_t *sets = node_array(s->n, WEIR_MAP_policy_sets);

	sync_step("port-sets");
	for (size_t i = 0; i < s->p->n_port_sets; i++)
		if (s->bound[WEIR_NAME_PORT_SET][i].fresh)
			write_ports(s, i);
	sync_step("policy-sets");
	for (size_t i = 1; i < s->p->n_sets; i++)
		if (s->bound[WEIR_NAME_POLICY_SET][i].fresh)
			sets[s->bound[WEIR_NAME_POLICY_SET][i].id] =
				bound_word(s, &s->p->sets[i].default_word);
	sync_step("policy-rules");
	return table_write(sync_fd(s, WEIR_MAP_policy_rules),
			   &s->diff[WEIR_MAP_policy_rules].insert, s->err);
}

int policy_refine(struct sync *s)
{
	int r;

	sync_step("transit-rules");
	r = table_write(sync_fd(s, WEIR_MAP_policy_rules), &s->transit_rules, s->err);
	if (r)
		return r;
	sync_step("refine");
	return moves_to_transit(s);
}

int policy_coarsen(struct sync *s)
{
	sync_step("coarsen");
	return moves_to_end(s);
}

static void clear_set(struct sync *s, struct weir_name_id id)
{
	uint64_t *sets = node_array(s->n, WEIR_MAP_policy_sets);

	if (id.id && id.id < node_map_max(s->n, WEIR_MAP_policy_sets))
		sets[id.id] = weir_word_verdict(WEIR_WORD_DENY, WEIR_NO_RULE);
}

/* Elements of removed addresses already hold the identity of what covers them. */
int policy_clear(struct sync *s)
{
	static const enum weir_map maps[] = { WEIR_MAP_identities, WEIR_MAP_networks,
					      WEIR_MAP_policy_rules };
	int r = 0;

	sync_step("transit-gone");
	r = table_erase(sync_fd(s, WEIR_MAP_policy_rules), &s->transit_rules, s->err);
	sync_step("policy-gone");
	for (size_t i = 0; i < ARRAY_SIZE(maps) && !r; i++)
		r = table_erase(sync_fd(s, maps[i]), &s->diff[maps[i]].drop, s->err);
	bound_each_dropped(s, WEIR_NAME_POLICY_SET, clear_set);
	return r;
}
