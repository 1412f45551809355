// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which Service gets a frontend that several have (SVC-7). See service_build.h. */
#include <stdlib.h>

#include "compile/service_build.h"

struct claim {
	struct plan_frontend frontend;
	const struct service_port *port;
};

struct claims {
	struct claim *items;
	size_t n, cap;
};

static void free_claims(struct claims *c)
{
	free(c->items);
}

/*
 * The API server gives a cluster IP to one Service; any other can claim it as an external IP, also
 * before that.
 */
static int by_allocation(const struct claim *x, const struct claim *y)
{
	return !!(y->frontend.kinds & PLAN_CLUSTER_IP) - !!(x->frontend.kinds & PLAN_CLUSTER_IP);
}

/* The first one wins: a cluster IP, then by creation, then by name (SVC-7). */
static int by_frontend_and_age(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int64_t created_x = x->port->service->meta.created,
		created_y = y->port->service->meta.created;
	int order = plan_frontend_compare(&x->frontend, &y->frontend);

	if (!order)
		order = by_allocation(x, y);
	if (!order)
		order = (created_x > created_y) - (created_x < created_y);
	return order ? order : (x->port > y->port) - (x->port < y->port);
}

static void note_conflict(struct plan *plan, const struct claim *winner, const struct claim *loser)
{
	const struct kube_meta *w = &winner->port->service->meta, *l = &loser->port->service->meta;
	_cleanup_(mem_free) char *object = mem_printf("Service %s/%s", l->ns, l->name);
	bool node_port = loser->frontend.scope == WEIR_SCOPE_NODE_PORT;
	char text[ADDR_TEXT_MAX];

	diag_add(
		&plan->notes, DIAG_WARNING, NULL, &l->src, object, "spec.ports",
		"%s port %u/%s is also a frontend of Service %s/%s, which keeps it; give this Service another address or port",
		node_port ? "node" : addr_text(&loser->frontend.addr, text), loser->frontend.port,
		proto_text(loser->frontend.proto), w->ns, w->name);
}

/* No other Service gets what it has in a conflict, either. */
static bool is_left_out(const struct service_build *sb, const struct claim *c)
{
	return c->frontend.proto ? !c->port->index : sb->needs[c->port->owner].unknown;
}

/* External IPs have no ranges, so neither has an address that is one, too (SVC-52). */
static uint8_t flags_of(const struct service_build *sb, const struct plan_frontend *f)
{
	if (!f->service || f->kinds & PLAN_CLUSTER_IP)
		return 0;
	return WEIR_FRONTEND_EXTERNAL |
	       (f->kinds == PLAN_LOAD_BALANCER && sb->services[f->service].n_ranges
			? WEIR_FRONTEND_RANGES
			: 0);
}

static void claim_of_port(struct service_build *sb, const struct service_port *sp, struct claims *c)
{
	struct plan_frontend known = { .addr = sp->service->cluster_ip[sp->family],
				       .kinds = PLAN_CLUSTER_IP };

	*VEC_ADD(c->items, c->n, c->cap) = (struct claim){ known, sp };
	port_frontends_of(sp->service, sp->port, sp->family, &sb->port_frontends);
	for (size_t i = 0; i < sb->port_frontends.n; i++) {
		struct plan_frontend f = sb->port_frontends.items[i];

		f.service = sp->index;
		f.flags = flags_of(sb, &f);
		*VEC_ADD(c->items, c->n, c->cap) = (struct claim){ f, sp };
	}
}

void services_claim_frontends(struct service_build *sb)
{
	_cleanup_(free_claims) struct claims c = {};

	for (size_t i = 0; i < sb->n_ports; i++)
		claim_of_port(sb, &sb->ports[i], &c);
	if (c.n)
		qsort(c.items, c.n, sizeof(*c.items), by_frontend_and_age);
	for (size_t i = 0, winner = 0; i < c.n; i++) {
		if (i && !plan_frontend_compare(&c.items[winner].frontend, &c.items[i].frontend)) {
			if (c.items[i].frontend.proto)
				note_conflict(sb->build->plan, &c.items[winner], &c.items[i]);
			continue;
		}
		winner = i;
		if (!is_left_out(sb, &c.items[i]))
			*VEC_ADD(sb->frontends, sb->n_frontends, sb->cap_frontends) =
				c.items[i].frontend;
	}
}
