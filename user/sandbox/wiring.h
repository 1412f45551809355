/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Addresses, neighbours and routes of both ends of a sandbox's link, by topology. topology.c
 * creates namespaces and veths.
 */
#pragma once

#include "sandbox/netlink.h"
#include "sandbox/sandbox.h"

/* What differs between topologies. */
struct wiring {
	bool known_neighbours; /* static neighbour entries; else ARP and neighbour discovery */
	bool own_subnet; /* the pod's address has a subnet's prefix (/24, /64); else /32, /128 */
	bool on_link; /* the rest of the subnet is on the pod's link; else behind the gateway */
	bool bridged; /* the host's end is a port of the node's bridge */
};

const struct wiring *wiring_of(enum sandbox_topology topology);

extern const uint8_t wiring_node_mac[6]; /* of every host's end, or of the bridge */
extern const uint8_t wiring_world_mac[6]; /* of the world's end of each link */

/* Pods' gateway address. */
struct weir_addr wiring_gateway(int family);

/* Configures device `inside` in the namespace of the pod or the world. addr zero: none. */
int wiring_inside(int netns_fd, const struct wiring *w, const char *inside,
		  const struct weir_addr addr[2], struct weir_err *err);

/* The node's end of a link. */
struct wire {
	int netns_fd; /* of the node */
	const char *device;
	const uint8_t *mac; /* of the other end */
	const struct weir_addr *addr; /* two, by family; zero: none */
	const struct weir_addr *source; /* likewise: the node's, for its own sockets */
};

/* Makes the device a port of the node's bridge. */
int wiring_join(struct nl *nl, int ifindex, struct weir_err *err);
int wiring_outside(struct nl *nl, const struct wiring *w, const struct wire *wire,
		   struct weir_err *err);

/* The node's end passes packets; see nl_link_operational(). */
bool wiring_operational(struct nl *nl, const struct wiring *w, const char *device);

/* Creates the node's bridge, unless it exists. netns_fd: of the node. */
int wiring_bridge(struct nl *nl, int netns_fd, struct weir_err *err);
/*
 * The node's bridge answers for a pod of another node, whose address is in the subnet that pods
 * take for their own link; or, off, no longer.
 */
int wiring_bridge_proxy(struct nl *nl, const struct weir_addr *addr, bool on, struct weir_err *err);
