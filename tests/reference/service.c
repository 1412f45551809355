/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Services as the specification reads (SVC-1 to SVC-64): the Service of a cluster IP and port, its
 * endpoints, and the candidates on this node. Derives the endpoints of selectors itself and ignores
 * the derived slices of the store. Every query walks all objects again.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "reference/internal.h"

#define ZONE_LABEL "topology.kubernetes.io/zone"

struct endpoint {
	struct weir_addr addr;
	uint16_t port;
	bool ready, serving, terminating, local;
	const struct kube_endpoint *hints; /* NULL: none */
	const char *slice;
};

struct endpoints {
	struct endpoint items[REFERENCE_BACKENDS_MAX];
	size_t n;
};

static const char *label_or_null(const struct kube_labels *labels, const char *key)
{
	for (size_t i = 0; i < labels->n; i++)
		if (!strcmp(labels->items[i].key, key))
			return labels->items[i].value;
	return NULL;
}

/* SVC-1, SVC-2, SVC-3 */
static bool is_served(const struct kube_service *svc)
{
	return !label_or_null(&svc->meta.labels, "service.kubernetes.io/service-proxy-name") &&
	       !label_or_null(&svc->meta.labels, "service.kubernetes.io/headless") &&
	       !svc->headless && svc->type != KUBE_EXTERNAL_NAME;
}

static bool has_cluster_ip(const struct kube_service *svc, const struct weir_addr *addr)
{
	for (int family = 0; family < 2; family++)
		if (!weir_addr_is_zero(&svc->cluster_ip[family]) &&
		    weir_addr_equal(&svc->cluster_ip[family], addr))
			return true;
	return false;
}

/* SVC-7: the first created, then the first by ns/name, which is the order of the store. */
static const struct kube_service_port *find_frontend(const struct store *s,
						     const struct oracle_query *q,
						     const struct kube_service **ret_service,
						     bool *ret_known)
{
	const struct kube_service_port *found = NULL;

	*ret_known = false;
	for (size_t i = 0; i < s->n_services; i++) {
		const struct kube_service *svc = s->services[i];

		if (!is_served(svc) || !has_cluster_ip(svc, &q->dst))
			continue;
		*ret_known = true;
		for (size_t j = 0; j < svc->n_ports; j++) {
			if (svc->ports[j].port != q->port || svc->ports[j].proto != q->proto)
				continue;
			if (found && (*ret_service)->meta.created <= svc->meta.created)
				continue;
			found = &svc->ports[j];
			*ret_service = svc;
		}
	}
	return found;
}

/* ---- Endpoints ---- */

static int rank(const struct endpoint *e)
{
	return !e->terminating * 4 + e->ready * 2 + e->serving;
}

/*
 * SVC-14: duplicates by (address, port); not terminating wins, then ready, then serving, then the
 * slice's name.
 */
static void add_endpoint(struct endpoints *all, const struct endpoint *e)
{
	for (size_t i = 0; i < all->n; i++) {
		struct endpoint *old = &all->items[i];

		if (!weir_addr_equal(&old->addr, &e->addr) || old->port != e->port)
			continue;
		if (rank(e) > rank(old) ||
		    (rank(e) == rank(old) && strcmp(e->slice, old->slice) < 0))
			*old = *e;
		return;
	}
	if (all->n == REFERENCE_BACKENDS_MAX)
		abort(); /* random clusters have far fewer */
	all->items[all->n++] = *e;
}

static void add_slice(struct endpoints *all, const struct kube_slice *slice,
		      const struct kube_slice_port *port, const char *node)
{
	for (size_t i = 0; i < slice->n_endpoints; i++) {
		const struct kube_endpoint *e = &slice->endpoints[i];

		add_endpoint(all, &(struct endpoint){
					  .addr = e->addr,
					  .port = port->port,
					  .ready = e->ready,
					  .serving = e->serving,
					  .terminating = e->terminating,
					  .local = *e->node && !strcmp(e->node, node), /* SVC-17 */
					  .hints = e,
					  .slice = slice->meta.name,
				  });
	}
}

static bool is_slice_of(const struct kube_slice *slice, const struct kube_service *svc)
{
	return !slice->derived && !strcmp(slice->meta.ns, svc->meta.ns) &&
	       !strcmp(slice->service, svc->meta.name);
}

/* SVC-10 to SVC-13. Returns whether the input has slices of this Service. */
static bool read_slices(struct endpoints *all, const struct store *s,
			const struct kube_service *svc, const struct kube_service_port *port,
			int family, const char *node)
{
	bool any = false;

	for (size_t i = 0; i < s->n_slices; i++) {
		const struct kube_slice *slice = s->slices[i];

		if (!is_slice_of(slice, svc))
			continue;
		any = true;
		for (size_t j = 0; slice->family == family && j < slice->n_ports; j++)
			if (!strcmp(slice->ports[j].name, port->name) &&
			    slice->ports[j].proto == port->proto)
				add_slice(all, slice, &slice->ports[j], node);
	}
	return any;
}

/* The number of a target port on a pod; 0: the pod does not declare the name. */
static uint16_t target_on_pod(const struct kube_service_port *port, const struct kube_pod *pod)
{
	if (!port->target_is_name)
		return port->target_port;
	for (size_t i = 0; i < pod->n_ports; i++)
		if (!strcmp(pod->ports[i].name, port->target_name) &&
		    pod->ports[i].proto == port->proto)
			return pod->ports[i].port;
	return 0;
}

/* The endpoints that the control plane would write for the selector. */
static void derive_endpoints(struct endpoints *all, const struct store *s,
			     const struct kube_service *svc, const struct kube_service_port *port,
			     int family, const char *node)
{
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct kube_pod *pod = s->pods[i];
		uint16_t target = target_on_pod(port, pod);

		if (strcmp(pod->meta.ns, svc->meta.ns) ||
		    !reference_selects(&svc->selector, &pod->meta.labels) ||
		    pod->phase == KUBE_SUCCEEDED || pod->phase == KUBE_FAILED ||
		    weir_addr_is_zero(&pod->addr[family]) || !target)
			continue;
		add_endpoint(all, &(struct endpoint){
					  .addr = pod->addr[family],
					  .port = target,
					  .ready = svc->publish_not_ready ||
						   (pod->ready && !pod->meta.deleting),
					  .serving = pod->ready,
					  .terminating = pod->meta.deleting,
					  .local = *pod->node && !strcmp(pod->node, node),
					  .slice = "",
				  });
	}
}

/* ---- Candidates ---- */

static bool lists(const char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool hints_at_node(const struct endpoint *e, const char *node)
{
	return e->hints && lists(e->hints->node_hints, e->hints->n_node_hints, node);
}

static bool hints_at_zone(const struct endpoint *e, const char *zone)
{
	return e->hints && lists(e->hints->zone_hints, e->hints->n_zone_hints, zone);
}

enum hint_mode {
	HINT_NONE,
	HINT_ZONE,
	HINT_NODE,
};

/* SVC-24: all or nothing over the ready endpoints. */
static enum hint_mode hint_mode(const struct endpoints *all, const char *node, const char *zone)
{
	bool all_node = true, all_zone = true, hit_node = false, hit_zone = false;

	for (size_t i = 0; i < all->n; i++) {
		const struct endpoint *e = &all->items[i];

		if (!e->ready)
			continue;
		all_node &= e->hints && e->hints->n_node_hints > 0;
		all_zone &= e->hints && e->hints->n_zone_hints > 0;
		hit_node |= hints_at_node(e, node);
		hit_zone |= hints_at_zone(e, zone);
	}
	if (all_node && hit_node)
		return HINT_NODE;
	return *zone && all_zone && hit_zone ? HINT_ZONE : HINT_NONE;
}

/* SVC-26 */
static const char *zone_of(const struct store *s, const char *node)
{
	const char *zone = NULL;

	for (size_t i = 0; i < s->n_nodes; i++)
		if (!strcmp(s->nodes[i]->meta.name, node))
			zone = label_or_null(&s->nodes[i]->meta.labels, ZONE_LABEL);
	return zone ? zone : "";
}

static void add_candidate(struct reference_answer *a, const struct endpoint *e)
{
	a->candidates[a->n_candidates++] =
		(struct reference_backend){ .addr = e->addr, .port = e->port };
}

static bool is_fallback(const struct endpoint *e)
{
	return e->serving && e->terminating;
}

static void cluster_list(const struct endpoints *all, const char *node, const char *zone,
			 struct reference_answer *a)
{
	enum hint_mode mode = hint_mode(all, node, zone);
	bool found = false;

	for (size_t i = 0; i < all->n; i++) {
		const struct endpoint *e = &all->items[i];

		if (!e->ready || (mode == HINT_NODE && !hints_at_node(e, node)) ||
		    (mode == HINT_ZONE && !hints_at_zone(e, zone)))
			continue;
		add_candidate(a, e);
		found = true;
	}
	for (size_t i = 0; !found && i < all->n; i++) /* SVC-21 */
		if (is_fallback(&all->items[i]))
			add_candidate(a, &all->items[i]);
}

static void local_list(const struct endpoints *all, struct reference_answer *a)
{
	bool any_ready = false;

	for (size_t i = 0; i < all->n; i++)
		any_ready |= all->items[i].local && all->items[i].ready;
	for (size_t i = 0; i < all->n; i++) {
		const struct endpoint *e = &all->items[i];

		if (e->local && (any_ready ? e->ready : is_fallback(e)))
			add_candidate(a, e);
	}
}

static bool has_any(const struct endpoints *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].ready || is_fallback(&all->items[i]))
			return true;
	return false;
}

static int compare_backends(const void *x, const void *y)
{
	const struct reference_backend *a = x, *b = y;
	int order = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return order ? order : a->port - b->port;
}

void reference_service(const struct store *s, const char *node, const struct oracle_query *q,
		       struct reference_answer *a)
{
	const struct kube_service *svc = NULL;
	const struct kube_service_port *port;
	struct endpoints all = { .n = 0 };
	int family;
	bool known;

	port = find_frontend(s, q, &svc, &known);
	a->service = known;
	if (!port) {
		a->reason = known ? WEIR_NO_SERVICE_PORT : WEIR_FORWARDED; /* SVC-64 */
		return;
	}
	family = weir_addr_equal(&svc->cluster_ip[0], &q->dst) ? 0 : 1;
	if (!read_slices(&all, s, svc, port, family, node) && svc->has_selector)
		derive_endpoints(&all, s, svc, port, family, node);
	if (svc->internal_local)
		local_list(&all, a);
	else
		cluster_list(&all, node, zone_of(s, node), a);
	qsort(a->candidates, a->n_candidates, sizeof(*a->candidates), compare_backends);
	if (!a->n_candidates)
		a->reason = has_any(&all) ? WEIR_NO_LOCAL_ENDPOINT
					  : WEIR_NO_ENDPOINT; /* SVC-60, SVC-61 */
}
