// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The wiring of a sandbox. All devices live in namespaces that this module
 * made: a node namespace and one for each pod and the world. Names are derived,
 * never remembered, so that half-made wiring is found and removed by prefix.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "sandbox/netlink.h"
#include "sandbox/netns.h"
#include "sandbox/topology.h"

#define INSIDE "eth0" /* the device in a pod and in the world */
#define WORLD "world"
/*
 * Of the world's end in the node. The kernel activates a veth at once only where the numbers of its two ends differ;
 * first devices of their namespaces would share theirs, and be dead for up to a second.
 */
#define WORLD_INDEX 100
#define WAIT_TRIES 2000 /* of 1 ms */

char *topology_prefix(const char *name)
{
	return mem_printf("weir-%s_", name);
}

/* '_' occurs in no Kubernetes name, so different pods never share a namespace's name. */
char *topology_netns_name(const char *name, const char *where)
{
	char *text = mem_printf("weir-%s_%s", name, where);
	char *slash = strchr(text, '/');

	if (slash)
		*slash = '_';
	return text;
}

struct weir_addr topology_gateway(int family)
{
	struct weir_addr a;

	addr_parse(family ? "fe80::1" : "169.254.1.1", &a);
	return a;
}

static uint64_t hash_text(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

static char *pod_where(const char *ns, const char *pod)
{
	return mem_printf("%s/%s", ns, pod);
}

/* Host's end of a pod's veth: names of devices are short, so it is a hash; a clash is an EEXIST that says so. */
static char *device_name(const char *where)
{
	if (!strcmp(where, WORLD))
		return mem_strdup(WORLD);
	return mem_printf("veth%010llx", (unsigned long long)(hash_text(where) & 0xffffffffff));
}

static struct cidr host_cidr(const struct weir_addr *a)
{
	return (struct cidr){ .addr = *a, .len = 128 };
}

static struct cidr default_cidr(int family)
{
	struct cidr c = { .len = family ? 0 : WEIR_V4_PREFIX_BITS };

	if (!family)
		c.addr = weir_addr_from_v4(0);
	return c;
}

/*
 * Both ends know each other's MAC from the start. A solicitation may be lost for a second: the kernel joins an
 * address's multicast group some time after it was added.
 */
static const uint8_t node_mac[6] = { 0x02, 0, 0, 0, 0, 0xfe }; /* of every host end */
static const uint8_t world_mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };

/* ---- The inside of a pod or the world ---- */

static int inside_family(struct nl *nl, int ifindex, const struct weir_addr *addr, struct weir_err *err)
{
	struct cidr own = host_cidr(addr);
	struct weir_addr gateway = topology_gateway(addr_family(addr));
	struct nl_route route = { default_cidr(addr_family(addr)), &gateway, NULL, ifindex };
	int r = nl_addr_add(nl, ifindex, &own, false, err);

	if (!r)
		r = nl_neighbour_add(nl, ifindex, &gateway, node_mac, err);
	return r ? r : nl_route_add(nl, &route, err);
}

static int inside(int netns_fd, const struct weir_addr addr[2], struct weir_err *err)
{
	_cleanup_(nl_close) struct nl *nl = NULL;
	int ifindex, r = nl_open(netns_fd, &nl, err);

	if (r)
		return r;
	ifindex = nl_link_index(nl, INSIDE, err);
	if (ifindex < 0)
		return ifindex;
	r = nl_link_up(nl, ifindex, err);
	for (int f = 0; f < 2 && !r; f++)
		if (!weir_addr_is_zero(&addr[f]))
			r = inside_family(nl, ifindex, &addr[f], err);
	return r;
}

/* ---- The node's side ---- */

/* Traffic of the node's own sockets must carry the node's address, whichever device it leaves by. */
static int outside(struct nl *nl, int ifindex, const uint8_t mac[6], const struct weir_addr addr[2],
		   const struct sandbox_net *net, struct weir_err *err)
{
	struct cidr gateway = { .addr = topology_gateway(1), .len = 64 };
	int r = nl_link_up(nl, ifindex, err);

	/* IPv4's gateway stands on the loopback, once; IPv6 asks for it on the link, so each link has it */
	if (!r)
		r = nl_addr_add(nl, ifindex, &gateway, true, err);
	for (int f = 0; f < 2 && !r; f++) {
		struct nl_route route = { host_cidr(&addr[f]), NULL, &net->node_addr[f], ifindex };

		if (weir_addr_is_zero(&addr[f]))
			continue;
		r = nl_neighbour_add(nl, ifindex, &addr[f], mac, err);
		if (!r)
			r = nl_route_add(nl, &route, err);
	}
	return r;
}

static int node_sysctls(int netns_fd, struct weir_err *err)
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

static int add_node_addrs(int node_fd, const struct sandbox_net *net, struct weir_err *err)
{
	_cleanup_(nl_close) struct nl *nl = NULL;
	struct cidr gateway = host_cidr(&(struct weir_addr){});
	int lo, r = nl_open(node_fd, &nl, err);

	if (r)
		return r;
	lo = nl_link_index(nl, "lo", err);
	if (lo < 0)
		return lo;
	gateway.addr = topology_gateway(0);
	r = nl_addr_add(nl, lo, &gateway, true, err);
	for (size_t i = 0; i < net->n_local && !r; i++) {
		struct cidr own = host_cidr(&net->local[i]);
		struct weir_addr link_local = topology_gateway(addr_family(&own.addr));

		if (!weir_addr_equal(&own.addr, &link_local))
			r = nl_addr_add(nl, lo, &own, false, err);
	}
	return r;
}

int topology_node_addrs(const char *name, const struct sandbox_net *net, struct weir_err *err)
{
	_cleanup_(mem_free) char *node = topology_netns_name(name, "node");
	_cleanup_(fd_close) int fd = netns_open(node, err);

	return fd < 0 ? fd : add_node_addrs(fd, net, err);
}

/* Existing or new: what an interrupted call left is taken up. */
static int ensure_netns(const char *netns, struct weir_err *err)
{
	return netns_exists(netns) ? netns_open(netns, err) : netns_create(netns, err);
}

/* A namespace with a veth into the node's, wired inside. Returns the host end's index. */
static int connect_inside(const char *name, const char *where, int node_fd, const uint8_t *mac,
			  const struct weir_addr addr[2], struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = topology_netns_name(name, where);
	_cleanup_(mem_free) char *device = device_name(where);
	_cleanup_(fd_close) int fd = ensure_netns(netns, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	struct nl_veth veth = { device, INSIDE, strcmp(where, WORLD) ? 0 : WORLD_INDEX, fd, node_mac, mac };
	int r;

	if (fd < 0)
		return fd;
	r = nl_open(node_fd, &nl, err);
	if (r)
		return r;
	if (nl_link_index(nl, device, NULL) < 0)
		r = nl_veth_add(nl, &veth, err);
	if (!r)
		r = inside(fd, addr, err);
	return r ? r : nl_link_index(nl, device, err);
}

int topology_base(const char *name, const struct sandbox_net *net, struct weir_err *err)
{
	_cleanup_(mem_free) char *node = topology_netns_name(name, "node");
	_cleanup_(fd_close) int fd = ensure_netns(node, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int ifindex, r;

	if (fd < 0)
		return fd;
	r = node_sysctls(fd, err);
	if (!r)
		r = add_node_addrs(fd, net, err);
	if (!r)
		r = nl_open(fd, &nl, err);
	if (r)
		return r;
	ifindex = connect_inside(name, WORLD, fd, world_mac, net->world_addr, err);
	return ifindex < 0 ? ifindex : outside(nl, ifindex, world_mac, net->world_addr, net, err);
}

/* Locally administered; another pod at the same address has another one, as on a real node. */
static void choose_mac(const struct plug *p, uint8_t mac[6])
{
	char v4[ADDR_TEXT_MAX], v6[ADDR_TEXT_MAX];
	_cleanup_(mem_free) char *text =
		mem_printf("%s/%s %s %s", p->ns, p->pod, addr_text(&p->addr[0], v4), addr_text(&p->addr[1], v6));
	uint64_t h = hash_text(text);

	memcpy(mac, &h, 6);
	mac[0] = 0x02;
}

int topology_plug(const char *name, struct plug *p, struct weir_err *err)
{
	_cleanup_(mem_free) char *node = topology_netns_name(name, "node");
	_cleanup_(mem_free) char *where = pod_where(p->ns, p->pod);
	_cleanup_(fd_close) int fd = netns_open(node, err);
	int ifindex;

	if (fd < 0)
		return fd;
	choose_mac(p, p->mac);
	ifindex = connect_inside(name, where, fd, p->mac, p->addr, err);
	if (ifindex < 0)
		return ifindex;
	p->ifindex = ifindex;
	return 0;
}

int topology_open(const char *name, const struct plug *p, const struct sandbox_net *net, struct weir_err *err)
{
	_cleanup_(mem_free) char *node = topology_netns_name(name, "node");
	_cleanup_(fd_close) int fd = netns_open(node, err);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r = fd < 0 ? fd : nl_open(fd, &nl, err);

	return r ? r : outside(nl, p->ifindex, p->mac, p->addr, net, err);
}

static int open_netns_nl(const char *name, const char *where, struct nl **ret_nl, struct weir_err *err)
{
	_cleanup_(mem_free) char *netns = topology_netns_name(name, where);
	_cleanup_(fd_close) int fd = netns_open(netns, err);

	return fd < 0 ? fd : nl_open(fd, ret_nl, err);
}

int topology_wait(const char *name, const char *where, struct weir_err *err)
{
	_cleanup_(mem_free) char *device = device_name(where);
	_cleanup_(nl_close) struct nl *node = NULL, *in = NULL;
	const struct timespec tick = { 0, 1000000 };
	int r = open_netns_nl(name, "node", &node, err);

	if (!r)
		r = open_netns_nl(name, where, &in, err);
	for (int i = 0; !r && !(nl_link_operational(node, device) && nl_link_operational(in, INSIDE)); i++) {
		if (i == WAIT_TRIES)
			return err_set(err, -ETIMEDOUT, "the devices of %s do not come up", where);
		nanosleep(&tick, NULL);
	}
	return r;
}

/* The device goes at once; a namespace alone would take its devices along only some time later. */
static void delete_device(const char *name, const char *where)
{
	_cleanup_(mem_free) char *node = topology_netns_name(name, "node");
	_cleanup_(mem_free) char *device = device_name(where);
	_cleanup_(fd_close) int fd = netns_open(node, NULL);
	_cleanup_(nl_close) struct nl *nl = NULL;
	int ifindex;

	if (fd < 0 || nl_open(fd, &nl, NULL))
		return;
	ifindex = nl_link_index(nl, device, NULL);
	if (ifindex > 0)
		nl_link_delete(nl, ifindex, NULL);
}

int topology_unplug(const char *name, const char *ns, const char *pod, struct weir_err *err)
{
	_cleanup_(mem_free) char *where = pod_where(ns, pod);
	_cleanup_(mem_free) char *netns = topology_netns_name(name, where);

	delete_device(name, where);
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
	_cleanup_(mem_free) char *prefix = topology_prefix(name);
	struct removal r = { 0, err };

	netns_each(prefix, remove_one, &r);
	return r.first_error;
}
