// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Routes between the nodes of a sandbox. See routes.h. */
#include "base/mem.h"
#include "sandbox/netlink.h"
#include "sandbox/names.h"
#include "sandbox/netns.h"
#include "sandbox/routes.h"
#include "sandbox/wiring.h"

/* Where a namespace sends what is for the addresses. */
struct hop {
	const char *device;
	struct weir_addr gateway[2];
	const uint8_t *mac; /* of the gateway */
	const struct weir_addr *source; /* two, by family; NULL: the kernel chooses */
	bool bridged; /* its bridge answers for the addresses */
};

static int add_routes(const char *netns, const struct hop *hop, const struct weir_addr addr[2],
		      struct weir_err *err)
{
	_cleanup_(fd_close) int fd = netns_open(netns, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int ifindex, r = fd < 0 ? fd : nl_open(fd, &nl, err);

	if (r)
		return r;
	ifindex = nl_link_index(nl, hop->device, err);
	if (ifindex < 0)
		return ifindex;
	for (int f = 0; f < 2 && !r; f++) {
		struct nl_route route = { { .addr = addr[f], .len = 128 },
					  &hop->gateway[f],
					  hop->source ? &hop->source[f] : NULL,
					  ifindex };

		if (weir_addr_is_zero(&addr[f]))
			continue;
		r = nl_neighbour_add(nl, ifindex, &hop->gateway[f], hop->mac, err);
		if (!r && hop->bridged)
			r = wiring_bridge_proxy(nl, &addr[f], true, err);
		if (!r)
			r = nl_route_add(nl, &route, err);
	}
	return r;
}

static int from_world(const char *name, const struct sandbox_net *net, size_t node,
		      const struct weir_addr addr[2], struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_netns(name, NAMES_WORLD);
	_cleanup_(mem_free) char *device = names_world_device(net, node);
	struct hop hop = {
		.device = device,
		.gateway = { wiring_gateway(0), wiring_gateway(1) },
		.mac = wiring_node_mac,
	};

	return add_routes(netns, &hop, addr, err);
}

static int from_node(const char *name, const struct sandbox_net *net, size_t from,
		     const struct weir_addr addr[2], struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_node_netns(name, net, from);
	struct hop hop = {
		.device = NAMES_WORLD,
		.gateway = { net->world_addr[0], net->world_addr[1] },
		.mac = wiring_world_mac,
		.source = net->nodes[from].addr,
		.bridged = wiring_of(net->topology)->bridged,
	};

	return add_routes(netns, &hop, addr, err);
}

/* The pod may have been on another node. */
static int stop_proxy(const char *name, const struct sandbox_net *net, size_t node,
		      const struct weir_addr addr[2], struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_node_netns(name, net, node);
	_cleanup_(fd_close) int fd = netns_open(netns, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r = fd < 0 ? fd : nl_open(fd, &nl, err);

	for (int f = 0; f < 2 && !r; f++)
		if (!weir_addr_is_zero(&addr[f]))
			r = wiring_bridge_proxy(nl, &addr[f], false, err);
	return r;
}

int routes_to(const char *name, const struct sandbox_net *net, size_t node,
	      const struct weir_addr addr[2], struct weir_err *err)
{
	int r = 0;

	if (wiring_of(net->topology)->bridged)
		r = stop_proxy(name, net, node, addr, err);
	if (net->n_nodes == 1)
		return r;
	if (!r)
		r = from_world(name, net, node, addr, err);
	for (size_t i = 0; i < net->n_nodes && !r; i++)
		if (i != node)
			r = from_node(name, net, i, addr, err);
	return r;
}
