// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The cluster that a sandbox runs: puts every pod of the manifests on a node and assigns
 * addresses to what no object describes. Pure: same objects, same result.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "analyze/world.h"
#include "sandbox/sandbox.h"
#include "sandbox/wiring.h"

static void add_local(struct sandbox_node *node, const struct weir_addr *a)
{
	if (weir_addr_is_zero(a))
		return;
	for (size_t i = 0; i < node->n_local; i++)
		if (weir_addr_equal(&node->local[i], a))
			return;
	*VEC_ADD(node->local, node->n_local, node->cap_local) = *a;
}

/* The Node object's addresses; in a family without one, a free address. object: NULL for none. */
static void add_node(struct sandbox_net *net, const struct kube_node *object, struct world *taken)
{
	struct sandbox_node *node = VEC_ADD(net->nodes, net->n_nodes, net->cap_nodes);

	node->name = object ? object->meta.name : "sandbox";
	for (size_t i = 0; object && i < object->n_addrs; i++) {
		int f = addr_family(&object->addrs[i]);

		if (weir_addr_is_zero(&node->addr[f]))
			node->addr[f] = object->addrs[i];
		add_local(node, &object->addrs[i]);
	}
	for (int f = 0; f < 2; f++) {
		struct weir_addr gateway = wiring_gateway(f);

		if (weir_addr_is_zero(&node->addr[f]) && world_free_addr(taken, f, &node->addr[f]))
			world_take(taken, &node->addr[f]);
		add_local(node, &node->addr[f]);
		add_local(node, &gateway);
	}
}

static void choose_net(const struct store *s, struct sandbox_net *net)
{
	struct world taken = {};

	world_collect(&taken, s);
	for (size_t i = 0; i < s->n_nodes; i++)
		add_node(net, s->nodes[i], &taken);
	if (!net->n_nodes)
		add_node(net, NULL, &taken);
	for (int f = 0; f < 2; f++)
		world_free_addr(&taken, f, &net->world_addr[f]);
	world_clear(&taken);
}

size_t sandbox_node_index(const struct sandbox_net *net, const char *name)
{
	for (size_t i = 0; i < net->n_nodes; i++)
		if (name && !strcmp(net->nodes[i].name, name))
			return i;
	return 0;
}

char *sandbox_node_where(const struct sandbox_net *net, size_t node)
{
	return node ? mem_printf("node/%s", net->nodes[node].name) : mem_strdup("node");
}

char *sandbox_instance(const char *name, const struct sandbox_net *net, size_t node)
{
	name = name ? name : SANDBOX_DEFAULT_NAME;
	return node ? mem_printf("%s_%s", name, net->nodes[node].name) : mem_strdup(name);
}

/* The endpoints of a pod are where it is. */
static void move_endpoints(struct store *s, const struct weir_addr *from,
			   const struct weir_addr *to, const char *node)
{
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t j = 0; j < s->slices[i]->n_endpoints; j++) {
			struct kube_endpoint *e = &s->slices[i]->endpoints[j];

			if (!weir_addr_equal(&e->addr, from))
				continue;
			e->addr = *to;
			e->node = node;
		}
}

/* A hostNetwork pod gets the addresses of its node. */
static void place_pod(struct store *s, struct kube_pod *pod, const struct sandbox_net *net)
{
	const struct sandbox_node *node = &net->nodes[sandbox_node_index(net, pod->node)];

	pod->node = node->name;
	for (int f = 0; f < 2; f++) {
		struct weir_addr before = pod->addr[f];

		if (weir_addr_is_zero(&before))
			continue;
		if (pod->host_network)
			pod->addr[f] = node->addr[f];
		if (!kube_pod_ended(pod))
			move_endpoints(s, &before, &pod->addr[f], node->name);
	}
}

/* One node is all there is: everything runs there. */
static void place_endpoints(struct store *s, const struct sandbox_net *net)
{
	for (size_t i = 0; i < s->n_slices && net->n_nodes == 1; i++)
		for (size_t j = 0; j < s->slices[i]->n_endpoints; j++)
			s->slices[i]->endpoints[j].node = net->nodes->name;
}

void sandbox_place(struct store *s, struct sandbox_net *ret_net)
{
	struct sandbox_net net = {};

	choose_net(s, &net);
	for (size_t i = 0; i < s->n_pods; i++)
		place_pod(s, s->pods[i], &net);
	place_endpoints(s, &net);
	*ret_net = net;
}

void sandbox_net_free(struct sandbox_net *net)
{
	for (size_t i = 0; i < net->n_nodes; i++)
		free(net->nodes[i].local);
	free(net->nodes);
	memset(net, 0, sizeof(*net));
}

struct plan_input sandbox_plan_input(const struct store *s, const struct sandbox_node *node,
				     const uint64_t *overlay_ports)
{
	return (struct plan_input){
		.store = s,
		.node = node->name,
		.local_addrs = node->local,
		.n_local_addrs = node->n_local,
		.overlay_ports = overlay_ports,
	};
}

struct plan *sandbox_plan(const struct store *s, const struct sandbox_node *node,
			  const uint32_t *sizes, const struct plan_unfit *unfit,
			  const uint64_t *overlay_ports)
{
	struct plan_input in = sandbox_plan_input(s, node, overlay_ports);

	in.sizes = sizes;
	in.unfit = unfit;
	return plan_compile(&in);
}
