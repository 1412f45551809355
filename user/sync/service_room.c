// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the Services of a plan need beside the live entries. See service_room.h. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compile/service_fit.h"
#include "sync/backends.h"
#include "sync/service_room.h"
#include "sync/table.h"

struct service_room {
	struct node *n;
	const struct plan *p;
	struct table names, frontends, ranges; /* live */
	struct backends backends; /* live */
	struct service_need *needs; /* one for each Service of the plan */
	size_t n_needs;
	uint32_t *need_of; /* by index of plan->services: its need */
};

static void room_free(struct service_room *r)
{
	table_free(&r->names);
	table_free(&r->frontends);
	table_free(&r->ranges);
	backends_free(&r->backends);
	free(r->needs);
	free(r->need_of);
}

bool service_room_helps(enum weir_map table)
{
	for (int kind = SERVICE_STEPS + 1; kind < _SERVICE_NEED_MAX; kind++)
		if (service_need_table(kind) == table)
			return true;
	return false;
}

static int read_live(struct service_room *r, struct weir_err *err)
{
	int error;

	table_init(&r->names, WEIR_MAP_names);
	table_init(&r->frontends, WEIR_MAP_frontends);
	error = table_read(node_map_fd(r->n, WEIR_MAP_names), &r->names, err);
	if (!error)
		error = table_read(node_map_fd(r->n, WEIR_MAP_frontends), &r->frontends, err);
	table_init(&r->ranges, WEIR_MAP_source_ranges);
	if (!error)
		error = table_read(node_map_fd(r->n, WEIR_MAP_source_ranges), &r->ranges, err);
	backends_read(r->n, &r->backends);
	return error;
}

/* ---- What is new ---- */

/* 0: the service port is not live. */
static uint32_t live_id(const struct service_room *r, const struct plan_service *s)
{
	struct weir_name key = { .kind = WEIR_NAME_SERVICE };
	const struct weir_name_id *id;

	memcpy(key.hash, s->name.b, sizeof(key.hash));
	id = table_find(&r->names, &key);
	return id && id->id < node_map_max(r->n, WEIR_MAP_services) ? id->id : 0;
}

static uint32_t live_backend(const struct service_room *r, uint32_t id,
			     const struct plan_backend *b)
{
	const struct live_backend *live =
		id ? backends_find(&r->backends, id, &b->addr, b->port) : NULL;

	return live ? live->id : 0;
}

static bool extent_holds(const struct service_room *r, uint32_t id, uint64_t extent,
			 const uint32_t *want, uint32_t n)
{
	const uint64_t *slots = node_array(r->n, WEIR_MAP_backend_slots);
	uint32_t offset = weir_extent_offset(extent), len = weir_extent_len(extent);

	if (len != n || (uint64_t)offset + len > node_map_max(r->n, WEIR_MAP_backend_slots))
		return false;
	for (uint32_t i = 0; i < len; i++)
		if (slots[offset + i] != live_backend(r, id, &r->p->backends[want[i]]))
			return false;
	return true;
}

static bool keeps_list(const struct service_room *r, uint32_t id, const struct plan_service *s,
		       int list)
{
	const struct weir_service *live = node_array(r->n, WEIR_MAP_services);
	uint32_t n = plan_list_slots(s, list);
	_cleanup_(mem_free) uint32_t *want = mem_zalloc((n + 1) * sizeof(*want));

	plan_list_fill(r->p, s, list, want);
	for (int i = 0; id && i < _WEIR_LIST_MAX; i++)
		if (extent_holds(r, id, live[id].extents[i], want, n))
			return true;
	return false;
}

/* The elements of those lists of the plan that no live extent of the service has. */
static uint64_t new_slots(const struct service_room *r, uint32_t id, const struct plan_service *s)
{
	uint64_t n = 0;

	for (int list = 0; list < _WEIR_LIST_MAX; list++)
		if (plan_list_first(s, list) == list && !keeps_list(r, id, s, list))
			n += plan_list_slots(s, list);
	return n;
}

static uint64_t new_ranges(const struct service_room *r, uint32_t id, const struct plan_service *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_ranges; i++) {
		struct weir_source_range key = {
			.prefix_len = WEIR_SOURCE_RANGE_BITS + s->ranges[i].len,
			.service = id,
			.addr = s->ranges[i].addr,
		};

		n += !id || !table_find(&r->ranges, &key);
	}
	return n;
}

static void find_services(struct service_room *r)
{
	const struct plan *p = r->p;

	r->needs = mem_zalloc(p->n_services * sizeof(*r->needs));
	r->need_of = mem_zalloc(p->n_services * sizeof(*r->need_of));
	for (size_t i = 1; i < p->n_services; i++) {
		const struct plan_service *s = &p->services[i];
		struct service_need *need = &r->needs[r->n_needs - !!r->n_needs];
		uint32_t id = live_id(r, s);

		if (!r->n_needs || strcmp(need->ns, s->ns) || strcmp(need->name, s->service)) {
			need = &r->needs[r->n_needs++];
			need->ns = s->ns;
			need->name = s->service;
		}
		r->need_of[i] = need - r->needs;
		need->need[SERVICE_PORTS] += !id;
		need->need[SERVICE_SLOTS] += new_slots(r, id, s);
		need->need[SERVICE_RANGES] += new_ranges(r, id, s);
	}
}

static void count_backends(struct service_room *r)
{
	const struct plan *p = r->p;

	for (size_t i = 0; i < p->n_backends; i++) {
		uint32_t service = p->backends[i].service;
		uint32_t id = live_id(r, &p->services[service]);

		r->needs[r->need_of[service]].need[SERVICE_BACKENDS] +=
			!live_backend(r, id, &p->backends[i]);
	}
}

/* The element of an address alone comes before those of its ports. */
static void count_frontends(struct service_room *r)
{
	const struct plan *p = r->p;
	const struct weir_addr *known = NULL; /* an address whose element is new */

	for (size_t i = 0; i < p->n_frontends; i++) {
		const struct plan_frontend *f = &p->frontends[i];
		struct weir_frontend key = { .addr = f->addr,
					     .port_be = htobe16(f->port),
					     .proto = f->proto,
					     .scope = f->scope };
		bool fresh = !table_find(&r->frontends, &key);

		if (!f->service) {
			known = fresh ? &f->addr : NULL;
			continue;
		}
		r->needs[r->need_of[f->service]].need[SERVICE_FRONTENDS] += fresh;
		if (known && weir_addr_equal(known, &f->addr))
			r->needs[r->need_of[f->service]].known++;
		known = NULL;
	}
}

/* ---- What is free ---- */

static uint64_t live_slots(const struct service_room *r)
{
	const struct weir_service *live = node_array(r->n, WEIR_MAP_services);
	uint64_t n = 0;

	for (uint32_t id = 1; id < node_map_max(r->n, WEIR_MAP_services); id++)
		n += weir_service_slots(&live[id]);
	return n;
}

static uint64_t live_services(const struct service_room *r)
{
	uint64_t n = 1; /* id 0 is never given out */

	for (size_t i = 0; i < r->names.n; i++)
		n += ((struct weir_name *)table_key(&r->names, i))->kind == WEIR_NAME_SERVICE;
	return n;
}

static uint64_t live_entries(const struct service_room *r, enum service_need_kind kind)
{
	switch (kind) {
	case SERVICE_FRONTENDS:
		return r->frontends.n;
	case SERVICE_RANGES:
		return r->ranges.n;
	case SERVICE_PORTS:
		return live_services(r);
	case SERVICE_SLOTS:
		return live_slots(r);
	default:
		return 1 + r->backends.n;
	}
}

/* What the plan needs of the table without the live entries: no more than its size. */
static uint64_t plan_entries(const struct plan *p, enum service_need_kind kind)
{
	uint64_t n = 0;

	switch (kind) {
	case SERVICE_FRONTENDS:
		return p->n_frontends;
	case SERVICE_RANGES:
		for (size_t i = 1; i < p->n_services; i++)
			n += p->services[i].n_ranges;
		return n;
	case SERVICE_PORTS:
		return p->n_services;
	case SERVICE_SLOTS:
		for (size_t i = 1; i < p->n_services; i++)
			n += plan_service_slots(&p->services[i]);
		return n;
	default:
		return 1 + p->n_backends;
	}
}

static void fit(struct service_room *r, enum service_need_kind kind, uint32_t part)
{
	uint64_t live = live_entries(r, kind);
	struct service_limit l = { .all = plan_entries(r->p, kind),
				   .size = node_map_max(r->n, service_need_table(kind)) };

	l.room = l.size > live ? (l.size - live) / part : 0;
	service_fit(r->needs, r->n_needs, kind, &l);
}

int service_room_unfit(struct node *n, const struct plan *p, uint32_t part,
		       struct plan_unfit *ret_unfit, struct arena *arena, struct weir_err *err)
{
	_cleanup_(room_free) struct service_room r = { .n = n, .p = p };
	int error = read_live(&r, err);

	*ret_unfit = (struct plan_unfit){};
	if (error)
		return error;
	find_services(&r);
	count_backends(&r);
	count_frontends(&r);
	for (int kind = SERVICE_STEPS + 1; kind < _SERVICE_NEED_MAX; kind++)
		fit(&r, kind, part);
	ret_unfit->left_out = mem_zalloc((r.n_needs + 1) * sizeof(*ret_unfit->left_out));
	for (size_t i = 0; i < r.n_needs; i++)
		if (r.needs[i].out)
			ret_unfit->left_out[ret_unfit->n_left_out++] = (struct plan_left_out){
				.service = arena_printf(arena, "%s/%s", r.needs[i].ns,
							r.needs[i].name),
				.known = !r.needs[i].unknown,
				.table = r.needs[i].table,
				.need = r.needs[i].all,
				.size = r.needs[i].size,
			};
	return 0;
}
