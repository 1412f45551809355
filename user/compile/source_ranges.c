// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See source_ranges.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "compile/source_ranges.h"

#define ADDR_BITS 128

static int by_cidr(const void *a, const void *b)
{
	return cidr_compare(a, b);
}

static bool is_everything(const struct cidr *c, int family)
{
	return c->len == (family ? 0 : WEIR_V4_PREFIX_BITS);
}

static bool hold_this_node(const struct source_ranges *r, const struct plan_node_addr *nodes,
			   size_t n_nodes)
{
	for (size_t n = 0; n < n_nodes; n++)
		for (size_t i = 0; nodes[n].kind == WEIR_NODE_OWN && i < r->n; i++)
			if (cidr_holds(&r->items[i], &nodes[n].addr))
				return true;
	return false;
}

static void add_vips(const struct kube_service *service, int family, struct source_ranges *r)
{
	for (size_t i = 0; i < service->n_vips; i++)
		if (addr_family(&service->vips[i]) == family)
			*VEC_ADD(r->items, r->n, r->cap) =
				(struct cidr){ service->vips[i], ADDR_BITS };
}

static bool has_vip(const struct kube_service *service, int family)
{
	for (size_t i = 0; i < service->n_vips; i++)
		if (addr_family(&service->vips[i]) == family)
			return true;
	return false;
}

void source_ranges_of(const struct kube_service *service, int family,
		      const struct plan_node_addr *nodes, size_t n_nodes,
		      struct source_ranges *ranges)
{
	ranges->n = 0;
	for (size_t i = 0; has_vip(service, family) && i < service->n_source_ranges; i++) {
		const struct cidr *c = &service->source_ranges[i];

		if (addr_family(&c->addr) != family)
			continue;
		if (is_everything(c, family)) {
			ranges->n = 0;
			return;
		}
		*VEC_ADD(ranges->items, ranges->n, ranges->cap) = *c;
	}
	if (hold_this_node(ranges, nodes, n_nodes))
		add_vips(service, family, ranges);
	ranges->n = array_unique(ranges->items, ranges->n, sizeof(*ranges->items), by_cidr);
}
