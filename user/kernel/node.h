/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One loaded instance of Weir on a node: its pin folder, its lock, its maps and programs. Folders
 * are /sys/fs/bpf/weir[-NAME] and /run/weir[-NAME]; they are all there is: no daemon needs to live
 * (docs/design.md).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "kernel/map_info.h"
#include "kernel/objects.h"

struct node;

enum node_mode {
	NODE_READ, /* maps must exist; no lock; for get and status */
	NODE_WRITE, /* takes the lock; makes folders, maps and programs that are missing */
	NODE_PRIVATE, /* nothing is pinned or locked: for report --engine bpf and prog tests */
};

/*
 * name: NULL or "" for the default instance. sizes may be NULL.
 * -ENOENT: nothing is loaded (NODE_READ). -EACCES, -EPERM: not permitted; something may be loaded
 * all the same.
 * -EBUSY: another writer holds the lock, waited 10 s; err names its pid.
 * -EPROTO: the pinned maps have another layout version. Other -errno: err says what failed.
 */
int node_open(const char *name, enum node_mode mode, const struct node_sizes *sizes,
	      struct node **ret_node, struct weir_err *err);
/* Its folders only, whether they are there or not: nothing is opened, made or locked. */
int node_open_bare(const char *name, struct node **ret_node, struct weir_err *err);
void node_close(struct node **n); /* also for _cleanup_() */

int node_map_fd(const struct node *n, enum weir_map map);
uint32_t node_map_max(const struct node *n, enum weir_map map);
/*
 * The memory of an ARRAY map (maps.h), shared with the kernel; read-only pages in NODE_READ mode.
 */
void *node_array(const struct node *n, enum weir_map map);
struct weir_config *node_config(const struct node *n);
int node_prog_fd(const struct node *n, enum weir_program prog); /* -ENOENT: it is not loaded */
/*
 * Why gc of connections that are over is not running, or NULL when it is: some kernels refuse its
 * timer.
 */
const char *node_no_gc(const struct node *n);
/*
 * Why connections from before Weir's time cannot be looked up in the host's conntrack, or NULL when
 * they can.
 */
const char *node_no_host_flows(const struct node *n);
const char *node_run_dir(const struct node *n); /* "/run/weir[-NAME]" */
const char *node_pin_dir(const struct node *n); /* "/sys/fs/bpf/weir[-NAME]" */
bool node_is_private(const struct node *n);

/*
 * What the plan of the next apply was made from, as text: written beside it, as
 * <run>/objects-<generation>, for root only. text stays the caller's until then. NULL, or where it
 * cannot be written: there is no such file afterwards.
 */
void node_keep_origin(struct node *n, const char *text);
const char *node_origin(const struct node *n);
