// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Services: which ones are served, and at which frontends (SVC-1 to SVC-7). Those that do not fit
 * the tables are left out: all are compiled once to know what they need, and the others once more.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/left_out.h"
#include "compile/service_build.h"

#define LABEL_PROXY_NAME "service.kubernetes.io/service-proxy-name"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define LABEL_ZONE "topology.kubernetes.io/zone"
/* The items of slices that are read for each element of backends; some are not ready, or repeated.
 */
#define STEPS_PARTS 16ull

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

/* Its endpoints, also those that are only serving: they end no UDP flow (SVC-91). */
static void add_backends(struct service_build *sb)
{
	const struct endpoint_list *list = &sb->endpoints;

	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *e = &list->items[i];

		if (e->e->ready || e->e->serving)
			*VEC_ADD(sb->backends, sb->n_backends, sb->cap_backends) =
				(struct plan_backend){
					.service = sb->n_services,
					.addr = e->e->addr,
					.port = e->port,
					.serving = e->e->serving,
					.local = e->local,
				};
	}
}

/* The candidates among the backends that begin at first. */
static struct plan_list list_of(struct service_build *sb, size_t first, bool local_only)
{
	const struct endpoint_list *list = &sb->endpoints;
	_cleanup_(mem_free) bool *chosen = mem_zalloc(list->n);
	size_t n = candidates_choose(list, local_only, &sb->here, chosen);
	struct plan_list result = { .items = arena_zalloc(&sb->build->plan->arena,
							  n * sizeof(*result.items)) };

	for (size_t i = 0; i < list->n; i++) {
		if (chosen[i])
			result.items[result.n++] = first;
		first += list->items[i].e->ready || list->items[i].e->serving;
	}
	return result;
}

/* B.3: which list answers which traffic. Equal lists are one, as most are. */
static void add_lists(struct service_build *sb, const struct service_port *sp, size_t first,
		      struct plan_service *s)
{
	bool itp_local = sp->service->internal_local,
	     external = port_is_external(sp->service, sp->port, sp->family),
	     etp_local = external && service_is_external_local(sp->service);
	struct plan_list cluster = {}, local = {};

	if (!itp_local || external)
		cluster = list_of(sb, first, false);
	if (itp_local || etp_local)
		local = list_of(sb, first, true);
	s->lists[WEIR_LIST_INTERNAL] = itp_local ? local : cluster;
	s->external = external;
	if (external) {
		s->lists[WEIR_LIST_EXTERNAL] = etp_local ? local : cluster;
		s->lists[WEIR_LIST_SHORT] = cluster;
	}
	s->flags = candidates_flags(&sb->endpoints) | (etp_local ? WEIR_SERVICE_EXTERNAL_LOCAL : 0);
}

static void add_ranges(struct service_build *sb, const struct service_port *sp,
		       struct plan_service *s)
{
	const struct plan *p = sb->build->plan;

	source_ranges_of(sp->service, sp->family, p->node_addrs, p->n_node_addrs, &sb->ranges);
	s->ranges = arena_array(&sb->build->plan->arena, sb->ranges.items, sb->ranges.n);
	s->n_ranges = sb->ranges.n;
}

static void add_service(struct service_build *sb, struct service_port *sp)
{
	struct arena *a = &sb->build->plan->arena;
	size_t first = sb->n_backends;
	struct plan_service s = {
		.ns = arena_strdup(a, sp->service->meta.ns),
		.service = arena_strdup(a, sp->service->meta.name),
		.port_name = arena_strdup(a, sp->port->name),
		.proto = sp->port->proto,
		.family = sp->family,
		.affinity_s = sp->service->affinity_s,
		.src = build_src(sb->build, &sp->port->src),
	};

	if (!s.src.file)
		s.src = build_src(sb->build, &sp->service->meta.src);
	s.name = service_name(&s);
	endpoints_of(&sb->slice_ports, sp->port, sp->family, sb->here.node, &sb->endpoints);
	add_backends(sb);
	add_lists(sb, sp, first, &s);
	add_ranges(sb, sp, &s);
	sp->index = sb->n_services;
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
				(struct service_port){ s, &s->ports[p], family, 0, 0 };
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

/* After the ports are sorted. */
static void find_owners(struct service_build *sb)
{
	sb->owners = mem_zalloc((sb->n_ports + 1) * sizeof(*sb->owners));
	for (size_t i = 0; i < sb->n_ports; i++) {
		if (!i || sb->ports[i].service != sb->ports[i - 1].service)
			sb->owners[sb->n_owners++] =
				(struct owner){ .service = sb->ports[i].service, .first = i };
		sb->ports[i].owner = sb->n_owners - 1;
		sb->owners[sb->n_owners - 1].n++;
	}
}

/* ---- What does not fit ---- */

/* Elements of frontends and source_ranges. */
static void count_port(struct service_build *sb, const struct service_port *sp,
		       struct service_need *need)
{
	const struct plan *p = sb->build->plan;

	port_frontends_of(sp->service, sp->port, sp->family, &sb->port_frontends);
	need->need[SERVICE_FRONTENDS] += sb->port_frontends.n;
	source_ranges_of(sp->service, sp->family, p->node_addrs, p->n_node_addrs, &sb->ranges);
	need->need[SERVICE_RANGES] += sb->ranges.n;
}

/* What is known before endpoints are compiled. */
static void count_needs(struct service_build *sb)
{
	sb->needs = mem_zalloc((sb->n_owners + 1) * sizeof(*sb->needs));
	for (size_t i = 0; i < sb->n_owners; i++) {
		const struct owner *o = &sb->owners[i];
		const struct kube_meta *m = &o->service->meta;
		struct service_need *need = &sb->needs[i];

		*need = (struct service_need){ .ns = m->ns,
					       .name = m->name,
					       .created = m->created };
		for (int family = 0; family < 2; family++)
			need->known += !weir_addr_is_zero(&o->service->cluster_ip[family]);
		need->need[SERVICE_PORTS] = o->n;
		slice_ports_of(&sb->slices, o->service, &sb->slice_ports);
		for (size_t p = o->first; p < o->first + o->n; p++) {
			count_port(sb, &sb->ports[p], need);
			need->need[SERVICE_STEPS] += endpoints_count(
				&sb->slice_ports, sb->ports[p].port, sb->ports[p].family);
		}
	}
}

/* "ns/name", and an element of needs[] */
static int by_service_text(const void *key, const void *item)
{
	const struct service_need *need = item;
	const char *text = key;
	size_t ns = strcspn(text, "/");
	int order = strncmp(text, need->ns, ns);

	if (!order && need->ns[ns])
		order = -1;
	return order ? order : strcmp(text + ns + (text[ns] == '/'), need->name);
}

static void leave_out_given(struct service_build *sb, const struct plan_unfit *unfit)
{
	for (size_t i = 0; unfit && i < unfit->n_left_out && sb->n_owners; i++) {
		const struct plan_left_out *l = &unfit->left_out[i];
		struct service_need *need = bsearch(l->service, sb->needs, sb->n_owners,
						    sizeof(*need), by_service_text);

		if (!need)
			continue;
		need->out = true;
		need->unknown = !l->known;
		need->table = l->table;
		need->all = l->need;
		need->size = l->size;
	}
}

/* Id 0 of two of the tables is a placeholder. */
static void fit(struct service_build *sb, const struct plan_input *in, enum service_need_kind kind)
{
	enum weir_map table = service_need_table(kind);
	bool placeholder = kind == SERVICE_PORTS || kind == SERVICE_BACKENDS;
	struct service_limit limit;

	limit.size = table == _WEIR_MAP_MAX
			     ? STEPS_PARTS * plan_size_of(in->sizes, WEIR_MAP_backends)
			     : plan_size_of(in->sizes, table);
	limit.all = service_needs_sum(sb->needs, sb->n_owners, kind) + placeholder;
	limit.room = limit.size - placeholder;
	service_fit(sb->needs, sb->n_owners, kind, &limit);
}

static size_t count_left_out(const struct service_build *sb)
{
	size_t n = 0;

	for (size_t i = 0; i < sb->n_owners; i++)
		n += sb->needs[i].out;
	return n;
}

/* All frontends that a Service would have. */
static struct plan_frontend *frontends_of(struct service_build *sb, const struct owner *o, size_t n)
{
	struct plan_frontend *list = arena_zalloc(&sb->build->plan->arena, n * sizeof(*list));
	size_t at = 0;

	for (size_t p = o->first; p < o->first + o->n; p++) {
		port_frontends_of(o->service, sb->ports[p].port, sb->ports[p].family,
				  &sb->port_frontends);
		for (size_t f = 0; f < sb->port_frontends.n; f++)
			list[at++] = sb->port_frontends.items[f];
	}
	return list;
}

static void keep_left_out(struct service_build *sb)
{
	struct plan *p = sb->build->plan;

	p->left_out = arena_zalloc(&p->arena, (count_left_out(sb) + 1) * sizeof(*p->left_out));
	for (size_t i = 0; i < sb->n_owners; i++) {
		const struct owner *o = &sb->owners[i];
		size_t n = sb->needs[i].need[SERVICE_FRONTENDS];

		if (sb->needs[i].out)
			left_out_add(sb->build, o->service, &sb->needs[i], frontends_of(sb, o, n),
				     n);
	}
}

static void service_build_free(struct service_build *sb)
{
	slice_index_free(&sb->slices);
	slice_ports_free(&sb->slice_ports);
	free(sb->endpoints.items);
	free(sb->port_frontends.items);
	free(sb->ranges.items);
	free(sb->owners);
	free(sb->needs);
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

/* Those of the collected ports that are not left out; counts what they need. */
static void add_services(struct service_build *sb)
{
	sb->n_services = sb->n_backends = 0;
	*VEC_ADD(sb->services, sb->n_services, sb->cap_services) =
		(struct plan_service){ .ns = "", .service = "", .port_name = "" };
	for (size_t i = 0; i < sb->n_owners; i++) {
		const struct owner *o = &sb->owners[i];
		struct service_need *need = &sb->needs[i];
		size_t before = sb->n_backends;

		need->need[SERVICE_SLOTS] = 0;
		slice_ports_of(&sb->slices, o->service, &sb->slice_ports);
		for (size_t p = o->first; p < o->first + o->n; p++) {
			sb->ports[p].index = 0;
			if (need->out)
				continue;
			add_service(sb, &sb->ports[p]);
			need->need[SERVICE_SLOTS] +=
				plan_service_slots(&sb->services[sb->n_services - 1]);
		}
		need->need[SERVICE_BACKENDS] = sb->n_backends - before;
	}
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

/* After the ports are collected. */
static void prepare(struct service_build *sb)
{
	sort_ports(sb);
	find_owners(sb);
	count_needs(sb);
}

void build_services(struct build *b, const struct plan_input *in)
{
	_cleanup_(service_build_free) struct service_build sb = { .build = b,
								  .here = location_of(b) };
	size_t left_out;

	slice_index_make(b->store->slices, b->store->n_slices, &sb.slices);
	for (size_t i = 0; i < b->store->n_services; i++)
		collect_ports_of(&sb, b->store->services[i]);
	prepare(&sb);
	leave_out_given(&sb, in->unfit);
	fit(&sb, in, SERVICE_STEPS);
	left_out = count_left_out(&sb);
	add_services(&sb);
	for (int kind = SERVICE_STEPS + 1; kind < _SERVICE_NEED_MAX; kind++)
		fit(&sb, in, kind);
	if (count_left_out(&sb) > left_out)
		add_services(&sb);
	services_claim_frontends(&sb);
	keep_services(&sb);
	keep_left_out(&sb);
}

void build_service(struct build *b, const struct kube_service *service,
		   struct kube_slice *const *slices, size_t n)
{
	_cleanup_(service_build_free) struct service_build sb = { .build = b,
								  .here = location_of(b) };

	slice_index_make(slices, n, &sb.slices);
	collect_ports_of(&sb, service);
	prepare(&sb);
	add_services(&sb);
	keep_services(&sb);
}
