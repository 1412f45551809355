/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The next place: a second pin folder, where a rebuild makes another set of maps and programs while
 * the loaded set stays in force. Both folders are exchanged in one step, so a kill leaves the old
 * set or the new one as the loaded set. The other folder is removed by the next writer. All calls
 * are for the holder of the writers' lock.
 */
#pragma once

#include "base/diag.h"
#include "kernel/map_info.h"

struct node;
struct weir_pod;

/* Begins the pins of links to a cgroup; those to devices begin with an ifindex. */
#define NEXT_CGROUP_LINK "cgroup-"

/*
 * Removes the next place, after its links were pinned in the loaded one, whose folders exist, and
 * its devices noted in the loaded map: no device loses its programs, and each is detached once it
 * has no record.
 */
int next_settle(const struct node *n, struct weir_err *err);
/*
 * Makes an empty next place with the loaded links and attach namespace, and moves n there:
 * node_pin_dir() is the next place from now on.
 */
int next_begin(struct node *n, struct weir_err *err);
/* Exchanges the folders and moves n back; next_settle() then removes the set before. */
int next_commit(struct node *n, struct weir_err *err);
/* Gives up: n moves back, what was made in the next place is removed. */
void next_drop(struct node *n);
/* See node_loaded_pods(); n is in the next place. */
int next_loaded_pods(const struct node *n, struct weir_pod **ret_pods, uint32_t *ret_n,
		     struct weir_err *err);
/* The folder of the next place that belongs to a pin folder. */
void next_dir(const char *pin_dir, char ret_dir[]);
/*
 * Fills what setup does not request from the loaded set: the sizes of a knob if the loaded maps
 * have all of them, hairpin addresses if the layout has them at the same offset.
 */
void next_keep_setup(const struct node *n, struct node_setup *setup);
