// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See wiring.h. Every step is repeatable. */
#include <string.h>

#include "base/mem.h"
#include "sandbox/netns.h"
#include "sandbox/wiring.h"

#define BRIDGE "cni0" /* default name of the bridge plugin */

const char *const sandbox_topologies[] = { "routed", "ptp", "bridge", NULL };

static const struct wiring wirings[] = {
	[SANDBOX_ROUTED] = { .known_neighbours = true },
	[SANDBOX_PTP] = { .own_subnet = true },
	[SANDBOX_BRIDGE] = { .known_neighbours = true,
			     .own_subnet = true,
			     .on_link = true,
			     .bridged = true },
};

const uint8_t wiring_node_mac[6] = { 0x02, 0, 0, 0, 0, 0xfe };
const uint8_t wiring_world_mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };

const struct wiring *wiring_of(enum sandbox_topology topology)
{
	return &wirings[topology];
}

struct weir_addr wiring_gateway(int family)
{
	struct weir_addr a;

	addr_parse(family ? "fe80::1" : "169.254.1.1", &a);
	return a;
}

static struct cidr host_cidr(const struct weir_addr *a)
{
	return (struct cidr){ .addr = *a, .len = 128 };
}

static struct cidr pod_cidr(const struct wiring *w, const struct weir_addr *a)
{
	struct cidr c = host_cidr(a);

	if (w->own_subnet)
		c.len = weir_addr_is_v4(a) ? WEIR_V4_PREFIX_BITS + 24 : 64;
	return c;
}

static struct cidr default_cidr(int family)
{
	struct cidr c = { .len = family ? 0 : WEIR_V4_PREFIX_BITS };

	if (!family)
		c.addr = weir_addr_from_v4(0);
	return c;
}

/*
 * The kernel joins the multicast group of a new address up to a second late, so solicitations may
 * be lost: repeat them soon.
 */
static int fast_solicit(int netns_fd, const char *device, struct weir_err *err)
{
	static const char *const settings[][2] = { { "retrans_time_ms", "50" },
						   { "mcast_solicit", "20" } };
	_cleanup_(netns_leave) int back = -1;
	int r = netns_enter(netns_fd, &back, err);

	for (int f = 0; f < 2; f++)
		for (size_t i = 0; i < ARRAY_SIZE(settings) && !r; i++) {
			_cleanup_(mem_free) char *key =
				mem_printf("ipv%d/neigh/%s/%s", f ? 6 : 4, device, settings[i][0]);

			r = netns_sysctl(key, settings[i][1], err);
		}
	return r;
}

static int inside_family(struct nl *nl, const struct wiring *w, int ifindex,
			 const struct weir_addr *addr, struct weir_err *err)
{
	struct cidr own = pod_cidr(w, addr);
	struct weir_addr gateway = wiring_gateway(addr_family(addr));
	struct nl_route route = { default_cidr(addr_family(addr)), &gateway, NULL, ifindex };
	int r = nl_addr_add(nl, ifindex, &own, w->on_link ? 0 : NL_ADDR_NO_ROUTE, err);

	if (!r && w->known_neighbours)
		r = nl_neighbour_add(nl, ifindex, &gateway, wiring_node_mac, err);
	return r ? r : nl_route_add(nl, &route, err);
}

int wiring_inside(int netns_fd, const struct wiring *w, const char *inside,
		  const struct weir_addr addr[2], struct weir_err *err)
{
	_cleanup_(nl_close) struct nl *nl = NULL;
	int ifindex, r = nl_open(netns_fd, &nl, err);

	if (r)
		return r;
	ifindex = nl_link_index(nl, inside, err);
	if (ifindex < 0)
		return ifindex;
	r = fast_solicit(netns_fd, inside, err);
	if (!r)
		r = nl_link_up(nl, ifindex, err);
	for (int f = 0; f < 2 && !r; f++)
		if (!weir_addr_is_zero(&addr[f]))
			r = inside_family(nl, w, ifindex, &addr[f], err);
	return r;
}

/* IPv6 only: the gateway's address is needed on each link. IPv4's is on the loopback, once. */
static int add_gateway(struct nl *nl, int ifindex, struct weir_err *err)
{
	struct cidr gateway = { .addr = wiring_gateway(1), .len = 64 };

	return nl_addr_add(nl, ifindex, &gateway, NL_ADDR_LINK_SCOPE, err);
}

/* Without the delay that lets the host itself answer first. */
static int allow_proxy(int netns_fd, struct weir_err *err)
{
	static const char *const settings[][2] = {
		{ "ipv6/conf/" BRIDGE "/proxy_ndp", "1" },
		{ "ipv6/neigh/" BRIDGE "/proxy_delay", "0" },
		{ "ipv4/neigh/" BRIDGE "/proxy_delay", "0" },
	};
	_cleanup_(netns_leave) int back = -1;
	int r = netns_enter(netns_fd, &back, err);

	for (size_t i = 0; i < ARRAY_SIZE(settings) && !r; i++)
		r = netns_sysctl(settings[i][0], settings[i][1], err);
	return r;
}

int wiring_bridge_proxy(struct nl *nl, const struct weir_addr *addr, bool on, struct weir_err *err)
{
	int ifindex = nl_link_index(nl, BRIDGE, err);

	return ifindex < 0 ? ifindex : nl_proxy_set(nl, ifindex, addr, on, err);
}

int wiring_bridge(struct nl *nl, int netns_fd, struct weir_err *err)
{
	int ifindex = nl_link_index(nl, BRIDGE, NULL), r = 0;

	if (ifindex < 0) {
		r = nl_bridge_add(nl, BRIDGE, wiring_node_mac, err);
		if (!r)
			ifindex = nl_link_index(nl, BRIDGE, err);
	}
	if (ifindex < 0)
		return ifindex;
	if (!r)
		r = nl_link_up(nl, ifindex, err);
	if (!r)
		r = allow_proxy(netns_fd, err);
	return r ? r : add_gateway(nl, ifindex, err);
}

bool wiring_operational(struct nl *nl, const struct wiring *w, const char *device)
{
	return nl_link_operational(nl, device) && (!w->bridged || nl_link_operational(nl, BRIDGE));
}

int wiring_join(struct nl *nl, int ifindex, struct weir_err *err)
{
	int bridge = nl_link_index(nl, BRIDGE, err);

	return bridge < 0 ? bridge : nl_link_master(nl, ifindex, bridge, err);
}

/* Starts the bridge port; ifindex becomes the bridge's, for routes. */
static int open_port(struct nl *nl, int *ifindex, struct weir_err *err)
{
	int r = nl_link_up(nl, *ifindex, err);

	*ifindex = nl_link_index(nl, BRIDGE, err);
	return r ? r : (*ifindex < 0 ? *ifindex : 0);
}

/* Routes have a source, so that the node's own sockets use its address on every device. */
int wiring_outside(struct nl *nl, const struct wiring *w, const struct wire *wire,
		   struct weir_err *err)
{
	int ifindex = nl_link_index(nl, wire->device, err), r;

	if (ifindex < 0)
		return ifindex;
	r = fast_solicit(wire->netns_fd, wire->device, err);
	if (!r)
		r = w->bridged ? open_port(nl, &ifindex, err) : nl_link_up(nl, ifindex, err);
	if (!r && !w->bridged)
		r = add_gateway(nl, ifindex, err);
	for (int f = 0; f < 2 && !r; f++) {
		struct nl_route route = { host_cidr(&wire->addr[f]), NULL, &wire->source[f],
					  ifindex };

		if (weir_addr_is_zero(&wire->addr[f]))
			continue;
		if (w->known_neighbours)
			r = nl_neighbour_add(nl, ifindex, &wire->addr[f], wire->mac, err);
		if (!r)
			r = nl_route_add(nl, &route, err);
	}
	return r;
}
