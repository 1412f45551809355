// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Frontends of a plan, and who answers there. See service_report.h. */
#include <stdlib.h>
#include <string.h>

#include "analyze/service_report.h"
#include "base/mem.h"

/* ---- Texts ---- */

const char *service_client_text(enum service_client client)
{
	static const char *const texts[] = { [SERVICE_CLIENT_POD] = "pod",
					     [SERVICE_CLIENT_NODE] = "node",
					     [SERVICE_CLIENT_EXTERNAL] = "external" };

	return texts[client];
}

const char *service_verdict_text(enum service_verdict verdict)
{
	static const char *const texts[] = {
		[SERVICE_FORWARD] = "forward", [SERVICE_REJECT] = "reject", [SERVICE_DROP] = "drop"
	};

	return texts[verdict];
}

const char *service_endpoint_text(const struct plan_backend *b, char *buf)
{
	return addr_port_text(&b->addr, b->port, buf);
}

const char *service_report_address(const struct service_report_item *item, char *buf)
{
	return item->kind == PLAN_NODE_PORT ? "*" : addr_text(&item->frontend->addr, buf);
}

/* ---- Verdicts ---- */

/*
 * Cluster IP: only clients outside. Else by the policy: Cluster hides every client from an endpoint
 * of another node, Local none but the node itself, whose address the endpoint cannot tell from the
 * frontend's.
 */
bool service_report_snat(const struct service_report_item *item, const struct plan_backend *b)
{
	if (!(item->frontend->flags & WEIR_FRONTEND_EXTERNAL))
		return item->client == SERVICE_CLIENT_EXTERNAL;
	if (item->service->flags & WEIR_SERVICE_EXTERNAL_LOCAL)
		return item->client == SERVICE_CLIENT_NODE;
	return !b->local;
}

static const struct plan_list *list_of(const struct service_report_item *item)
{
	const struct plan_list *lists = item->service->lists;

	if (!(item->frontend->flags & WEIR_FRONTEND_EXTERNAL))
		return &lists[WEIR_LIST_INTERNAL];
	return &lists[item->client == SERVICE_CLIENT_EXTERNAL ? WEIR_LIST_EXTERNAL
							      : WEIR_LIST_SHORT];
}

static int by_text(const void *a, const void *b)
{
	const struct plan_backend *const *x = a, *const *y = b;
	char text_x[ADDR_TEXT_MAX], text_y[ADDR_TEXT_MAX];

	return strcmp(service_endpoint_text(*x, text_x), service_endpoint_text(*y, text_y));
}

static void answer(struct service_report_item *item)
{
	const struct plan_list *list = list_of(item);

	item->n_endpoints = list->n;
	for (size_t i = 0; i < list->n; i++)
		item->endpoints[i] = &item->plan->backends[list->items[i]];
	if (list->n)
		qsort(item->endpoints, list->n, sizeof(*item->endpoints), by_text);
	item->verdict = list->n                                      ? SERVICE_FORWARD
			: item->service->flags & WEIR_SERVICE_USABLE ? SERVICE_DROP
								     : SERVICE_REJECT;
}

/* ---- Items ---- */

/* A frontend, once for each of its kinds. */
struct entry {
	const struct plan_frontend *frontend;
	enum plan_frontend_kind kind;
};

static int by_service_and_kind(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->frontend->service != y->frontend->service)
		return x->frontend->service < y->frontend->service ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->frontend > y->frontend) - (x->frontend < y->frontend);
}

static struct entry *entries_of(const struct plan *p, size_t *ret_n)
{
	struct entry *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < p->n_frontends; i++)
		for (int kind = PLAN_CLUSTER_IP;
		     p->frontends[i].service && kind <= PLAN_LOAD_BALANCER; kind <<= 1)
			if (p->frontends[i].kinds & kind)
				*VEC_ADD(list, n, cap) = (struct entry){ &p->frontends[i], kind };
	if (n)
		qsort(list, n, sizeof(*list), by_service_and_kind);
	*ret_n = n;
	return list;
}

void service_report_each(const struct plan *p,
			 void (*fn)(const struct service_report_item *item, void *ctx), void *ctx)
{
	_cleanup_(mem_free) const struct plan_backend **endpoints =
		mem_zalloc((p->n_backends + 1) * sizeof(*endpoints));
	_cleanup_(mem_free) struct entry *entries = NULL;
	size_t n;

	entries = entries_of(p, &n);
	for (size_t i = 0; i < n; i++)
		for (int client = 0; client < _SERVICE_CLIENT_MAX; client++) {
			struct service_report_item item = {
				.plan = p,
				.service = &p->services[entries[i].frontend->service],
				.frontend = entries[i].frontend,
				.kind = entries[i].kind,
				.client = client,
				.restricted = entries[i].frontend->flags & WEIR_FRONTEND_RANGES,
				.endpoints = endpoints,
			};

			answer(&item);
			fn(&item, ctx);
		}
}

/* ---- JSON ---- */

static bool snat_differs(const struct service_report_item *item)
{
	for (size_t i = 1; i < item->n_endpoints; i++)
		if (service_report_snat(item, item->endpoints[i]) !=
		    service_report_snat(item, item->endpoints[0]))
			return true;
	return false;
}

static void emit_endpoints(struct emit *e, const struct service_report_item *item)
{
	char text[ADDR_TEXT_MAX];

	emit_array(e, "endpoints");
	for (size_t i = 0; i < item->n_endpoints; i++)
		emit_text(e, NULL, service_endpoint_text(item->endpoints[i], text));
	emit_array_end(e);
	if (!snat_differs(item)) {
		emit_bool(e, "snat", service_report_snat(item, item->endpoints[0]));
		return;
	}
	emit_map(e, "snat");
	for (size_t i = 0; i < item->n_endpoints; i++)
		emit_bool(e, service_endpoint_text(item->endpoints[i], text),
			  service_report_snat(item, item->endpoints[i]));
	emit_map_end(e);
}

void service_report_item_emit(struct emit *e, const struct service_report_item *item)
{
	const struct plan_service *s = item->service;
	char text[ADDR_TEXT_MAX];

	emit_printf(e, "service", "%s/%s", s->ns, s->service);
	emit_text(e, "portName", s->port_name);
	emit_text(e, "protocol", proto_text(s->proto));
	emit_text(e, "family", family_text(s->family));
	emit_text(e, "frontend", plan_frontend_kind_text(item->kind));
	emit_text(e, "address", service_report_address(item, text));
	emit_int(e, "port", item->frontend->port);
	emit_text(e, "client", service_client_text(item->client));
	emit_text(e, "verdict", service_verdict_text(item->verdict));
	if (item->verdict == SERVICE_FORWARD)
		emit_endpoints(e, item);
	if (item->restricted) {
		emit_array(e, "sourceRanges");
		for (size_t i = 0; i < s->n_ranges; i++)
			emit_text(e, NULL, cidr_text(&s->ranges[i], text));
		emit_array_end(e);
	}
}
