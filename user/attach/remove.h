/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Removing an instance from the node. */
#pragma once

#include "base/diag.h"

/* Removes the hooks, pins and run folder of an instance. -EBUSY as node_open(). */
int node_remove(const char *name, struct weir_err *err);

/* Called before each file or folder is removed if set, with its path. For tests. */
extern void (*node_remove_hook)(const char *path);
