// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which cluster a sandbox shows: every pod of the manifests on one node, and
 * addresses for what no object describes. Pure: same objects, same choice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/sandbox.h"
#include "sandbox/topology.h"

/* First members of a candidate range; tried in order, 200 addresses of each. */
static const char *const node_ranges[2][3] = {
	{ "192.168.255.%u", "172.31.255.%u", "10.255.255.%u" },
	{ "fd00:ffff::%x", "fd00:fffe::%x", "fd00:fffd::%x" },
};

/* Documentation and public ranges: manifests rarely name them in a block of their own. */
static const char *const world_ranges[2][6] = {
	{ "203.0.113.%u", "198.51.100.%u", "192.0.2.%u", "1.2.3.%u", "9.8.7.%u", "100.127.255.%u" },
	{ "2001:db8:ffff::%x", "2001:db8::%x", "2a00:ffff::%x", "2600:ffff::%x", "2c00:ffff::%x", "fdff::%x" },
};

static bool taken(const struct store *s, const struct weir_addr *a)
{
	int f = addr_family(a);

	for (size_t i = 0; i < s->n_pods; i++)
		if (weir_addr_equal(&s->pods[i]->addr[f], a))
			return true;
	for (size_t i = 0; i < s->n_services; i++)
		if (weir_addr_equal(&s->services[i]->cluster_ip[f], a))
			return true;
	for (size_t i = 0; i < s->n_nodes; i++)
		for (size_t j = 0; j < s->nodes[i]->n_addrs; j++)
			if (weir_addr_equal(&s->nodes[i]->addrs[j], a))
				return true;
	return false;
}

/* Any block but /0, an `except` too: the world is an address that no policy singles out. */
static bool peer_singles_out(const struct kube_peer *p, const struct weir_addr *a)
{
	unsigned int all = weir_addr_is_v4(a) ? WEIR_V4_PREFIX_BITS : 0;

	if (!p->has_block)
		return false;
	for (size_t i = 0; i < p->n_except; i++)
		if (cidr_holds(&p->except[i], a))
			return true;
	return p->block.len > all && cidr_holds(&p->block, a);
}

static bool singled_out(const struct store *s, const struct weir_addr *a)
{
	for (size_t i = 0; i < s->n_policies; i++)
		for (int d = 0; d < 2; d++)
			for (size_t r = 0; r < s->policies[i]->n_rules[d]; r++)
				for (size_t p = 0; p < s->policies[i]->rules[d][r].n_peers; p++)
					if (peer_singles_out(&s->policies[i]->rules[d][r].peers[p], a))
						return true;
	return false;
}

/* The first free address of the ranges; zero when all are taken, and the family goes without. */
static struct weir_addr choose(const struct store *s, const char *const *ranges, size_t n, bool world)
{
	struct weir_addr a;

	for (size_t i = 0; i < n; i++) {
		for (unsigned int host = 10; host < 210; host++) {
			char text[ADDR_TEXT_MAX];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text, sizeof(text), ranges[i], host);
#pragma GCC diagnostic pop
			if (!addr_parse(text, &a) && !taken(s, &a) && !(world && singled_out(s, &a)))
				return a;
		}
	}
	memset(&a, 0, sizeof(a));
	return a;
}

static void add_local(struct sandbox_net *net, const struct weir_addr *a)
{
	if (weir_addr_is_zero(a))
		return;
	for (size_t i = 0; i < net->n_local; i++)
		if (weir_addr_equal(&net->local[i], a))
			return;
	*VEC_ADD(net->local, net->n_local, net->cap_local) = *a;
}

static void choose_net(const struct store *s, struct sandbox_net *net)
{
	const struct kube_node *node = s->n_nodes ? s->nodes[0] : NULL;

	net->node = node ? node->meta.name : "sandbox";
	for (size_t i = 0; node && i < node->n_addrs; i++) {
		int f = addr_family(&node->addrs[i]);

		if (weir_addr_is_zero(&net->node_addr[f]))
			net->node_addr[f] = node->addrs[i];
		add_local(net, &node->addrs[i]);
	}
	for (int f = 0; f < 2; f++) {
		struct weir_addr gateway = topology_gateway(f);

		if (weir_addr_is_zero(&net->node_addr[f]))
			net->node_addr[f] = choose(s, node_ranges[f], ARRAY_SIZE(node_ranges[f]), false);
		net->world_addr[f] = choose(s, world_ranges[f], ARRAY_SIZE(world_ranges[f]), true);
		add_local(net, &net->node_addr[f]);
		add_local(net, &gateway);
	}
}

static void move_endpoints(struct store *s, const struct weir_addr *from, const struct weir_addr *to)
{
	for (size_t i = 0; i < s->n_slices; i++)
		for (size_t j = 0; j < s->slices[i]->n_endpoints; j++)
			if (weir_addr_equal(&s->slices[i]->endpoints[j].addr, from))
				s->slices[i]->endpoints[j].addr = *to;
}

/* hostNetwork pods are the node: wherever they were, they have this node's addresses now. */
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

struct plan *sandbox_plan(const struct store *s, const struct sandbox_net *net)
{
	const struct plan_input in = {
		.store = s,
		.node = net->node,
		.local_addrs = net->local,
		.n_local_addrs = net->n_local,
	};

	return plan_compile(&in);
}
