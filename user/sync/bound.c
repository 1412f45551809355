// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Look-ups in what bind.c bound: ids as words of the tables, and names for errors. See private.h.
 */
#include <errno.h>
#include <stdio.h>

#include "sync/private.h"

#define FREE_ID_LIMIT (1u << 24) /* of kinds without an array: identities and rules */

uint64_t bound_word(const struct sync *s, const struct plan_word *w)
{
	const struct bound *extent;

	if (w->kind != WEIR_WORD_PORTS)
		return weir_word_verdict(w->kind, s->bound[WEIR_NAME_RULE][w->rule].id);
	extent = &s->bound[WEIR_NAME_PORT_SET][w->ports];
	return weir_word_ports(extent->id, extent->len);
}

struct weir_port_range bound_range(const struct sync *s, const struct plan_range *r)
{
	uint64_t word = bound_word(s, &r->word);

	return (struct weir_port_range){
		.low = r->low,
		.high = r->high,
		.kind = word,
		.rule = word >> 32,
	};
}

size_t bound_list(uint32_t service, int list)
{
	return (size_t)service * _WEIR_LIST_MAX + list;
}

uint64_t bound_extent(const struct sync *s, uint32_t service, int list)
{
	const struct bound *extent = &s->bound[WEIR_NAME_BACKEND_EXTENT][bound_list(service, list)];

	return weir_extent(extent->id, extent->len);
}

uint64_t bound_gone_extent(const struct sync *s, uint32_t service, int list)
{
	const struct bound *b = &s->bound[WEIR_NAME_SERVICE][service];
	const struct weir_service *live =
		(struct weir_service *)node_array(s->n, WEIR_MAP_services) + b->id;

	if (b->fresh || weir_extent_is_shared(live, list))
		return 0;
	for (int i = 0; i < _WEIR_LIST_MAX; i++)
		if (bound_extent(s, service, i) == live->extents[list])
			return 0;
	return live->extents[list];
}

void bound_each_dropped(struct sync *s, enum weir_name_kind kind,
			void (*fn)(struct sync *s, struct weir_name_id id))
{
	const struct table *t = &s->diff[WEIR_MAP_names].drop;

	for (size_t i = 0; i < t->n; i++)
		if (((struct weir_name *)table_key(t, i))->kind == (uint32_t)kind)
			fn(s, *(struct weir_name_id *)table_value(t, i));
}

void bound_each_dropped_backend(struct sync *s,
				void (*fn)(struct sync *s, struct weir_backend *live))
{
	struct weir_backend *live = node_array(s->n, WEIR_MAP_backends);

	for (size_t i = 0; i < s->backends.n; i++)
		if (!s->backends.items[i].wanted)
			fn(s, &live[s->backends.items[i].id]);
}

const char *bound_object(const struct sync *s, enum weir_name_kind kind, size_t i, char *buf,
			 size_t size)
{
	const struct plan *p = s->p;
	const struct plan_service *service;

	switch (kind) {
	case WEIR_NAME_RULE:
		snprintf(buf, size, "NetworkPolicy %s", p->rules[i].policy);
		break;
	case WEIR_NAME_IDENTITY:
		snprintf(buf, size, "peer %s", p->identities[i].text);
		break;
	case WEIR_NAME_POLICY_SET:
		snprintf(buf, size, "NetworkPolicy %s",
			 p->sets[i].n_policies ? p->sets[i].policies[0] : "?");
		break;
	case WEIR_NAME_PORT_SET:
		snprintf(buf, size, "NetworkPolicy %s",
			 p->port_sets[i].n_ranges ? p->rules[plan_first_rule(p, i)].policy : "?");
		break;
	case WEIR_NAME_POD:
		snprintf(buf, size, "Pod %s/%s", s->pods[i].a->ns, s->pods[i].a->name);
		break;
	default:
		service = &p->services[kind == WEIR_NAME_BACKEND          ? p->backends[i].service
				       : kind == WEIR_NAME_BACKEND_EXTENT ? i / _WEIR_LIST_MAX
									  : i];
		snprintf(buf, size, "Service %s/%s", service->ns, service->service);
	}
	return buf;
}

uint32_t bound_limit(const struct sync *s, enum weir_map array)
{
	return array == _WEIR_MAP_MAX ? FREE_ID_LIMIT : node_map_max(s->n, array);
}

int bound_refuse(struct sync *s, enum weir_name_kind kind, size_t i, enum weir_map array,
		 uint64_t need)
{
	uint32_t size = bound_limit(s, array);
	char object[160];

	s->delta.full = array;
	return err_set(s->err, -ENOSPC,
		       "%s does not fit: map %s: old and new need %llu entries, size is %u%s",
		       bound_object(s, kind, i, object, sizeof(object)),
		       array == _WEIR_MAP_MAX ? "ids" : map_info(array)->name,
		       (unsigned long long)need, size,
		       need <= size ? ", but no free extent is long enough" : "");
}
