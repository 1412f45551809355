// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Slices to endpoints. See endpoints.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/mem.h"
#include "compile/endpoints.h"

/* ---- Slices ---- */

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

void slice_index_make(struct kube_slice *const *slices, size_t n, struct slice_index *ret_index)
{
	struct slice_index ix = { .items = mem_zalloc(n * sizeof(*ix.items)) };

	for (size_t i = 0; i < n; i++)
		if (slices[i]->service[0] && slices[i]->family >= 0)
			ix.items[ix.n++] = slices[i];
	qsort(ix.items, ix.n, sizeof(*ix.items), by_service);
	*ret_index = ix;
}

void slice_index_free(struct slice_index *ix)
{
	free(ix->items);
}

/* Index of a Service's first slice, or where it would be inserted. */
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

/* ---- Their ports ---- */

static int port_key(const struct slice_port *p, int family, int proto, const char *name)
{
	int order = p->slice->family - family;

	if (!order)
		order = p->port->proto - proto;
	return order ? order : strcmp(p->port->name, name);
}

static int by_port(const void *a, const void *b)
{
	const struct slice_port *x = a, *y = b;
	int order = port_key(x, y->slice->family, y->port->proto, y->port->name);

	if (!order)
		order = (x->at > y->at) - (x->at < y->at);
	return order ? order : (x->port > y->port) - (x->port < y->port);
}

void slice_ports_of(const struct slice_index *ix, const struct kube_service *service,
		    struct slice_ports *ports)
{
	const struct kube_meta *m = &service->meta;

	ports->n = 0;
	for (size_t i = first_slice(ix, m->ns, m->name);
	     i < ix->n && !slice_key(ix->items[i], m->ns, m->name); i++)
		for (size_t p = 0; p < ix->items[i]->n_ports; p++)
			*VEC_ADD(ports->items, ports->n, ports->cap) =
				(struct slice_port){ ix->items[i], &ix->items[i]->ports[p], i };
	if (ports->n)
		qsort(ports->items, ports->n, sizeof(*ports->items), by_port);
}

void slice_ports_free(struct slice_ports *ports)
{
	free(ports->items);
}

/* Index of the first slice port of a service port, or where it would be inserted (SVC-12). */
static size_t first_port(const struct slice_ports *ports, const struct kube_service_port *port,
			 int family)
{
	size_t low = 0, high = ports->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (port_key(&ports->items[middle], family, port->proto, port->name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_port(const struct slice_ports *ports, size_t i, const struct kube_service_port *port,
		    int family)
{
	return i < ports->n && !port_key(&ports->items[i], family, port->proto, port->name);
}

size_t endpoints_count(const struct slice_ports *ports, const struct kube_service_port *port,
		       int family)
{
	size_t n = 0;

	for (size_t i = first_port(ports, port, family); is_port(ports, i, port, family); i++)
		n += ports->items[i].slice->n_endpoints;
	return n;
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

static void take_slice(const struct slice_port *sp, const char *node, struct endpoint_list *list)
{
	for (size_t i = 0; i < sp->slice->n_endpoints; i++) {
		const struct kube_endpoint *e = &sp->slice->endpoints[i];

		if (!endpoint_addr_ok(&e->addr, sp->slice->family))
			continue;
		*VEC_ADD(list->items, list->n, list->cap) =
			(struct endpoint){ .e = e,
					   .port = sp->port->port,
					   .local = !strcmp(e->node, node),
					   .slice = sp->at };
	}
}

void endpoints_of(const struct slice_ports *ports, const struct kube_service_port *port, int family,
		  const char *node, struct endpoint_list *list)
{
	size_t n = 0;

	list->n = 0;
	for (size_t i = first_port(ports, port, family); is_port(ports, i, port, family); i++)
		take_slice(&ports->items[i], node, list);
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_endpoint);
	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *e = &list->items[i], *last = n ? &list->items[n - 1] : NULL;

		if (!last || last->port != e->port || !weir_addr_equal(&last->e->addr, &e->e->addr))
			list->items[n++] = *e;
	}
	list->n = n;
}
