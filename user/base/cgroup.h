/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Control groups of version 2: where they are mounted, and which one a process is in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

/*
 * The folder where this process sees the root of the cgroup2 hierarchy; in a cgroup namespace that
 * is the namespace's root. For mem_free(). NULL: none is mounted.
 */
char *cgroup_root(void);
/* The kernel's id of the cgroup that is this folder. -EINVAL: it is none of version 2. */
int cgroup_id(const char *dir, uint64_t *ret_id, struct weir_err *err);
/* Is it the id of the node's root, which all processes are below? */
bool cgroup_is_root(uint64_t id);
/* Moves the calling process, with all threads, into the cgroup. */
int cgroup_join(const char *dir, struct weir_err *err);
