/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One loaded instance of Weir on a node: its pin folder, lock, maps and programs. All its state is
 * in /sys/fs/bpf/weir[-NAME] and /run/weir[-NAME]; no process needs to run (docs/design.md).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "kernel/map_info.h"
#include "kernel/objects.h"

struct node;

enum node_mode {
	NODE_READ, /* maps must exist; no lock */
	NODE_WRITE, /* takes the lock; creates missing folders, maps and programs */
	NODE_PRIVATE, /* nothing is pinned or locked: test runs and tests */
};

/*
 * name: NULL or "" for the default instance. setup may be NULL.
 * -ENOENT: nothing is loaded (NODE_READ).
 * -EACCES, -EPERM: not permitted; whether anything is loaded is unknown.
 * -EBUSY: another writer held the lock for lock_wait_ms (10 s); err names its pid.
 * -EPROTO: the pinned maps have another layout version, or one of them is missing. Other -errno:
 * err says what failed.
 */
int node_open(const char *name, enum node_mode mode, const struct node_setup *setup,
	      struct node **ret_node, struct weir_err *err);
/* Only the paths of its folders, which need not exist: opens, creates and locks nothing. */
int node_open_bare(const char *name, struct node **ret_node, struct weir_err *err);
/* The same for the next place, where a rebuild makes another set (next.h). */
int node_open_bare_next(const char *name, struct node **ret_node, struct weir_err *err);
/* -EXDEV: the instance is loaded, but in a BPF file system that the caller does not see. */
int node_check_place(const struct node *n, struct weir_err *err);
void node_close(struct node **n); /* also for _cleanup_() */

/*
 * Another set of maps and programs for an instance, of any layout, in another place (next.h). What
 * setup does not request is as in the loaded set, and is filled in. Takes the lock as NODE_WRITE.
 * Then: apply, node_commit_next(), node_settle_next(); or node_drop_next(). A kill before the
 * commit leaves the old set as the loaded one, a kill after it the new set; the next writer removes
 * the other one.
 */
int node_open_next(const char *name, struct node_setup *setup, struct node **ret_node,
		   struct weir_err *err);
int node_commit_next(struct node *n, struct weir_err *err); /* n is then the loaded set */
int node_settle_next(struct node *n, struct weir_err *err); /* removes the set before */
void node_drop_next(struct node *n); /* gives up; nothing if it was committed */
/* Where the loaded set is: not node_pin_dir() between node_open_next() and node_commit_next(). */
const char *node_loaded_dir(const struct node *n);
/*
 * A copy of the loaded set's pods[], also while n is the next set; *ret_pods is for mem_free(), and
 * has no elements if nothing is loaded. -EPROTO: the loaded set has another layout. err says why.
 */
int node_loaded_pods(const struct node *n, struct weir_pod **ret_pods, uint32_t *ret_n,
		     struct weir_err *err);
/* False once a rebuild or `uninstall` replaced what n has open. */
bool node_is_loaded(const struct node *n);

int node_map_fd(const struct node *n, enum weir_map map);
uint32_t node_map_max(const struct node *n, enum weir_map map);
/* The memory of an ARRAY map (maps.h), shared with the kernel; read-only in NODE_READ mode. */
void *node_array(const struct node *n, enum weir_map map);
struct weir_config *node_config(const struct node *n);
int node_prog_fd(const struct node *n, enum weir_program prog); /* -ENOENT: not loaded */
/* Why gc does not run (some kernels refuse its timer), or NULL if it runs. */
const char *node_no_gc(const struct node *n);
/* Why flows from before Weir cannot be looked up in the host's conntrack, or NULL if they can. */
const char *node_no_host_flows(const struct node *n);
/* Why the node's own processes cannot be served, or NULL if they can. */
const char *node_no_sockets(const struct node *n);
/* Why connected UDP sockets of removed backends cannot be found, or NULL if they can. */
const char *node_no_stale(const struct node *n);
const char *node_run_dir(const struct node *n); /* "/run/weir[-NAME]" */
const char *node_pin_dir(const struct node *n); /* "/sys/fs/bpf/weir[-NAME]" */
bool node_is_private(const struct node *n);

/*
 * The source text of the next apply's plan: written as <run>/objects-<generation>, readable by root
 * only. text is borrowed until then. If it is NULL or cannot be written, there is no such file.
 */
void node_keep_origin(struct node *n, const char *text);
const char *node_origin(const struct node *n);
