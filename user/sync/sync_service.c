// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Service tables: frontends -> services -> extents of backend_slots -> backends. New backends and
 * extents are written under fresh ids first; then one word flips a service to its new extent, and
 * one word, stored in place, a frontend to another service. Packets see the old or the new one.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "sync/private.h"

static struct weir_service *services(const struct sync *s)
{
	return node_array(s->n, WEIR_MAP_services);
}

static struct weir_backend *backends(const struct sync *s)
{
	return node_array(s->n, WEIR_MAP_backends);
}

static uint32_t service_id(const struct sync *s, uint32_t i)
{
	return s->bound[WEIR_NAME_SERVICE][i].id;
}

static void want_ranges(struct sync *s, uint32_t i)
{
	const struct plan_service *service = &s->p->services[i];
	const uint32_t allowed = 1;

	for (size_t r = 0; r < service->n_ranges; r++) {
		struct weir_source_range key = {
			.prefix_len = WEIR_SOURCE_RANGE_BITS + service->ranges[r].len,
			.service = service_id(s, i),
			.addr = service->ranges[r].addr,
		};

		table_add(&s->want[WEIR_MAP_source_ranges], &key, &allowed);
	}
}

void service_want(struct sync *s)
{
	for (size_t i = 0; i < s->p->n_frontends; i++) {
		const struct plan_frontend *f = &s->p->frontends[i];
		struct weir_frontend key = { .addr = f->addr,
					     .port_be = htobe16(f->port),
					     .proto = f->proto,
					     .scope = f->scope };
		uint64_t word = weir_frontend_word(service_id(s, f->service), f->flags);

		table_add(&s->want[WEIR_MAP_frontends], &key, &word);
	}
	table_sort(&s->want[WEIR_MAP_frontends]);
	for (size_t i = 1; i < s->p->n_services; i++)
		want_ranges(s, i);
	table_sort(&s->want[WEIR_MAP_source_ranges]);
}

/* ---- What would change ---- */

/* Raised when the service's affinity is turned on, so that it starts without records (SVC-73). */
static uint32_t affinity_count(const struct sync *s, size_t i)
{
	const struct weir_service *live = &services(s)[service_id(s, i)];
	uint32_t count = live->flags >> WEIR_AFFINITY_COUNT_SHIFT;

	return s->p->services[i].affinity_s && !live->affinity_s ? (uint16_t)(count + 1) : count;
}

static struct weir_service wanted_service(const struct sync *s, size_t i)
{
	struct weir_service want = { .flags = s->p->services[i].flags |
					      affinity_count(s, i) << WEIR_AFFINITY_COUNT_SHIFT,
				     .affinity_s = s->p->services[i].affinity_s };

	for (int list = 0; list < _WEIR_LIST_MAX; list++)
		want.extents[list] = bound_extent(s, i, list);
	return want;
}

static void slots_delta(struct sync *s, size_t i)
{
	for (int list = 0; list < _WEIR_LIST_MAX; list++) {
		const struct bound *extent =
			&s->bound[WEIR_NAME_BACKEND_EXTENT][bound_list(i, list)];

		if (extent->fresh)
			s->delta.inserted[WEIR_MAP_backend_slots] += extent->len;
		s->delta.deleted[WEIR_MAP_backend_slots] +=
			weir_extent_len(bound_gone_extent(s, i, list));
	}
}

static void services_delta(struct sync *s)
{
	for (size_t i = 1; i < s->p->n_services; i++) {
		const struct bound *b = &s->bound[WEIR_NAME_SERVICE][i];
		struct weir_service want = wanted_service(s, i);

		if (b->fresh)
			s->delta.inserted[WEIR_MAP_services]++;
		else if (memcmp(&services(s)[b->id], &want, sizeof(want)))
			s->delta.changed[WEIR_MAP_services]++;
		slots_delta(s, i);
	}
}

static bool stops_serving(const struct sync *s, size_t i)
{
	const struct bound *b = &s->bound[WEIR_NAME_BACKEND][i];

	return !b->fresh && backends(s)[b->id].flags & WEIR_BACKEND_SERVING &&
	       !s->p->backends[i].serving;
}

static bool starts_serving(const struct sync *s, size_t i)
{
	const struct bound *b = &s->bound[WEIR_NAME_BACKEND][i];

	return !b->fresh && !(backends(s)[b->id].flags & WEIR_BACKEND_SERVING) &&
	       s->p->backends[i].serving;
}

/* The lists that have each backend, of services with session affinity (SVC-74). */
static void find_listed(struct sync *s)
{
	s->listed = mem_zalloc((s->p->n_backends + 1) * sizeof(*s->listed));
	for (size_t i = 1; i < s->p->n_services; i++)
		for (int list = 0; s->p->services[i].affinity_s && list < _WEIR_LIST_MAX; list++) {
			const struct plan_list *l = &s->p->services[i].lists[list];

			for (size_t b = 0; b < l->n; b++)
				s->listed[l->items[b]] |= WEIR_BACKEND_LISTED << list;
		}
}

static bool changes_lists(const struct sync *s, size_t i)
{
	const struct bound *b = &s->bound[WEIR_NAME_BACKEND][i];

	return (backends(s)[b->id].flags & WEIR_BACKEND_LISTED_ALL) != s->listed[i];
}

static void backends_delta(struct sync *s)
{
	find_listed(s);
	for (size_t i = 0; i < s->p->n_backends; i++) {
		if (s->bound[WEIR_NAME_BACKEND][i].fresh)
			s->delta.inserted[WEIR_MAP_backends]++;
		else if (stops_serving(s, i) || starts_serving(s, i) || changes_lists(s, i))
			s->delta.changed[WEIR_MAP_backends]++;
		if (stops_serving(s, i))
			s->delta.service_epoch_raised = 1;
	}
}

static void count_dropped_service(struct sync *s, struct weir_name_id id)
{
	s->delta.deleted[WEIR_MAP_services]++;
	if (id.id < node_map_max(s->n, WEIR_MAP_services))
		s->delta.deleted[WEIR_MAP_backend_slots] += weir_service_slots(&services(s)[id.id]);
}

/* Raised even if it was not serving: a ready backend is chosen all the same (SVC-28). */
static void count_dropped_backend(struct sync *s, struct weir_backend *live)
{
	s->delta.deleted[WEIR_MAP_backends]++;
	s->delta.service_epoch_raised = 1;
}

/* Addresses begin or end to serve node ports. Node ports come last. */
static bool node_ports_change(const struct sync *s)
{
	const struct table_diff *d = &s->diff[WEIR_MAP_nodes];
	size_t n = s->p->n_frontends;

	return n && s->p->frontends[n - 1].scope == WEIR_SCOPE_NODE_PORT &&
	       (d->insert.n || d->change.n || d->drop.n);
}

void service_delta(struct sync *s)
{
	const struct table_diff *d = &s->diff[WEIR_MAP_frontends];

	services_delta(s);
	backends_delta(s);
	bound_each_dropped(s, WEIR_NAME_SERVICE, count_dropped_service);
	bound_each_dropped_backend(s, count_dropped_backend);
	if (d->insert.n || d->change.n || d->drop.n || node_ports_change(s))
		s->delta.service_epoch_raised = 1;
}

/* ---- Writing ---- */

/* The generation continues from the id's last user, so that no flow confuses the two backends. */
static void write_backend(struct sync *s, size_t i)
{
	const struct plan_backend *b = &s->p->backends[i];
	struct weir_backend *live = &backends(s)[s->bound[WEIR_NAME_BACKEND][i].id];

	live->generation++;
	live->addr = b->addr;
	live->port_be = htobe16(b->port);
	live->service = service_id(s, b->service);
	__atomic_store_n(&live->flags,
			 WEIR_BACKEND_TAKEN | (b->serving ? WEIR_BACKEND_SERVING : 0) |
				 s->listed[i],
			 __ATOMIC_RELEASE);
}

static void write_extent(struct sync *s, const struct bound *extent,
			 const struct plan_service *service, int list)
{
	_cleanup_(mem_free) uint32_t *want = mem_zalloc((extent->len + 1) * sizeof(*want));
	uint64_t *slots = node_array(s->n, WEIR_MAP_backend_slots);

	plan_list_fill(s->p, service, list, want);
	for (uint32_t i = 0; i < extent->len; i++)
		slots[extent->id + i] = s->bound[WEIR_NAME_BACKEND][want[i]].id;
}

static void write_lists(struct sync *s, uint32_t i)
{
	for (int list = 0; list < _WEIR_LIST_MAX; list++) {
		const struct bound *extent =
			&s->bound[WEIR_NAME_BACKEND_EXTENT][bound_list(i, list)];

		if (extent->fresh)
			write_extent(s, extent, &s->p->services[i], list);
	}
}

int service_prepare(struct sync *s)
{
	sync_step("backends");
	for (size_t i = 0; i < s->p->n_backends; i++)
		if (s->bound[WEIR_NAME_BACKEND][i].fresh)
			write_backend(s, i);
	sync_step("backend-extents");
	for (size_t i = 1; i < s->p->n_services; i++)
		write_lists(s, i);
	sync_step("source-ranges");
	return table_write(sync_fd(s, WEIR_MAP_source_ranges),
			   &s->diff[WEIR_MAP_source_ranges].insert, s->err);
}

static void store64(uint64_t *word, uint64_t value)
{
	if (*word != value)
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void store32(uint32_t *word, uint32_t value)
{
	if (*word != value)
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* The lists before n: those that are empty too, or the others alone. */
static void store_lists(struct weir_service *live, const struct weir_service *want, int n,
			bool empty)
{
	for (int list = 0; list < n; list++)
		if (empty || weir_extent_len(want->extents[list]))
			store64((uint64_t *)&live->extents[list], want->extents[list]);
}

/*
 * Flags say what an empty extent means, so they are stored before an extent becomes empty and after
 * one becomes non-empty: no packet meets a pair that is in neither plan.
 */
static void flip_service(struct sync *s, uint32_t i)
{
	struct weir_service *live = &services(s)[service_id(s, i)], want = wanted_service(s, i);
	int n = s->p->services[i].external ? _WEIR_LIST_MAX : WEIR_LIST_INTERNAL + 1;

	store_lists(live, &want, n, false);
	store32((uint32_t *)&live->flags, want.flags);
	store32((uint32_t *)&live->affinity_s, want.affinity_s);
	store_lists(live, &want, n, true);
}

/* Lists of frontends that are gone by now. */
static void flip_unused_lists(struct sync *s, uint32_t i)
{
	struct weir_service *live = &services(s)[service_id(s, i)], want = wanted_service(s, i);

	store_lists(live, &want, _WEIR_LIST_MAX, true);
}

static int store_frontend(struct sync *s, const struct weir_frontend *key, uint64_t value)
{
	struct weir_store_word arg = { .map = WEIR_STORE_FRONTEND,
				       .value = value,
				       .frontend = *key };

	return sync_store_word(s, &arg);
}

static int flip_frontends(struct sync *s)
{
	const struct table_diff *d = &s->diff[WEIR_MAP_frontends];
	int r = 0;

	for (size_t i = 0; i < d->change.n && !r; i++)
		r = store_frontend(s, table_key(&d->change, i),
				   *(uint64_t *)table_value(&d->change, i));
	if (!r)
		r = table_write(sync_fd(s, WEIR_MAP_frontends), &d->insert, s->err);
	if (r)
		return r;
	/* before the epoch is raised: a revalidated flow must not find them */
	sync_step("frontends-gone");
	return table_erase(sync_fd(s, WEIR_MAP_frontends), &d->drop, s->err);
}

static void end_backend(struct sync *s, struct weir_backend *live)
{
	__atomic_add_fetch(&live->generation, 1, __ATOMIC_RELEASE);
	live->flags &= ~WEIR_BACKEND_SERVING;
}

static void flip_backends(struct sync *s)
{
	for (size_t i = 0; i < s->p->n_backends; i++) {
		struct weir_backend *live = &backends(s)[s->bound[WEIR_NAME_BACKEND][i].id];

		if (stops_serving(s, i))
			end_backend(s, live);
		else if (starts_serving(s, i))
			live->flags |= WEIR_BACKEND_SERVING;
		if (changes_lists(s, i))
			live->flags = (live->flags & ~WEIR_BACKEND_LISTED_ALL) | s->listed[i];
	}
	bound_each_dropped_backend(s, end_backend);
}

/* Those of both plans are in the map while a frontend changes: a source needs one of them. */
static int drop_ranges(struct sync *s)
{
	sync_step("source-ranges-gone");
	return table_erase(sync_fd(s, WEIR_MAP_source_ranges),
			   &s->diff[WEIR_MAP_source_ranges].drop, s->err);
}

int service_flip(struct sync *s)
{
	int r;

	sync_step("services");
	for (size_t i = 1; i < s->p->n_services; i++)
		flip_service(s, i);
	sync_step("frontends");
	r = flip_frontends(s);
	if (!r)
		r = drop_ranges(s);
	if (r)
		return r;
	sync_step("unused-lists");
	for (size_t i = 1; i < s->p->n_services; i++)
		flip_unused_lists(s, i);
	sync_step("backends-end");
	flip_backends(s);
	return 0;
}

static void clear_service(struct sync *s, struct weir_name_id id)
{
	if (id.id && id.id < node_map_max(s->n, WEIR_MAP_services))
		services(s)[id.id] = (struct weir_service){};
}

static void free_backend(struct sync *s, struct weir_backend *live)
{
	live->flags = 0;
}

int service_clear(struct sync *s)
{
	bound_each_dropped_backend(s, free_backend);
	bound_each_dropped(s, WEIR_NAME_SERVICE, clear_service);
	return 0;
}
