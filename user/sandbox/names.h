/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Names of a sandbox's namespaces and devices: "weir-<name>_node", "weir-<name>_node.<node>" for
 * further nodes, "weir-<name>_world", "weir-<name>_<ns>_<pod>". The caller owns the texts.
 */
#pragma once

#include <stdint.h>

#include "sandbox/sandbox.h"

#define NAMES_WORLD "world" /* where; also the device to it in each node */
#define NAMES_INSIDE "eth0" /* the device in a pod, and the first one in the world */

char *names_prefix(const char *name); /* "weir-<name>_" */
char *names_node_netns(const char *name, const struct sandbox_net *net, size_t node);
/* By the node's name, which is not the first one's. */
char *names_further_node(const char *name, const char *node);
/* where: as of sandbox_netns(). A further node is found by its namespace. */
char *names_netns(const char *name, const char *where);
uint64_t names_hash(const char *text);
/* The host's end of a veth: a hash, since device names are short; a collision gives -EEXIST. */
char *names_device(const char *where);
/* The device in the world that leads to a node. */
char *names_world_device(const struct sandbox_net *net, size_t node);
