// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Namespaces and veths of a sandbox: one namespace for each node, each pod and the world; this
 * module makes them all. Names are computed, not stored, so that incomplete wiring is found and
 * removed by prefix.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "sandbox/netlink.h"
#include "sandbox/netns.h"
#include "sandbox/names.h"
#include "sandbox/routes.h"
#include "sandbox/topology.h"
#include "sandbox/wiring.h"

/*
 * ifindex of the world's veth in the node namespace. The kernel activates a veth at once only if
 * the ifindexes of its ends differ. As the first devices of their namespaces both would have the
 * same, and drop packets for up to a second.
 */
#define WORLD_INDEX 100
#define WAIT_TRIES 2000 /* of 1 ms */

static char *pod_where(const char *ns, const char *pod)
{
	return mem_printf("%s/%s", ns, pod);
}

static int router_sysctls(int netns_fd, struct weir_err *err)
{
	static const char *const settings[][2] = {
		{ "ipv4/ip_forward", "1" },
		{ "ipv4/conf/all/rp_filter", "0" },
		{ "ipv4/conf/default/rp_filter", "0" },
		{ "ipv4/conf/all/send_redirects", "0" },
		{ "ipv4/conf/default/send_redirects", "0" },
		{ "ipv6/conf/all/forwarding", "1" },
	};
	_cleanup_(netns_leave) int back = -1;
	int r = netns_enter(netns_fd, &back, err);

	for (size_t i = 0; i < ARRAY_SIZE(settings) && !r; i++)
		r = netns_sysctl(settings[i][0], settings[i][1], err);
	return r;
}

static int add_node_addrs(int fd, const struct sandbox_node *node, struct weir_err *err)
{
	_cleanup_(nl_close) struct nl *nl = NULL;
	struct cidr gateway = { .addr = wiring_gateway(0), .len = 128 };
	int lo, r = nl_open(fd, &nl, err);

	if (r)
		return r;
	lo = nl_link_index(nl, "lo", err);
	if (lo < 0)
		return lo;
	r = nl_addr_add(nl, lo, &gateway, NL_ADDR_LINK_SCOPE, err);
	for (size_t i = 0; i < node->n_local && !r; i++) {
		struct cidr own = { .addr = node->local[i], .len = 128 };
		struct weir_addr link_local = wiring_gateway(addr_family(&own.addr));

		if (!weir_addr_equal(&own.addr, &link_local))
			r = nl_addr_add(nl, lo, &own, 0, err);
	}
	return r;
}

/* Reuses a namespace that an interrupted call left. */
static int ensure_netns(const char *netns, struct weir_err *err)
{
	return netns_exists(netns) ? netns_open(netns, err) : netns_create(netns, err);
}

/* Removes a veth at once, both ends; deleting only a namespace removes it some time later. */
static void delete_device(const char *netns, const char *device)
{
	_cleanup_(fd_close) int fd = netns_open(netns, NULL);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int ifindex;

	if (fd < 0 || nl_open(fd, &nl, NULL))
		return;
	ifindex = nl_link_index(nl, device, NULL);
	if (ifindex > 0)
		nl_link_delete(nl, ifindex, NULL);
}

/* A namespace with a veth to a node namespace. */
struct link {
	const char *name, *where;
	const char *inside; /* the device in it */
	int node_fd;
	const struct wiring *wiring;
	const uint8_t *mac;
	const struct weir_addr *addr; /* two, by family; zero: none */
};

/* Creates both and configures the inner end. Returns the ifindex of the host's end. */
static int connect_inside(const struct link *l, struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_netns(l->name, l->where);
	_cleanup_(mem_free) char *device = names_device(l->where);
	_cleanup_(fd_close) int fd = ensure_netns(netns, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	/* a bridge port needs a MAC of its own: frames to the node go to the bridge's MAC */
	struct nl_veth veth = { device,
				l->inside,
				strcmp(l->where, NAMES_WORLD) ? 0 : WORLD_INDEX,
				fd,
				l->wiring->bridged ? NULL : wiring_node_mac,
				l->mac };
	int r;

	if (fd < 0)
		return fd;
	r = nl_open(l->node_fd, &nl, err);
	if (r)
		return r;
	if (nl_link_index(nl, device, NULL) < 0) {
		delete_device(netns, l->inside); /* a killed call connected it to another node */
		r = nl_veth_add(nl, &veth, err);
	}
	if (!r)
		r = wiring_inside(fd, l->wiring, l->inside, l->addr, err);
	return r ? r : nl_link_index(nl, device, err);
}

/* The world is routed in every topology: it stands for hosts behind an uplink. */
static int connect_world(const char *name, int node_fd, struct nl *nl,
			 const struct sandbox_net *net, size_t node, struct weir_err *err)
{
	static const struct weir_addr none[2];
	_cleanup_(mem_free) char *inside = names_world_device(net, node);
	struct link link = { name,
			     NAMES_WORLD,
			     inside,
			     node_fd,
			     wiring_of(SANDBOX_ROUTED),
			     wiring_world_mac,
			     node ? none : net->world_addr };
	struct wire wire = { node_fd, NAMES_WORLD, wiring_world_mac, net->world_addr,
			     net->nodes[node].addr };
	int ifindex = connect_inside(&link, err);

	return ifindex < 0 ? ifindex : wiring_outside(nl, link.wiring, &wire, err);
}

static int make_node(const char *name, const struct sandbox_net *net, size_t node,
		     struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_node_netns(name, net, node);
	_cleanup_(fd_close) int fd = ensure_netns(netns, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r;

	if (fd < 0)
		return fd;
	r = router_sysctls(fd, err);
	if (!r)
		r = add_node_addrs(fd, &net->nodes[node], err);
	if (!r)
		r = nl_open(fd, &nl, err);
	if (!r && wiring_of(net->topology)->bridged)
		r = wiring_bridge(nl, fd, err);
	return r ? r : connect_world(name, fd, nl, net, node, err);
}

static int make_router(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_netns(name, NAMES_WORLD);
	_cleanup_(fd_close) int fd = netns_open(netns, err);

	return fd < 0 ? fd : router_sysctls(fd, err);
}

/* With the first node the world's namespace is made. */
int topology_node(const char *name, const struct sandbox_net *net, size_t node,
		  struct weir_err *err)
{
	int r = make_node(name, net, node, err);

	return r || node || net->n_nodes == 1 ? r : make_router(name, err);
}

int topology_route_node(const char *name, const struct sandbox_net *net, size_t node,
			struct weir_err *err)
{
	return routes_to(name, net, node, net->nodes[node].addr, err);
}

int topology_remove_node(const char *name, const char *node, struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = names_further_node(name, node);

	delete_device(netns, NAMES_WORLD);
	return netns_delete(netns, err);
}

/* Locally administered. A new pod at the same address gets another MAC, as on a real node. */
static void choose_mac(const struct plug *p, uint8_t mac[6])
{
	char v4[ADDR_TEXT_MAX], v6[ADDR_TEXT_MAX];
	_cleanup_(mem_free) char *text =
		mem_printf("%s/%s %s %s", p->ns, p->pod, addr_text(&p->addr[0], v4),
			   addr_text(&p->addr[1], v6));
	uint64_t h = names_hash(text);

	memcpy(mac, &h, 6);
	mac[0] = 0x02;
}

/* Before the tables are loaded: they hold the bridge of each device. The device stays down. */
static int join_bridge(int node_fd, int ifindex, struct weir_err *err)
{
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r = nl_open(node_fd, &nl, err);

	return r ? r : wiring_join(nl, ifindex, err);
}

int topology_plug(const char *name, struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err)
{
	_cleanup_(mem_free) char *node = names_node_netns(name, net, p->node);
	_cleanup_(mem_free) char *where = pod_where(p->ns, p->pod);
	_cleanup_(fd_close) int fd = netns_open(node, err);
	struct link link = { name,   where,  NAMES_INSIDE, fd, wiring_of(net->topology),
			     p->mac, p->addr };
	int ifindex;

	if (fd < 0)
		return fd;
	choose_mac(p, p->mac);
	ifindex = connect_inside(&link, err);
	if (ifindex < 0)
		return ifindex;
	p->ifindex = ifindex;
	return wiring_of(net->topology)->bridged ? join_bridge(fd, ifindex, err) : 0;
}

int topology_open(const char *name, const struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err)
{
	_cleanup_(mem_free) char *node = names_node_netns(name, net, p->node);
	_cleanup_(mem_free) char *where = pod_where(p->ns, p->pod);
	_cleanup_(mem_free) char *device = names_device(where);
	_cleanup_(fd_close) int fd = netns_open(node, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	struct wire wire = { fd, device, p->mac, p->addr, net->nodes[p->node].addr };
	int r = fd < 0 ? fd : nl_open(fd, &nl, err);

	if (!r)
		r = wiring_outside(nl, wiring_of(net->topology), &wire, err);
	return r ? r : routes_to(name, net, p->node, p->addr, err);
}

static int open_netns_nl(const char *netns, struct nl **ret_nl, struct weir_err *err)
{
	_cleanup_(fd_close) int fd = netns_open(netns, err);

	return fd < 0 ? fd : nl_open(fd, ret_nl, err);
}

/* Both ends of a link. */
struct ends {
	const char *where, *inside;
	const struct wiring *wiring;
};

static int wait_for(const char *name, const char *node_netns, const struct ends *e,
		    struct weir_err *err)
{
	_cleanup_(mem_free) char *device = names_device(e->where);
	_cleanup_(mem_free) char *netns = names_netns(name, e->where);
	_cleanup_(nl_close) struct nl *node = NULL, *in = NULL;
	const struct timespec tick = { 0, 1000000 };
	int r = open_netns_nl(node_netns, &node, err);

	if (!r)
		r = open_netns_nl(netns, &in, err);
	for (int i = 0; !r && !(nl_link_operational(in, e->inside) &&
				wiring_operational(node, e->wiring, device));
	     i++) {
		if (i == WAIT_TRIES)
			return err_set(err, -ETIMEDOUT, "the devices of %s do not come up",
				       e->where);
		nanosleep(&tick, NULL);
	}
	return r;
}

int topology_wait_pod(const char *name, const struct plug *p, const struct sandbox_net *net,
		      struct weir_err *err)
{
	_cleanup_(mem_free) char *where = pod_where(p->ns, p->pod);
	_cleanup_(mem_free) char *node = names_node_netns(name, net, p->node);
	struct ends ends = { where, NAMES_INSIDE, wiring_of(net->topology) };

	return wait_for(name, node, &ends, err);
}

int topology_wait_world(const char *name, const struct sandbox_net *net, struct weir_err *err)
{
	int r = 0;

	for (size_t i = 0; i < net->n_nodes && !r; i++) {
		_cleanup_(mem_free) char *inside = names_world_device(net, i);
		_cleanup_(mem_free) char *node = names_node_netns(name, net, i);
		struct ends ends = { NAMES_WORLD, inside, wiring_of(SANDBOX_ROUTED) };

		r = wait_for(name, node, &ends, err);
	}
	return r;
}

int topology_unplug(const char *name, const char *ns, const char *pod, struct weir_err *err)
{
	_cleanup_(mem_free) char *where = pod_where(ns, pod);
	_cleanup_(mem_free) char *netns = names_netns(name, where);

	delete_device(netns, NAMES_INSIDE);
	return netns_delete(netns, err);
}

struct removal {
	int first_error;
	struct weir_err *err;
};

static int remove_one(const char *netns, void *arg)
{
	struct removal *r = arg;
	int e = netns_delete(netns, r->first_error ? NULL : r->err);

	if (e && !r->first_error)
		r->first_error = e;
	return 0;
}

int topology_remove(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *prefix = names_prefix(name);
	struct removal r = { 0, err };

	netns_each(prefix, remove_one, &r);
	return r.first_error;
}
