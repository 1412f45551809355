// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The cluster that a sandbox runs: puts every pod of the manifests on one node and assigns
 * addresses to what no object describes. Pure: same objects, same result.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "analyze/world.h"
#include "sandbox/sandbox.h"
#include "sandbox/wiring.h"

static void add_local(struct sandbox_net *net, const struct weir_addr *a)
{
	if (weir_addr_is_zero(a))
		return;
	for (size_t i = 0; i < net->n_local; i++)
		if (weir_addr_equal(&net->local[i], a))
			return;
	*VEC_ADD(net->local, net->n_local, net->cap_local) = *a;
}

/* The Node object's addresses; in a family without one, a free address. */
static void choose_net(const struct store *s, struct sandbox_net *net)
{
	const struct kube_node *node = s->n_nodes ? s->nodes[0] : NULL;
	struct world taken = {};

	world_collect(&taken, s);
	net->node = node ? node->meta.name : "sandbox";
	for (size_t i = 0; node && i < node->n_addrs; i++) {
		int f = addr_family(&node->addrs[i]);

		if (weir_addr_is_zero(&net->node_addr[f]))
			net->node_addr[f] = node->addrs[i];
		add_local(net, &node->addrs[i]);
	}
	for (int f = 0; f < 2; f++) {
		struct weir_addr gateway = wiring_gateway(f);

		if (weir_addr_is_zero(&net->node_addr[f]) &&
		    world_free_addr(&taken, f, &net->node_addr[f]))
			world_take(&taken, &net->node_addr[f]);
		world_free_addr(&taken, f, &net->world_addr[f]);
		add_local(net, &net->node_addr[f]);
		add_local(net, &gateway);
	}
	world_clear(&taken);
}

static void move_endpoints(struct store *s, const struct weir_addr *from,
			   const struct weir_addr *to)
{
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t j = 0; j < s->slices[i]->n_endpoints; j++)
			if (weir_addr_equal(&s->slices[i]->endpoints[j].addr, from))
				s->slices[i]->endpoints[j].addr = *to;
}

/* A hostNetwork pod gets the addresses of the sandbox's node. */
static void place_pod(struct store *s, struct kube_pod *pod, const struct sandbox_net *net)
{
	pod->node = net->node;
	for (int f = 0; f < 2 && pod->host_network; f++) {
		if (weir_addr_is_zero(&pod->addr[f]))
			continue;
		move_endpoints(s, &pod->addr[f], &net->node_addr[f]);
		pod->addr[f] = net->node_addr[f];
	}
}

void sandbox_place(struct store *s, struct sandbox_net *ret_net)
{
	struct sandbox_net net = {};

	choose_net(s, &net);
	for (size_t i = 0; i < s->n_pods; i++)
		place_pod(s, s->pods[i], &net);
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t j = 0; j < s->slices[i]->n_endpoints; j++)
			s->slices[i]->endpoints[j].node = net.node;
	*ret_net = net;
}

void sandbox_net_free(struct sandbox_net *net)
{
	free(net->local);
	memset(net, 0, sizeof(*net));
}

struct plan_input sandbox_plan_input(const struct store *s, const struct sandbox_net *net,
				     const uint64_t *overlay_ports)
{
	return (struct plan_input){
		.store = s,
		.node = net->node,
		.local_addrs = net->local,
		.n_local_addrs = net->n_local,
		.overlay_ports = overlay_ports,
	};
}

struct plan *sandbox_plan(const struct store *s, const struct sandbox_net *net,
			  const uint32_t *sizes, const struct plan_unfit *unfit,
			  const uint64_t *overlay_ports)
{
	struct plan_input in = sandbox_plan_input(s, net, overlay_ports);

	in.sizes = sizes;
	in.unfit = unfit;
	return plan_compile(&in);
}
