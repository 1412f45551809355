/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cgroup of a sandbox: what runs in its namespaces is there, pods' processes too, as all
 * processes of a node are below one root; all nodes' programs are attached to it, and each serves
 * its own namespace. The machine's own processes are never in it.
 */
#pragma once

#include "kernel/node.h"

/* Makes it, unless it exists; 0 also where no cgroup2 is mounted: then there is none. */
int node_cgroup_make(const char *name, struct weir_err *err);
/* Attaches the instance's programs to it. Where that is impossible, its processes are not served.
 */
int node_cgroup_attach(const char *name, struct node *n, struct weir_err *err);
/* Moves the calling process into it, if there is one. */
int node_cgroup_join(const char *name, struct weir_err *err);
/* Moves what is still in it to the root, and removes it; 0 also if there is none. */
int node_cgroup_remove(const char *name, struct weir_err *err);
