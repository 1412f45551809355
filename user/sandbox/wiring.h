/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The two ends of one link of a sandbox: addresses, neighbours and routes, by topology. Makes no
 * namespace and no veth; topology.c does.
 */
#pragma once

#include "sandbox/netlink.h"
#include "sandbox/sandbox.h"

/* What differs between topologies. */
struct wiring {
	bool known_neighbours; /* node and pod have each other's MAC from the start; else they ask
				*/
	bool own_subnet; /* the pod's address has the prefix of a subnet: /24, /64; else it is
			    alone: /32, /128 */
	bool on_link; /* the others of the subnet are on the pod's link; else behind the gateway too
		       */
	bool bridged; /* the host's end is a port of the node's bridge */
};

const struct wiring *wiring_of(enum sandbox_topology topology);

extern const uint8_t wiring_node_mac[6]; /* of every host end, or of the bridge */

/* The address that pods see as their gateway. */
struct weir_addr wiring_gateway(int family);

/* Device `inside` in the pod's, or the world's, namespace. */
int wiring_inside(int netns_fd, const struct wiring *w, const char *inside,
		  const struct weir_addr addr[2], struct weir_err *err);

/* The node's end of it. */
struct wire {
	int netns_fd; /* of the node */
	const char *device;
	const uint8_t *mac; /* of the other end */
	const struct weir_addr *addr; /* two of them, by family; zero: none */
};

int wiring_outside(struct nl *nl, const struct wiring *w, const struct wire *wire,
		   const struct sandbox_net *net, struct weir_err *err);

/* Does the node's end pass packets? See nl_link_operational(). */
bool wiring_operational(struct nl *nl, const struct wiring *w, const char *device);

/* The node's bridge, if it is not there. */
int wiring_bridge(struct nl *nl, struct weir_err *err);
