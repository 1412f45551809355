// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Addresses of this node and of the other nodes (NP-41): from Node objects and from the caller.
 * Loopback addresses are not among them: they are never on a wire, so no pod reaches them (NP-42).
 */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

static int by_node_addr(const void *a, const void *b)
{
	const struct plan_node_addr *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->kind - (int)y->kind; /* OWN first: it wins over OTHER */
}

/* SVC-36 */
static bool serves_node_ports(const struct build *b, const struct plan_node_ports *ports,
			      const struct weir_addr *addr)
{
	const struct kube_node *node = store_node(b->store, b->plan->node);
	int family = addr_family(addr);
	bool any = false;

	if (ports->primary)
		return node && weir_addr_equal(&node->primary[family], addr);
	for (size_t i = 0; i < ports->n_blocks; i++) {
		if (cidr_holds(&ports->blocks[i], addr))
			return true;
		any |= addr_family(&ports->blocks[i].addr) == family;
	}
	return !any;
}

void build_node_addrs(struct build *b, const struct plan_input *in)
{
	struct plan_node_addr *list = NULL;
	struct plan *p = b->plan;
	size_t n = 0, cap = 0, kept = 0;

	for (size_t i = 0; i < b->store->n_nodes; i++) {
		const struct kube_node *node = b->store->nodes[i];
		enum weir_node_kind kind =
			strcmp(node->meta.name, p->node) ? WEIR_NODE_OTHER : WEIR_NODE_OWN;

		for (size_t j = 0; j < node->n_addrs; j++)
			*VEC_ADD(list, n, cap) =
				(struct plan_node_addr){ node->addrs[j], kind, false };
	}
	for (size_t i = 0; i < in->n_local_addrs; i++)
		*VEC_ADD(list, n, cap) =
			(struct plan_node_addr){ in->local_addrs[i], WEIR_NODE_OWN, false };
	if (n)
		qsort(list, n, sizeof(*list), by_node_addr);
	for (size_t i = 0; i < n; i++)
		if (!addr_is_martian(&list[i].addr, false) &&
		    (!kept || !weir_addr_equal(&list[kept - 1].addr, &list[i].addr)))
			list[kept++] = list[i];
	for (size_t i = 0; i < kept; i++)
		list[i].node_ports = list[i].kind == WEIR_NODE_OWN &&
				     serves_node_ports(b, &in->node_ports, &list[i].addr);
	p->node_addrs = arena_array(&p->arena, list, kept);
	p->n_node_addrs = kept;
	free(list);
}
