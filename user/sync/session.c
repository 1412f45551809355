// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoint changes without a whole apply. See session.h. A change is an apply of a plan with one
 * Service against the live state of that Service: the same functions bind, compare and write it.
 * Only arrays change, in the order of docs/design.md ("Atomic from the packet's view").
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "sync/session.h"
#include "sync/private.h"

struct session {
	struct node *n;
	struct table services; /* names of service ports, to their ids */
	struct backends *backends; /* live ones, a list for each id of a service */
	uint32_t n_backends; /* lists */
	struct idset ids; /* of backends */
	struct extents extents; /* of backend_slots */
	/* removed, but running programs may still hold them */
	uint32_t *gone_backends;
	size_t n_gone_backends, cap_gone_backends;
	struct extent *gone_extents;
	size_t n_gone_extents, cap_gone_extents;
};

/* ---- What is live ---- */

static int remember_services(struct session *s, struct weir_err *err)
{
	_cleanup_(table_free) struct table names = {};
	int r;

	table_init(&names, WEIR_MAP_names);
	table_init(&s->services, WEIR_MAP_names);
	r = table_read(node_map_fd(s->n, WEIR_MAP_names), &names, err);
	for (size_t i = 0; i < names.n; i++)
		if (((struct weir_name *)table_key(&names, i))->kind == WEIR_NAME_SERVICE)
			table_add(&s->services, table_key(&names, i), table_value(&names, i));
	table_sort(&s->services);
	return r;
}

static void remember_backends(struct session *s)
{
	_cleanup_(backends_free) struct backends all = {};

	s->n_backends = node_map_max(s->n, WEIR_MAP_services);
	s->backends = mem_zalloc(s->n_backends * sizeof(*s->backends));
	idset_init(&s->ids, node_map_max(s->n, WEIR_MAP_backends));
	backends_read(s->n, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct backends *b;

		idset_mark(&s->ids, all.items[i].id);
		if (all.items[i].service >= s->n_backends)
			continue;
		b = &s->backends[all.items[i].service];
		*VEC_ADD(b->items, b->n, b->cap) = all.items[i];
	}
}

static void remember_extents(struct session *s)
{
	const struct weir_service *services = node_array(s->n, WEIR_MAP_services);

	extents_init(&s->extents, node_map_max(s->n, WEIR_MAP_backend_slots));
	for (uint32_t id = 1; id < node_map_max(s->n, WEIR_MAP_services); id++)
		for (int list = 0; list < _WEIR_LIST_MAX; list++)
			extents_mark(&s->extents, weir_extent_offset(services[id].extents[list]),
				     weir_extent_len(services[id].extents[list]));
	extents_settle(&s->extents);
}

int session_apply(struct session **session, struct node *n, const struct plan *p,
		  const struct attachment_list *attachments, unsigned int flags,
		  struct sync_delta *ret_delta, struct weir_err *err)
{
	int r = sync_apply(n, p, attachments, flags, ret_delta, err);
	struct session *s;

	session_close(session);
	if (r)
		return r;
	s = *session = mem_zalloc(sizeof(*s));
	s->n = n;
	r = remember_services(s, err);
	if (r) {
		session_close(session);
		return r;
	}
	remember_backends(s);
	remember_extents(s);
	return 0;
}

void session_close(struct session **session)
{
	struct session *s = *session;

	if (!s)
		return;
	for (uint32_t id = 0; id < s->n_backends; id++)
		backends_free(&s->backends[id]);
	free(s->backends);
	table_free(&s->services);
	idset_free(&s->ids);
	extents_free(&s->extents);
	free(s->gone_backends);
	free(s->gone_extents);
	free(s);
	*session = NULL;
}

/* ---- A change ---- */

static int bind_services(struct session *s, struct sync *change)
{
	change->bound[WEIR_NAME_SERVICE] =
		mem_zalloc((change->p->n_services + 1) * sizeof(*change->bound[WEIR_NAME_SERVICE]));
	for (size_t i = 1; i < change->p->n_services; i++) {
		const struct plan_service *service = &change->p->services[i];
		struct weir_name key = { .kind = WEIR_NAME_SERVICE };
		const struct weir_name_id *id;

		memcpy(key.hash, service->name.b, sizeof(key.hash));
		id = table_find(&s->services, &key);
		if (!id)
			return err_set(change->err, -ESTALE,
				       "Service %s/%s: port '%s' is not loaded yet", service->ns,
				       service->service, service->port_name);
		if (id->id >= s->n_backends)
			return err_set(
				change->err, -ESTALE,
				"Service %s/%s: port '%s' has id %u, beyond the size of map services",
				service->ns, service->service, service->port_name, id->id);
		change->bound[WEIR_NAME_SERVICE][i].id = id->id;
		for (size_t b = 0; b < s->backends[id->id].n; b++)
			*VEC_ADD(change->backends.items, change->backends.n, change->backends.cap) =
				s->backends[id->id].items[b];
	}
	backends_sort(&change->backends);
	return 0;
}

/* Frees the ids that were taken for a change that failed. */
static void give_back(struct session *s, struct sync *change)
{
	const struct bound *backends = change->bound[WEIR_NAME_BACKEND],
			   *extents = change->bound[WEIR_NAME_BACKEND_EXTENT];

	for (size_t i = 0; backends && i < change->p->n_backends; i++)
		if (backends[i].fresh && backends[i].id)
			idset_drop(&s->ids, backends[i].id);
	for (size_t i = 0; extents && i < bound_list(change->p->n_services, 0); i++)
		if (extents[i].fresh)
			extents_give(&s->extents, extents[i].id, extents[i].len);
}

/* The change borrows the session's allocators. */
static int bind(struct session *s, struct sync *change)
{
	int r = bind_services(s, change);

	if (r)
		return r;
	change->ids[WEIR_NAME_BACKEND] = s->ids;
	change->extents[WEIR_NAME_BACKEND_EXTENT] = s->extents;
	r = bind_backends(change);
	if (!r)
		r = bind_backend_extents(change);
	s->ids = change->ids[WEIR_NAME_BACKEND];
	s->extents = change->extents[WEIR_NAME_BACKEND_EXTENT];
	change->ids[WEIR_NAME_BACKEND] = (struct idset){};
	change->extents[WEIR_NAME_BACKEND_EXTENT] = (struct extents){};
	if (!r)
		return 0;
	give_back(s, change);
	return err_set(change->err, r,
		       "Service %s/%s: no free entries besides those of removed endpoints",
		       change->p->services[1].ns, change->p->services[1].service);
}

/* Records the live extents that the change replaces. */
static void note_extents(struct session *s, const struct sync *change)
{
	for (size_t i = 0; i < bound_list(change->p->n_services, 0); i++) {
		uint64_t gone = bound_gone_extent(change, i / _WEIR_LIST_MAX, i % _WEIR_LIST_MAX);

		if (weir_extent_len(gone))
			*VEC_ADD(s->gone_extents, s->n_gone_extents, s->cap_gone_extents) =
				(struct extent){ weir_extent_offset(gone), weir_extent_len(gone) };
	}
}

/* Records the backends that the change removes, and the new live ones. */
static void note_backends(struct session *s, const struct sync *change)
{
	for (size_t i = 0; i < change->backends.n; i++)
		if (!change->backends.items[i].wanted)
			*VEC_ADD(s->gone_backends, s->n_gone_backends, s->cap_gone_backends) =
				change->backends.items[i].id;
	for (size_t i = 1; i < change->p->n_services; i++)
		s->backends[change->bound[WEIR_NAME_SERVICE][i].id].n = 0;
	for (size_t i = 0; i < change->p->n_backends; i++) {
		const struct plan_backend *b = &change->p->backends[i];
		uint32_t service = change->bound[WEIR_NAME_SERVICE][b->service].id;
		struct backends *list = &s->backends[service];

		*VEC_ADD(list->items, list->n, list->cap) =
			(struct live_backend){ .addr = b->addr,
					       .port = b->port,
					       .service = service,
					       .id = change->bound[WEIR_NAME_BACKEND][i].id };
	}
}

int session_service(struct session *s, const struct plan *part, struct sync_delta *ret_delta,
		    struct weir_err *err)
{
	_cleanup_(sync_free) struct sync change = { .n = s->n, .p = part, .err = err };
	int r = bind(s, &change);

	if (r)
		return r;
	service_delta(&change);
	if (sync_delta_writes(&change.delta)) {
		note_extents(s, &change);
		r = service_prepare(&change);
		sync_owe(&change);
		if (!r)
			r = service_flip(&change);
		sync_raise_epochs(&change);
		note_backends(s, &change);
	}
	change.delta.generation = node_config(s->n)->generation;
	*ret_delta = change.delta;
	return r;
}

/* ---- Afterwards ---- */

size_t session_owes(const struct session *s)
{
	return s->n_gone_backends + s->n_gone_extents;
}

int session_settle(struct session *s, struct weir_err *err)
{
	struct weir_backend *backends = node_array(s->n, WEIR_MAP_backends);
	struct sync change = { .n = s->n, .err = err };
	int r;

	if (!session_owes(s))
		return 0;
	sync_end_stale_sockets(s->n);
	sync_step("barrier");
	r = sync_pay_barrier(&change);
	if (r)
		return r;
	sync_step("free");
	for (size_t i = 0; i < s->n_gone_backends; i++) {
		backends[s->gone_backends[i]].flags = 0;
		idset_drop(&s->ids, s->gone_backends[i]);
	}
	for (size_t i = 0; i < s->n_gone_extents; i++)
		extents_give(&s->extents, s->gone_extents[i].offset, s->gone_extents[i].len);
	s->n_gone_backends = s->n_gone_extents = 0;
	return 0;
}
