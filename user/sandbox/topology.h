/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Namespaces of a sandbox: a node that routes, a world outside of it, and the pods, wired by enum
 * sandbox_topology.
 *
 *   pod eth0 -- veth -- node (forwards; gateway 169.254.1.1, fe80::1) -- veth -- eth0 world
 *   pod eth0 -- veth -- bridge of the node (has the gateway's addresses; hairpin mode off) -- …
 */
#pragma once

#include <stdint.h>

#include "sandbox/sandbox.h"

/*
 * Names of the instance's namespaces: "weir-<name>_node", "weir-<name>_world",
 * "weir-<name>_<ns>_<pod>".
 */
char *topology_prefix(const char *name); /* "weir-<name>_" */
/* where: "ns/pod", "node", "world" */
char *topology_netns_name(const char *name, const char *where);

/* Creates node and world and their link, unless they exist. 0 or -errno. */
int topology_base(const char *name, const struct sandbox_net *net, struct weir_err *err);
/* Adds the node's addresses in net to an existing node namespace. */
int topology_node_addrs(const char *name, const struct sandbox_net *net, struct weir_err *err);

struct plug {
	const char *ns, *pod;
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
/* Brings the host's end up, on its bridge if any, and routes the addresses to it. Repeatable. */
int topology_open(const char *name, const struct plug *p, const struct sandbox_net *net,
		  struct weir_err *err);
/* Waits until both ends pass packets; where: "ns/pod" or "world". Bounded; 0 or -ETIMEDOUT. */
int topology_wait(const char *name, const char *where, const struct sandbox_net *net,
		  struct weir_err *err);
int topology_unplug(const char *name, const char *ns, const char *pod, struct weir_err *err);
/* Removes all namespaces of the sandbox, and with them every device. */
int topology_remove(const char *name, struct weir_err *err);
