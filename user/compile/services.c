// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Services: which ones are served, at which frontends (SVC-1 to SVC-7), their endpoints from all
 * slices (SVC-10 to SVC-19), and the candidates for cluster IP traffic on this node (SVC-21 to
 * SVC-27). Never reads a pod: slices are authoritative (SVC-19).
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

#define LABEL_PROXY_NAME "service.kubernetes.io/service-proxy-name"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define LABEL_ZONE "topology.kubernetes.io/zone"

/* Slices of all services, sorted by (ns, service, name). */
struct slice_index {
	const struct kube_slice **items;
	size_t n;
};

/* A service port in one family. */
struct service_port {
	const struct kube_service *service;
	const struct kube_service_port *port;
	int family;
};

struct endpoint {
	const struct kube_endpoint *e;
	uint16_t port;
	bool local;
	size_t slice; /* index of the slice, by name */
};

struct endpoint_list {
	struct endpoint *items;
	size_t n, cap;
};

/* Where this node is, for locality and hints. */
struct location {
	const char *node, *zone; /* zone "": unknown */
};

static int slice_key(const struct kube_slice *s, const char *ns, const char *service)
{
	int order = strcmp(s->meta.ns, ns);

	return order ? order : strcmp(s->service, service);
}

static int by_service(const void *a, const void *b)
{
	const struct kube_slice *x = *(const struct kube_slice *const *)a,
				*y = *(const struct kube_slice *const *)b;
	int order = slice_key(x, y->meta.ns, y->service);

	return order ? order : strcmp(x->meta.name, y->meta.name);
}

/* SVC-10, SVC-11 */
static void slices_by_service(struct kube_slice *const *slices, size_t n,
			      struct slice_index *ret_index)
{
	struct slice_index ix = { .items = mem_zalloc(n * sizeof(*ix.items)) };

	for (size_t i = 0; i < n; i++)
		if (slices[i]->service[0] && slices[i]->family >= 0)
			ix.items[ix.n++] = slices[i];
	qsort(ix.items, ix.n, sizeof(*ix.items), by_service);
	*ret_index = ix;
}

static void slice_index_free(struct slice_index *ix)
{
	free(ix->items);
}

/* Index of a service's first slice, or where it would be inserted. */
static size_t first_slice(const struct slice_index *ix, const char *ns, const char *service)
{
	size_t low = 0, high = ix->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (slice_key(ix->items[middle], ns, service) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- Endpoints ---- */

/* Loopback, link-local, multicast and unspecified addresses cannot be endpoints (SVC-19). */
static bool endpoint_addr_ok(const struct weir_addr *a, int family)
{
	const unsigned char *v4 = a->b + 12;

	if (weir_addr_is_zero(a) || addr_family(a) != family)
		return false;
	if (family == 0)
		return v4[0] != 0 && v4[0] != 127 && !(v4[0] == 169 && v4[1] == 254) &&
		       (v4[0] & 0xf0) != 224;
	if (a->b[0] == 0xff || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80))
		return false;
	return a->w[0] || a->w[1] || a->w[2] || a->w[3] != htonl(1);
}

/*
 * Of entries with the same address and port, the first in this order counts: one that isn't
 * terminating before all others (SVC-14).
 */
static int by_endpoint(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;
	int order = addr_compare(&x->e->addr, &y->e->addr);

	if (!order)
		order = (int)x->port - (int)y->port;
	if (!order)
		order = (int)x->e->terminating - (int)y->e->terminating;
	if (!order)
		order = (int)y->e->ready - (int)x->e->ready;
	if (!order)
		order = (int)y->e->serving - (int)x->e->serving;
	if (!order)
		order = strcmp(x->e->pod, y->e->pod); /* derived slices have no unique names */
	if (!order)
		order = (x->slice > y->slice) - (x->slice < y->slice);
	return order ? order : (x->e > y->e) - (x->e < y->e); /* order within one slice */
}

static void take_slice(const struct kube_slice *slice, size_t at, const struct service_port *sp,
		       const struct location *here, struct endpoint_list *list)
{
	for (size_t p = 0; p < slice->n_ports; p++) {
		const struct kube_slice_port *port = &slice->ports[p];

		if (port->proto != sp->port->proto || strcmp(port->name, sp->port->name))
			continue;
		for (size_t i = 0; i < slice->n_endpoints; i++) {
			const struct kube_endpoint *e = &slice->endpoints[i];

			if (!endpoint_addr_ok(&e->addr, sp->family))
				continue;
			*VEC_ADD(list->items, list->n, list->cap) =
				(struct endpoint){ .e = e,
						   .port = port->port,
						   .local = !strcmp(e->node, here->node),
						   .slice = at };
		}
	}
}

/*
 * The endpoints of a service port from all slices, without duplicates, sorted by (addr, port)
 * (SVC-12 to SVC-17).
 */
static void endpoints_of(const struct slice_index *ix, const struct service_port *sp,
			 const struct location *here, struct endpoint_list *list)
{
	const struct kube_meta *m = &sp->service->meta;
	size_t n = 0;

	list->n = 0;
	for (size_t i = first_slice(ix, m->ns, m->name);
	     i < ix->n && !slice_key(ix->items[i], m->ns, m->name); i++)
		if (ix->items[i]->family == sp->family)
			take_slice(ix->items[i], i, sp, here, list);
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_endpoint);
	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *e = &list->items[i], *last = n ? &list->items[n - 1] : NULL;

		if (!last || last->port != e->port || !weir_addr_equal(&last->e->addr, &e->e->addr))
			list->items[n++] = *e;
	}
	list->n = n;
}

/* ---- Candidates ---- */

enum hint_mode {
	HINT_NONE,
	HINT_ZONE,
	HINT_NODE,
};

static bool has_text(const char **list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

static bool hinted(const struct kube_endpoint *e, enum hint_mode mode, const struct location *here)
{
	if (mode == HINT_NODE)
		return has_text(e->node_hints, e->n_node_hints, here->node);
	if (mode == HINT_ZONE)
		return has_text(e->zone_hints, e->n_zone_hints, here->zone);
	return true;
}

/*
 * Hints count only if every ready endpoint has some and one of them names this node or zone (SVC-24
 * to SVC-26).
 */
static enum hint_mode hint_mode(const struct endpoint_list *list, const struct location *here)
{
	bool all[3] = { [HINT_ZONE] = true, [HINT_NODE] = true }, hit[3] = {};

	for (size_t i = 0; i < list->n; i++) {
		const struct kube_endpoint *e = list->items[i].e;

		if (!e->ready)
			continue;
		all[HINT_NODE] &= e->n_node_hints > 0;
		all[HINT_ZONE] &= e->n_zone_hints > 0;
		hit[HINT_NODE] |= hinted(e, HINT_NODE, here);
		hit[HINT_ZONE] |= hinted(e, HINT_ZONE, here);
	}
	if (all[HINT_NODE] && hit[HINT_NODE])
		return HINT_NODE;
	return here->zone[0] && all[HINT_ZONE] && hit[HINT_ZONE] ? HINT_ZONE : HINT_NONE;
}

static bool usable_terminating(const struct kube_endpoint *e)
{
	return e->serving && e->terminating;
}

struct choice {
	bool local_only;
	bool terminating; /* terminating endpoints that still serve, instead of ready ones */
	enum hint_mode mode;
};

/* Sets chosen[] for the endpoints of one kind; returns their number. */
static size_t choose_kind(const struct endpoint_list *list, const struct choice *c,
			  const struct location *here, bool *chosen)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *e = &list->items[i];

		chosen[i] = (!c->local_only || e->local) &&
			    (c->terminating ? usable_terminating(e->e)
					    : e->e->ready && hinted(e->e, c->mode, here));
		n += chosen[i];
	}
	return n;
}

/*
 * The candidates for cluster IP traffic: ready endpoints; only without any, terminating ones that
 * still serve (SVC-21 to SVC-23, SVC-27).
 */
static size_t choose(const struct endpoint_list *list, bool local_only, const struct location *here,
		     bool *chosen)
{
	struct choice c = { .local_only = local_only,
			    .mode = local_only ? HINT_NONE : hint_mode(list, here) };
	size_t n = choose_kind(list, &c, here, chosen);

	c.terminating = true;
	return n ? n : choose_kind(list, &c, here, chosen);
}

static uint32_t service_flags(const struct endpoint_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].e->ready || usable_terminating(list->items[i].e))
			return WEIR_SERVICE_USABLE;
	return 0;
}

/* ---- Into the plan ---- */

struct service_build {
	struct build *build;
	struct slice_index slices;
	struct location here;
	struct endpoint_list endpoints; /* of the current service port */
	struct service_port *ports;
	size_t n_ports, cap_ports;
	size_t cap_services, cap_backends, cap_frontends;
	struct plan_service *services; /* copied to the plan's arena at the end, as those below */
	struct plan_backend *backends;
	struct plan_frontend *frontends;
	size_t n_services, n_backends, n_frontends;
};

static struct plan_hash service_name(const struct plan_service *s)
{
	struct hasher h;

	hash_begin(&h, "service");
	hash_text(&h, s->ns);
	hash_text(&h, s->service);
	hash_text(&h, s->port_name);
	hash_u32(&h, s->proto);
	hash_u32(&h, s->family);
	return hash_end(&h);
}

/* Adds the backends of a service, and lists its candidates. */
static void add_backends(struct service_build *sb, struct plan_service *s, bool local_only)
{
	const struct endpoint_list *list = &sb->endpoints;
	_cleanup_(mem_free) bool *chosen = mem_zalloc(list->n);
	size_t n = choose(list, local_only, &sb->here, chosen);

	s->internal = arena_zalloc(&sb->build->plan->arena, n * sizeof(*s->internal));
	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *e = &list->items[i];

		if (!e->e->ready && !e->e->serving)
			continue;
		if (chosen[i])
			s->internal[s->n_internal++] = sb->n_backends;
		*VEC_ADD(sb->backends, sb->n_backends, sb->cap_backends) = (struct plan_backend){
			.service = sb->n_services,
			.addr = e->e->addr,
			.port = e->port,
			.serving = e->e->serving,
		};
	}
	s->flags = service_flags(list);
}

static void add_service(struct service_build *sb, const struct service_port *sp)
{
	struct arena *a = &sb->build->plan->arena;
	struct plan_service s = {
		.ns = arena_strdup(a, sp->service->meta.ns),
		.service = arena_strdup(a, sp->service->meta.name),
		.port_name = arena_strdup(a, sp->port->name),
		.proto = sp->port->proto,
		.family = sp->family,
		.src = build_src(sb->build, &sp->port->src),
	};

	if (!s.src.file)
		s.src = build_src(sb->build, &sp->service->meta.src);
	s.name = service_name(&s);
	endpoints_of(&sb->slices, sp, &sb->here, &sb->endpoints);
	add_backends(sb, &s, sp->service->internal_local);
	*VEC_ADD(sb->services, sb->n_services, sb->cap_services) = s;
}

static bool is_served(const struct kube_service *s)
{
	return s->type != KUBE_EXTERNAL_NAME && !s->headless &&
	       !kube_label(&s->meta.labels, LABEL_PROXY_NAME) &&
	       !kube_label(&s->meta.labels, LABEL_HEADLESS);
}

static int by_service_port(const void *a, const void *b)
{
	const struct service_port *x = a, *y = b;
	int order = strcmp(x->service->meta.ns, y->service->meta.ns);

	if (!order)
		order = strcmp(x->service->meta.name, y->service->meta.name);
	if (!order)
		order = strcmp(x->port->name, y->port->name);
	if (!order)
		order = x->port->proto - y->port->proto;
	if (!order)
		order = x->family - y->family;
	return order ? order : (x->port > y->port) - (x->port < y->port);
}

static bool same_service_port(const struct service_port *x, const struct service_port *y)
{
	return x->service == y->service && x->family == y->family &&
	       x->port->proto == y->port->proto && !strcmp(x->port->name, y->port->name);
}

/* One entry for each service port and family that is served (SVC-1 to SVC-6). */
static void collect_ports_of(struct service_build *sb, const struct kube_service *s)
{
	if (!is_served(s))
		return;
	for (int family = 0; family < 2; family++)
		for (size_t p = 0; !weir_addr_is_zero(&s->cluster_ip[family]) && p < s->n_ports;
		     p++)
			*VEC_ADD(sb->ports, sb->n_ports, sb->cap_ports) =
				(struct service_port){ s, &s->ports[p], family };
}

/* Sorts, and drops duplicates. */
static void sort_ports(struct service_build *sb)
{
	size_t n = 0;

	if (sb->n_ports)
		qsort(sb->ports, sb->n_ports, sizeof(*sb->ports), by_service_port);
	for (size_t i = 0; i < sb->n_ports; i++)
		if (!n || !same_service_port(&sb->ports[n - 1], &sb->ports[i]))
			sb->ports[n++] = sb->ports[i];
	sb->n_ports = n;
}

/* ---- Frontends ---- */

struct frontend_entry {
	struct plan_frontend frontend;
	const struct service_port *port;
};

static int by_frontend(const struct plan_frontend *x, const struct plan_frontend *y)
{
	int order = addr_compare(&x->addr, &y->addr);

	if (!order)
		order = (int)x->port - (int)y->port;
	return order ? order : (int)x->proto - (int)y->proto;
}

/* In a conflict the Service that was created first wins, then the first by name (SVC-7). */
static int by_frontend_and_age(const void *a, const void *b)
{
	const struct frontend_entry *x = a, *y = b;
	int64_t created_x = x->port->service->meta.created,
		created_y = y->port->service->meta.created;
	int order = by_frontend(&x->frontend, &y->frontend);

	if (!order)
		order = (created_x > created_y) - (created_x < created_y);
	return order ? order
		     : (x->frontend.service > y->frontend.service) -
			       (x->frontend.service < y->frontend.service);
}

static void note_conflict(struct plan *plan, const struct frontend_entry *winner,
			  const struct frontend_entry *loser)
{
	const struct kube_meta *w = &winner->port->service->meta, *l = &loser->port->service->meta;
	_cleanup_(mem_free) char *object = mem_printf("Service %s/%s", l->ns, l->name);
	char text[ADDR_TEXT_MAX];

	diag_add(
		&plan->notes, DIAG_WARNING, NULL, &l->src, object, "spec.ports",
		"%s port %u/%s is also a frontend of Service %s/%s, which keeps it; give this Service another address or port",
		addr_text(&loser->frontend.addr, text), loser->frontend.port,
		proto_text(loser->frontend.proto), w->ns, w->name);
}

static void add_frontends(struct service_build *sb)
{
	_cleanup_(mem_free) struct frontend_entry *entries =
		mem_zalloc(2 * sb->n_ports * sizeof(*entries));
	size_t n = 0;

	for (size_t i = 0; i < sb->n_ports; i++) {
		const struct service_port *sp = &sb->ports[i];
		struct plan_frontend f = { .addr = sp->service->cluster_ip[sp->family] };

		entries[n++] = (struct frontend_entry){ f, sp }; /* known cluster IP: service 0 */
		f.port = sp->port->port;
		f.proto = sp->port->proto;
		f.service = i + 1;
		entries[n++] = (struct frontend_entry){ f, sp };
	}
	if (n)
		qsort(entries, n, sizeof(*entries), by_frontend_and_age);
	for (size_t i = 0, winner = 0; i < n; i++) {
		if (i && !by_frontend(&entries[winner].frontend, &entries[i].frontend)) {
			if (entries[i].frontend.proto)
				note_conflict(sb->build->plan, &entries[winner], &entries[i]);
			continue;
		}
		winner = i;
		*VEC_ADD(sb->frontends, sb->n_frontends, sb->cap_frontends) = entries[i].frontend;
	}
}

static void service_build_free(struct service_build *sb)
{
	slice_index_free(&sb->slices);
	free(sb->endpoints.items);
	free(sb->ports);
	free(sb->services);
	free(sb->backends);
	free(sb->frontends);
}

static struct location location_of(const struct build *b)
{
	const struct kube_node *node = store_node(b->store, b->plan->node);
	const char *zone = node ? kube_label(&node->meta.labels, LABEL_ZONE) : NULL;

	return (struct location){ b->plan->node, zone ? zone : "" };
}

/* From the collected ports. */
static void add_services(struct service_build *sb)
{
	sort_ports(sb);
	*VEC_ADD(sb->services, sb->n_services, sb->cap_services) =
		(struct plan_service){ .ns = "", .service = "", .port_name = "" };
	for (size_t i = 0; i < sb->n_ports; i++)
		add_service(sb, &sb->ports[i]);
}

static void keep_services(struct service_build *sb)
{
	struct plan *p = sb->build->plan;

	p->n_services = sb->n_services;
	p->services = arena_array(&p->arena, sb->services, sb->n_services);
	p->n_backends = sb->n_backends;
	p->backends = arena_array(&p->arena, sb->backends, sb->n_backends);
	p->n_frontends = sb->n_frontends;
	p->frontends = arena_array(&p->arena, sb->frontends, sb->n_frontends);
}

void build_services(struct build *b)
{
	_cleanup_(service_build_free) struct service_build sb = { .build = b,
								  .here = location_of(b) };

	slices_by_service(b->store->slices, b->store->n_slices, &sb.slices);
	for (size_t i = 0; i < b->store->n_services; i++)
		collect_ports_of(&sb, b->store->services[i]);
	add_services(&sb);
	add_frontends(&sb);
	keep_services(&sb);
}

void build_service(struct build *b, const struct kube_service *service,
		   struct kube_slice *const *slices, size_t n)
{
	_cleanup_(service_build_free) struct service_build sb = { .build = b,
								  .here = location_of(b) };

	slices_by_service(slices, n, &sb.slices);
	collect_ports_of(&sb, service);
	add_services(&sb);
	keep_services(&sb);
}
