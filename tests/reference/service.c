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

static bool among(const struct weir_addr *list, size_t n, const struct weir_addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (weir_addr_equal(&list[i], addr))
			return true;
	return false;
}

/* SVC-4 */
static bool has_family(const struct kube_service *svc, const struct weir_addr *addr)
{
	return !weir_addr_is_zero(&svc->cluster_ip[addr_family(addr)]);
}

static bool has_cluster_ip(const struct kube_service *svc, const struct weir_addr *addr)
{
	return has_family(svc, addr) && weir_addr_equal(&svc->cluster_ip[addr_family(addr)], addr);
}

/* The ways in which a port can be asked for, in the order in which an address is taken. */
enum way {
	WAY_CLUSTER_IP,
	WAY_EXTERNAL_IP,
	WAY_BALANCER,
	WAY_NODE_PORT,
	WAY_NONE,
};

static enum way way_to(const struct kube_service *svc, const struct kube_service_port *port,
		       const struct oracle_query *q, bool node_address)
{
	if (port->proto != q->proto || !has_family(svc, &q->dst))
		return WAY_NONE;
	if (port->port == q->port && has_cluster_ip(svc, &q->dst))
		return WAY_CLUSTER_IP;
	if (port->port == q->port && among(svc->external_ips, svc->n_external_ips, &q->dst))
		return WAY_EXTERNAL_IP;
	if (port->port == q->port && among(svc->vips, svc->n_vips, &q->dst))
		return WAY_BALANCER;
	if (node_address && port->node_port && port->node_port == q->port)
		return WAY_NODE_PORT;
	return WAY_NONE;
}

/* SVC-36 */
static bool takes_node_ports(const struct store *s, const char *node, const struct oracle_query *q)
{
	const struct plan_node_ports *only = q->node_ports;
	bool restricted = false;

	if (!reference_is_node_addr(s, node, &q->dst))
		return false;
	for (size_t i = 0; only && only->primary && i < s->n_nodes; i++)
		if (!strcmp(s->nodes[i]->meta.name, node))
			return among(s->nodes[i]->primary, 2, &q->dst);
	for (size_t i = 0; only && i < only->n_blocks; i++) {
		if (cidr_holds(&only->blocks[i], &q->dst))
			return true;
		if (addr_family(&only->blocks[i].addr) == addr_family(&q->dst))
			restricted = true;
	}
	return !restricted;
}

struct match {
	const struct kube_service *svc;
	const struct kube_service_port *port; /* NULL: none */
	enum way way;
	bool known; /* the destination is a cluster IP */
};

/*
 * SVC-7: an address before a node port, and a cluster IP before others; the first created, then the
 * first by name, as the store.
 */
static bool is_better(const struct match *found, const struct kube_service *svc, enum way way)
{
	bool address = way != WAY_NODE_PORT, had_address = found->way != WAY_NODE_PORT;

	if (!found->port)
		return true;
	if (address != had_address)
		return address;
	if ((way == WAY_CLUSTER_IP) != (found->way == WAY_CLUSTER_IP))
		return way == WAY_CLUSTER_IP;
	return svc->meta.created < found->svc->meta.created;
}

static struct match find_frontend(const struct store *s, const char *node,
				  const struct oracle_query *q)
{
	bool node_address = takes_node_ports(s, node, q);
	struct match found = { .way = WAY_NONE };

	for (size_t i = 0; i < s->n_services; i++) {
		const struct kube_service *svc = s->services[i];

		if (!is_served(svc))
			continue;
		found.known |= has_cluster_ip(svc, &q->dst);
		for (size_t j = 0; j < svc->n_ports; j++) {
			enum way way = way_to(svc, &svc->ports[j], q, node_address);

			if (way != WAY_NONE && is_better(&found, svc, way)) {
				found.svc = svc;
				found.port = &svc->ports[j];
				found.way = way;
			}
		}
	}
	if (found.known && found.way == WAY_NODE_PORT)
		found.port = NULL; /* a cluster IP is no address of a node */
	return found;
}

/* SVC-50 to SVC-53 */
static bool source_is_refused(const struct store *s, const char *node, const struct match *m,
			      const struct oracle_query *q)
{
	bool restricted = false, allowed = false, holds_node = false;

	for (size_t i = 0; m->way == WAY_BALANCER && i < m->svc->n_source_ranges; i++) {
		const struct cidr *range = &m->svc->source_ranges[i];

		if (addr_family(&range->addr) != addr_family(&q->dst))
			continue;
		if (range->len == (addr_family(&q->dst) ? 0 : 96))
			return false;
		restricted = true;
		allowed |= cidr_holds(range, &q->src);
		for (size_t n = 0; n < s->n_nodes; n++)
			for (size_t a = 0; a < s->nodes[n]->n_addrs; a++)
				holds_node |= !strcmp(s->nodes[n]->meta.name, node) &&
					      cidr_holds(range, &s->nodes[n]->addrs[a]);
	}
	allowed |= holds_node && among(m->svc->vips, m->svc->n_vips, &q->src);
	return restricted && !allowed;
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

/* B.3, B.4. The client is a pod of this node, so an external frontend takes the short circuit. */
void reference_service(const struct store *s, const char *node, const struct oracle_query *q,
		       struct reference_answer *a)
{
	struct match m = find_frontend(s, node, q);
	struct endpoints all = { .n = 0 };
	int family = addr_family(&q->dst);

	a->service = m.known || m.port;
	if (!m.port) {
		a->reason = m.known ? WEIR_NO_SERVICE_PORT : WEIR_FORWARDED; /* SVC-64 */
		return;
	}
	if (source_is_refused(s, node, &m, q)) { /* SVC-55 */
		a->reason = WEIR_SOURCE_RANGE;
		return;
	}
	if (!read_slices(&all, s, m.svc, m.port, family, node) && m.svc->has_selector)
		derive_endpoints(&all, s, m.svc, m.port, family, node);
	if (m.way == WAY_CLUSTER_IP && m.svc->internal_local)
		local_list(&all, a);
	else
		cluster_list(&all, node, zone_of(s, node), a);
	qsort(a->candidates, a->n_candidates, sizeof(*a->candidates), compare_backends);
	if (!a->n_candidates)
		a->reason = has_any(&all) ? WEIR_NO_LOCAL_ENDPOINT
					  : WEIR_NO_ENDPOINT; /* SVC-60, SVC-61 */
}
