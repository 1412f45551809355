/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Creates, pins, opens and memory-maps the maps of an instance, from the table in
 * include/weir/maps.h. Programs are loaded onto them; no other code creates a shared map.
 */
#pragma once

#include "kernel/map_info.h"

struct node;

/*
 * Opens the pinned maps; creates missing ones (NODE_WRITE), or all of them unpinned (NODE_PRIVATE).
 */
int maps_open(struct node *n, const struct node_setup *setup, struct weir_err *err);
void maps_close(struct node *n);
/* Sets err: nothing is loaded, and what to run. -ENOENT. */
int maps_not_loaded(const struct node *n, struct weir_err *err);
/*
 * Fills maps that were just created. config's layout version is stored last and marks them ready.
 */
int maps_init(struct node *n, const struct node_setup *setup, struct weir_err *err);
