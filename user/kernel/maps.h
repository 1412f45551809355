/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maps of an instance, made, pinned, opened and mapped into memory from the one table in
 * include/weir/maps.h. Programs take them as they are; nothing else in the tree creates a shared
 * map.
 */
#pragma once

#include "kernel/map_info.h"

struct node;

/*
 * Opens the pinned maps, makes and pins what is missing (NODE_WRITE), or makes all unpinned
 * (NODE_PRIVATE).
 */
int maps_open(struct node *n, const struct node_sizes *sizes, struct weir_err *err);
void maps_close(struct node *n);
/*
 * First contents of maps that were just made; config's layout version comes last and says that it
 * is done.
 */
int maps_init(struct node *n, struct weir_err *err);
