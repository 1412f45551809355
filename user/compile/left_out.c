// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* One item of the plan and one error for each Service that is left out. See left_out.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/left_out.h"
#include "kube/codes.h"

#define RANGES_SHOWN 16 /* of ports; the plan has all frontends */

static int by_proto(const void *a, const void *b)
{
	const struct plan_frontend *x = a, *y = b;
	int order = (int)x->scope - (int)y->scope;

	if (!order)
		order = addr_compare(&x->addr, &y->addr);
	if (!order)
		order = (int)x->proto - (int)y->proto;
	return order ? order : (int)x->port - (int)y->port;
}

static bool same_place(const struct plan_frontend *a, const struct plan_frontend *b)
{
	return a->scope == b->scope && weir_addr_equal(&a->addr, &b->addr);
}

static const char *place_text(const struct plan_frontend *f, char *buf)
{
	if (f->scope == WEIR_SCOPE_NODE_PORT)
		return addr_family(&f->addr) ? "IPv6 node" : "IPv4 node";
	return addr_text(&f->addr, buf);
}

static bool goes_on(const struct plan_frontend *last, const struct plan_frontend *f)
{
	return f->proto == last->proto && f->port <= last->port + 1 && same_place(last, f);
}

/* "10.96.0.9 ports 80-82/TCP, 53/UDP; fd00::9 ports 80/TCP and 12 more" */
static char *frontends_text(const struct plan_frontend *f, size_t n)
{
	char addr[ADDR_TEXT_MAX], *text = NULL;
	size_t size, end, ranges = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < n; i = end) {
		bool begins = !i || !same_place(&f[i - 1], &f[i]);

		if (ranges++ == RANGES_SHOWN) {
			fprintf(out, " and %zu more", n - i);
			break;
		}
		for (end = i + 1; end < n && goes_on(&f[end - 1], &f[end]);)
			end++;
		if (begins)
			fprintf(out, "%s%s ports ", i ? "; " : "", place_text(&f[i], addr));
		fprintf(out, "%s%u", begins ? "" : ", ", f[i].port);
		if (f[end - 1].port != f[i].port)
			fprintf(out, "-%u", f[end - 1].port);
		fprintf(out, "/%s", proto_text(f[i].proto));
	}
	fclose(out);
	return text;
}

static bool has_external(const struct plan_left_out *l)
{
	for (size_t i = 0; i < l->n_frontends; i++)
		if (!(l->frontends[i].kinds & PLAN_CLUSTER_IP))
			return true;
	return false;
}

static void add_error(struct build *b, const struct kube_service *service,
		      const struct service_need *need, const struct plan_left_out *l)
{
	_cleanup_(mem_free) char *object = mem_printf("Service %s", l->service);
	_cleanup_(mem_free) char *frontends = frontends_text(l->frontends, l->n_frontends);
	_cleanup_(mem_free) char *needs =
		plan_needs_text("Services", need->table, need->all, need->size);

	diag_add(
		&b->plan->notes, DIAG_ERROR, kube_code_text(KUBE_E_LEFT_OUT), &service->meta.src,
		object, "spec.ports",
		"does not fit: %s, and this Service is among the largest of a namespace that needs more than its part. "
		"Not served: %s; packets to %s%s, until the Service has fewer ports or endpoints, or the tables are larger",
		needs, frontends,
		l->known
			? "these addresses are refused as no-service-port"
			: "these addresses are routed like any other, as there is not even room for the addresses",
		l->known && has_external(l) ? ", but for those that are no cluster IP" : "");
}

void left_out_add(struct build *b, const struct kube_service *service,
		  const struct service_need *need, struct plan_frontend *frontends, size_t n)
{
	struct plan *p = b->plan;
	struct plan_left_out *l = &p->left_out[p->n_left_out++];

	if (n)
		qsort(frontends, n, sizeof(*frontends), by_proto);
	*l = (struct plan_left_out){
		.service = arena_printf(&p->arena, "%s/%s", need->ns, need->name),
		.known = !need->unknown,
		.table = need->table,
		.need = need->all,
		.size = need->size,
		.frontends = frontends,
		.n_frontends = n,
	};
	add_error(b, service, need, l);
}
