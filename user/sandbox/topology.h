/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The wiring: a node namespace that routes, a world beside it, and the pods, in one of three ways
 * (enum sandbox_topology).
 *
 *   pod eth0 -- veth -- node (forwards; gateway 169.254.1.1, fe80::1) -- veth -- eth0 world
 *   pod eth0 -- veth -- bridge of the node (has the gateway's addresses; hairpin mode off), else
 *   the same
 */
#pragma once

#include <stdint.h>

#include "sandbox/sandbox.h"

/*
 * Names of the instance's namespaces: "weir-<name>_node", "weir-<name>_world",
 * "weir-<name>_<ns>_<pod>".
 */
char *topology_prefix(const char *name); /* "weir-<name>_" */
char *topology_netns_name(const char *name,
			  const char *where); /* where: "ns/pod", "node", "world" */

/* Makes node and world with the link between them, if they are not there. 0 or -errno. */
int topology_base(const char *name, const struct sandbox_net *net, struct weir_err *err);
/* Further addresses that came with a new plan. */
int topology_node_addrs(const char *name, const struct sandbox_net *net, struct weir_err *err);

/*
 * A pod's namespace and veth. The host's end stays down and has no routes: nothing passes before
 * topology_open().
 */
struct plug {
	const char *ns, *pod;
	struct weir_addr addr[2]; /* zero: none */
	uint32_t ifindex; /* out: of the host's end */
	uint8_t mac[6]; /* out: of the pod's end */
};

int topology_plug(const char *name, struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err);
/*
 * Brings the host's end up, on its bridge if there is one, and routes the addresses to it.
 * Repeatable.
 */
int topology_open(const char *name, const struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err);
/* Waits until both ends pass packets; where: "ns/pod" or "world". Bounded; 0 or -ETIMEDOUT. */
int topology_wait(const char *name, const char *where, const struct sandbox_net *net,
		  struct weir_err *err);
int topology_unplug(const char *name, const char *ns, const char *pod, struct weir_err *err);
/* All namespaces of the instance, and with them every device. */
int topology_remove(const char *name, struct weir_err *err);
