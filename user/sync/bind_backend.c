// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Ids of backends and of the extents that list them. An element of backends[] holds its service,
 * address and port, and services[] holds the service's extent, so live state is read from the
 * arrays: entries in the map `names` would be most of that map, and most of what a load writes. A
 * backend is in use once its TAKEN flag is set, an extent once a service refers to it; both are
 * stored last, so what a kill leaves before that is free.
 */
#include "base/mem.h"
#include "sync/private.h"

void bind_mark_backends(struct sync *s)
{
	for (size_t i = 0; i < s->backends.n; i++) {
		idset_mark(&s->ids[WEIR_NAME_BACKEND], s->backends.items[i].id);
		idset_mark(&s->ids[WEIR_NAME_SERVICE], s->backends.items[i].service);
	}
}

static struct live_backend *live_of(const struct sync *s, const struct plan_backend *b)
{
	return backends_find(&s->backends, s->bound[WEIR_NAME_SERVICE][b->service].id, &b->addr,
			     b->port);
}

static uint64_t need(const struct sync *s)
{
	uint64_t n = 1 + s->backends.n;

	for (size_t i = 0; i < s->p->n_backends; i++)
		n += !live_of(s, &s->p->backends[i]);
	return n;
}

int bind_backends(struct sync *s)
{
	struct bound *bound = mem_zalloc((s->p->n_backends + 1) * sizeof(*bound));

	s->bound[WEIR_NAME_BACKEND] = bound;
	for (size_t i = 0; i < s->p->n_backends; i++) {
		struct live_backend *live = live_of(s, &s->p->backends[i]);

		bound[i].fresh = !live;
		if (live) {
			bound[i].id = live->id;
			live->wanted = true;
		} else if (idset_take(&s->ids[WEIR_NAME_BACKEND], &bound[i].id)) {
			return bound_refuse(s, WEIR_NAME_BACKEND, i, WEIR_MAP_backends, need(s));
		}
	}
	return 0;
}

/* ---- Extents ---- */

static const struct weir_service *live_service(const struct sync *s, uint32_t id)
{
	return (const struct weir_service *)node_array(s->n, WEIR_MAP_services) + id;
}

void bind_mark_backend_extents(struct sync *s)
{
	for (uint32_t id = 1; id < node_map_max(s->n, WEIR_MAP_services); id++)
		for (int list = 0; list < _WEIR_LIST_MAX; list++) {
			uint64_t extent = live_service(s, id)->extents[list];

			extents_mark(&s->extents[WEIR_NAME_BACKEND_EXTENT],
				     weir_extent_offset(extent), weir_extent_len(extent));
		}
}

static bool extent_holds(const struct sync *s, uint64_t extent, const uint32_t *want, uint32_t n)
{
	uint64_t end = (uint64_t)weir_extent_offset(extent) + weir_extent_len(extent);
	const uint64_t *live = node_array(s->n, WEIR_MAP_backend_slots);

	if (weir_extent_len(extent) != n || end > node_map_max(s->n, WEIR_MAP_backend_slots))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (live[weir_extent_offset(extent) + i] != s->bound[WEIR_NAME_BACKEND][want[i]].id)
			return false;
	return true;
}

/* A live extent of the service whose contents are the plan's list; otherwise an empty one. */
static uint64_t kept_extent(const struct sync *s, size_t service, int list)
{
	const struct plan_service *wanted = &s->p->services[service];
	const struct bound *b = &s->bound[WEIR_NAME_SERVICE][service];
	uint32_t n = plan_list_slots(wanted, list);
	_cleanup_(mem_free) uint32_t *want = mem_zalloc((n + 1) * sizeof(*want));

	if (b->fresh || !n)
		return 0;
	plan_list_fill(s->p, wanted, list, want);
	for (int i = 0; i < _WEIR_LIST_MAX; i++)
		if (extent_holds(s, live_service(s, b->id)->extents[i], want, n))
			return live_service(s, b->id)->extents[i];
	return 0;
}

/* Entries for old and new together. */
static uint64_t slots_need(const struct sync *s)
{
	uint64_t n = 0;

	for (uint32_t id = 1; id < node_map_max(s->n, WEIR_MAP_services); id++)
		n += weir_service_slots(live_service(s, id));
	for (size_t i = 1; i < s->p->n_services; i++)
		for (int list = 0; list < _WEIR_LIST_MAX; list++)
			if (plan_list_first(&s->p->services[i], list) == list &&
			    !kept_extent(s, i, list))
				n += plan_list_slots(&s->p->services[i], list);
	return n;
}

/* An empty extent has offset 0, length 0, and takes no entries. */
static int bind_extent(struct sync *s, size_t service, int list, struct bound *b)
{
	uint64_t kept = kept_extent(s, service, list);

	b->len = plan_list_slots(&s->p->services[service], list);
	b->id = weir_extent_offset(kept);
	b->fresh = b->len && !weir_extent_len(kept);
	if (b->fresh && extents_take(&s->extents[WEIR_NAME_BACKEND_EXTENT], b->len, &b->id)) {
		b->fresh = false;
		return bound_refuse(s, WEIR_NAME_BACKEND_EXTENT, bound_list(service, list),
				    WEIR_MAP_backend_slots, slots_need(s));
	}
	return 0;
}

static int bind_lists(struct sync *s, size_t service)
{
	struct bound *bound = &s->bound[WEIR_NAME_BACKEND_EXTENT][bound_list(service, 0)];
	int r = 0;

	for (int list = 0; list < _WEIR_LIST_MAX && !r; list++) {
		int first = plan_list_first(&s->p->services[service], list);

		if (first == list)
			r = bind_extent(s, service, list, &bound[list]);
		else
			bound[list] = (struct bound){ bound[first].id, bound[first].len, false };
	}
	return r;
}

int bind_backend_extents(struct sync *s)
{
	int r = 0;

	s->bound[WEIR_NAME_BACKEND_EXTENT] =
		mem_zalloc((bound_list(s->p->n_services, 0) + 1) * sizeof(**s->bound));
	for (size_t i = 1; i < s->p->n_services && !r; i++)
		r = bind_lists(s, i);
	return r;
}
