// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Objects to frontends. See frontends.h. */
#include <string.h>

#include "base/mem.h"
#include "compile/frontends.h"

/* Linear: a Service has few addresses. One that is named twice keeps both kinds (SVC-7). */
static void add(struct port_frontends *list, const struct plan_frontend *f)
{
	for (size_t i = 0; i < list->n; i++)
		if (!plan_frontend_compare(&list->items[i], f)) {
			list->items[i].kinds |= f->kinds;
			return;
		}
	*VEC_ADD(list->items, list->n, list->cap) = *f;
}

static void add_addrs(struct port_frontends *list, const struct weir_addr *addrs, size_t n,
		      int family, const struct plan_frontend *like)
{
	struct plan_frontend f = *like;

	for (size_t i = 0; i < n; i++) {
		if (addr_family(&addrs[i]) != family)
			continue;
		f.addr = addrs[i];
		add(list, &f);
	}
}

void port_frontends_of(const struct kube_service *service, const struct kube_service_port *port,
		       int family, struct port_frontends *list)
{
	struct plan_frontend f = { .port = port->port, .proto = port->proto };

	list->n = 0;
	f.kinds = PLAN_CLUSTER_IP;
	add_addrs(list, &service->cluster_ip[family], 1, family, &f);
	f.kinds = PLAN_EXTERNAL_IP;
	add_addrs(list, service->external_ips, service->n_external_ips, family, &f);
	f.kinds = PLAN_LOAD_BALANCER;
	add_addrs(list, service->vips, service->n_vips, family, &f);
	if (!port->node_port)
		return;
	f.kinds = PLAN_NODE_PORT;
	f.scope = WEIR_SCOPE_NODE_PORT;
	f.addr = plan_unspecified(family);
	f.port = port->node_port;
	add(list, &f);
}

static bool any_of_family(const struct weir_addr *addrs, size_t n, int family)
{
	for (size_t i = 0; i < n; i++)
		if (addr_family(&addrs[i]) == family)
			return true;
	return false;
}

bool port_is_external(const struct kube_service *service, const struct kube_service_port *port,
		      int family)
{
	return port->node_port ||
	       any_of_family(service->external_ips, service->n_external_ips, family) ||
	       any_of_family(service->vips, service->n_vips, family);
}

bool service_is_external_local(const struct kube_service *service)
{
	return service->external_local &&
	       (service->type == KUBE_NODE_PORT || service->type == KUBE_LOAD_BALANCER ||
		(service->type == KUBE_CLUSTER_IP && service->n_external_ips));
}
