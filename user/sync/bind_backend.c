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

static uint64_t live_extent(const struct sync *s, uint32_t service)
{
	const struct weir_service *live = node_array(s->n, WEIR_MAP_services);

	return live[service].internal;
}

void bind_mark_backend_extents(struct sync *s)
{
	for (uint32_t id = 1; id < node_map_max(s->n, WEIR_MAP_services); id++)
		extents_mark(&s->extents[WEIR_NAME_BACKEND_EXTENT],
			     weir_extent_offset(live_extent(s, id)),
			     weir_extent_len(live_extent(s, id)));
}

/*
 * The live extent of a service of the plan if its contents are the plan's; otherwise an empty one.
 */
static uint64_t kept_extent(const struct sync *s, size_t service)
{
	const struct plan_service *want = &s->p->services[service];
	const struct bound *b = &s->bound[WEIR_NAME_SERVICE][service];
	uint64_t extent = b->fresh ? 0 : live_extent(s, b->id),
		 end = (uint64_t)weir_extent_offset(extent) + weir_extent_len(extent);
	const uint64_t *live = node_array(s->n, WEIR_MAP_backend_slots);

	if (weir_extent_len(extent) != want->n_internal ||
	    end > node_map_max(s->n, WEIR_MAP_backend_slots))
		return 0;
	for (size_t i = 0; i < want->n_internal; i++)
		if (live[weir_extent_offset(extent) + i] !=
		    s->bound[WEIR_NAME_BACKEND][want->internal[i]].id)
			return 0;
	return extent;
}

/* Entries for old and new together. */
static uint64_t slots_need(const struct sync *s)
{
	uint64_t n = 0;

	for (uint32_t id = 1; id < node_map_max(s->n, WEIR_MAP_services); id++)
		n += weir_extent_len(live_extent(s, id));
	for (size_t i = 1; i < s->p->n_services; i++)
		if (!kept_extent(s, i))
			n += s->p->services[i].n_internal;
	return n;
}

/* An empty extent has offset 0, length 0, and takes no entries. */
int bind_backend_extents(struct sync *s)
{
	struct bound *bound = mem_zalloc((s->p->n_services + 1) * sizeof(*bound));

	s->bound[WEIR_NAME_BACKEND_EXTENT] = bound;
	for (size_t i = 1; i < s->p->n_services; i++) {
		uint64_t kept = kept_extent(s, i);

		bound[i].len = s->p->services[i].n_internal;
		bound[i].id = weir_extent_offset(kept);
		bound[i].fresh = bound[i].len && !weir_extent_len(kept);
		if (bound[i].fresh && extents_take(&s->extents[WEIR_NAME_BACKEND_EXTENT],
						   bound[i].len, &bound[i].id)) {
			bound[i].fresh = false;
			return bound_refuse(s, WEIR_NAME_BACKEND_EXTENT, i, WEIR_MAP_backend_slots,
					    slots_need(s));
		}
	}
	return 0;
}
