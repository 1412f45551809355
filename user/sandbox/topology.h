/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Namespaces of a sandbox: nodes that route, a world outside of them, and the pods, wired by enum
 * sandbox_topology. Packets between nodes pass the world, which routes them.
 *
 *   pod eth0 -- veth -- node (forwards; gateway 169.254.1.1, fe80::1) -- veth -- eth0 world
 *   pod eth0 -- veth -- bridge of the node (has the gateway's addresses; hairpin mode off) -- …
 *                       further node                                 -- veth -- its device in world
 */
#pragma once

#include <stdint.h>

#include "sandbox/sandbox.h"

/* Creates a node, with the first one the world, and the link between them, unless they exist. */
int topology_node(const char *name, const struct sandbox_net *net, size_t node,
		  struct weir_err *err);
/* Routes to a node from all others. All nodes exist. Repeatable. */
int topology_route_node(const char *name, const struct sandbox_net *net, size_t node,
			struct weir_err *err);
/* Removes a further node's namespace and its link. */
int topology_remove_node(const char *name, const char *node, struct weir_err *err);

struct plug {
	const char *ns, *pod;
	size_t node; /* index in sandbox_net.nodes */
	struct weir_addr addr[2]; /* zero: none */
	uint32_t ifindex; /* out: of the host's end */
	uint8_t mac[6]; /* out: of the pod's end */
};

/*
 * Creates a pod's namespace and veth. The host's end stays down and has no routes: nothing passes
 * before topology_open().
 */
int topology_plug(const char *name, struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err);
/*
 * Brings the host's end up, on its bridge if any, and routes the addresses to it, from other nodes
 * through the world. Repeatable.
 */
int topology_open(const char *name, const struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err);
/* Wait until both ends of links pass packets. Bounded; 0 or -ETIMEDOUT. */
int topology_wait_pod(const char *name, const struct plug *p, const struct sandbox_net *net,
		      struct weir_err *err);
int topology_wait_world(const char *name, const struct sandbox_net *net, struct weir_err *err);
/* The pod's device goes with its namespace. */
int topology_unplug(const char *name, const char *ns, const char *pod, struct weir_err *err);
/* Removes all namespaces of the sandbox, and with them every device. */
int topology_remove(const char *name, struct weir_err *err);
