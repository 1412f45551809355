/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Creates, pins, opens and memory-maps the maps of an instance, from the table in
 * include/weir/maps.h. Programs are loaded onto them; no other code creates a shared map.
 */
#pragma once

#include <stdbool.h>

#include "kernel/map_info.h"
#include <weir/config.h>

struct node;

/*
 * Sets n->ready: was a load of this instance completed, and is it not being removed? Refuses an
 * instance of another layout before any of its maps is opened, made or removed: maps may have other
 * names and sizes there.
 */
int maps_find(struct node *n, struct weir_err *err);
/*
 * The element of a pinned config of any layout: only the members whose offsets never change are
 * meaningful if the layout is another one. -errno: there is none.
 */
int maps_config(const struct node *n, const char *pin_dir, struct weir_config *ret_config);
/* Is the pinned config the map that n has open? Not after a rebuild, nor after an `uninstall`. */
bool maps_are_pinned(const struct node *n);
/* Removes the pinned maps. */
int maps_discard(const struct node *n, struct weir_err *err);
/*
 * Opens the pinned maps of an instance that is ready. Of another one, creates all of them: pinned
 * (NODE_WRITE, after maps_discard()) or not (NODE_PRIVATE).
 */
int maps_open(struct node *n, const struct node_setup *setup, struct weir_err *err);
void maps_close(struct node *n);
/* Sets err: nothing is loaded, and what to run. -ENOENT. */
int maps_not_loaded(const struct node *n, struct weir_err *err);
/*
 * Fills maps that were just created. config's layout version is stored last and marks them ready.
 */
int maps_init(struct node *n, const struct node_setup *setup, struct weir_err *err);
