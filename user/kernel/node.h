/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One loaded instance of Weir on a node: its pin folder, its lock, its maps and
 * programs. Folders are /sys/fs/bpf/weir[-NAME] and /run/weir[-NAME]; they are
 * all there is: no daemon needs to live (docs/design.md).
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "compile/plan.h"
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
 * -ENOENT: nothing is loaded (NODE_READ). -EBUSY: another writer holds the lock, waited 10 s; err names its pid.
 * -EPROTO: the pinned maps have another layout version. Other -errno: err says what failed.
 */
int node_open(const char *name, enum node_mode mode, const struct node_sizes *sizes, struct node **ret_node,
	      struct weir_err *err);
void node_close(struct node **n); /* also for _cleanup_() */

int node_map_fd(const struct node *n, enum weir_map map);
uint32_t node_map_max(const struct node *n, enum weir_map map);
/* The memory of an ARRAY map (maps.h), shared with the kernel; read-only pages in NODE_READ mode. */
void *node_array(const struct node *n, enum weir_map map);
struct weir_config *node_config(const struct node *n);
int node_prog_fd(const struct node *n, enum weir_program prog); /* -ENOENT: it is not loaded */
/* Why the sweep of connections that are over is not running, or NULL when it is: some kernels refuse its timer. */
const char *node_no_sweep(const struct node *n);
/* Why connections from before Weir's time cannot be looked up in the host's conntrack, or NULL when they can. */
const char *node_no_host_flows(const struct node *n);
const char *node_run_dir(const struct node *n); /* "/run/weir[-NAME]" */

/* ---- Attachment records (docs/design.md): /run/weir/pods/<ns>_<name>.json, one a pod, whoever writes it ---- */

struct attachment {
	const char *ns, *name, *uid;
	const char *netns; /* path of the pod's network namespace, "" when unknown */
	uint32_t ifindex; /* of the host's end of its veth */
	uint8_t mac[6]; /* of the pod's end */
	struct weir_addr addr[2];
	bool adopted; /* it ran before its record was written: it has connections that Weir did not see begin */
	uint64_t written_ns; /* when the record was written, since 1970; ignored by attachment_write() */
};

struct attachment_list {
	struct arena arena;
	struct attachment *items; /* sorted by ns, name */
	size_t n;
};

int attachment_write(const char *instance, const struct attachment *a, struct weir_err *err); /* by rename */
int attachment_remove(const char *instance, const char *ns, const char *name, struct weir_err *err);
int attachment_list_read(const char *instance, struct attachment_list *ret_list, struct weir_err *err);
void attachment_list_free(struct attachment_list *l);

/* ---- Sync: live tables against a plan ---- */

/* What an apply changed, or would change: elements, by map. */
struct sync_delta {
	uint32_t inserted[_WEIR_MAP_MAX], changed[_WEIR_MAP_MAX], deleted[_WEIR_MAP_MAX];
	uint32_t attached, detached; /* devices */
	uint32_t policy_epoch_raised, service_epoch_raised; /* 0 or 1 */
	/* notes, no writes: recorded pods that the plan lacks (held), pods of the plan without a record (skipped),
	 * records whose device or network namespace is gone (taken as if they were not there) */
	uint32_t gated, unplugged, vanished;
	uint64_t generation; /* after the apply */
};

uint32_t sync_delta_writes(const struct sync_delta *d); /* all of them, added up; 0: nothing to do */

enum sync_flag {
	SYNC_DRY_RUN = 1 << 0, /* only compare */
	SYNC_NO_DEVICES = 1 << 1, /* tables only: attachments are believed, no device is looked at or attached */
	SYNC_MOVED = 1 << 2, /* the network namespace was made anew: the caller's counts from now on */
};

/*
 * Makes the node's tables and attachments say what the plan says, by diff. Refuses a plan that does not fit (old and
 * new together) whole, before anything is written: -ENOSPC, err names object, table, need and size. -EXDEV: attached in
 * another network namespace than the caller's (unless SYNC_NO_DEVICES); nothing was written either. Ordered so
 * that a kill at any step leaves a state that packets may meet and a rerun completes.
 */
int sync_apply(struct node *n, const struct plan *p, const struct attachment_list *attachments, unsigned int flags,
	       struct sync_delta *ret_delta, struct weir_err *err);

/*
 * What the plan of the next apply was made from, as text: written beside it, as <run>/objects-<generation>, for root
 * only. text stays the caller's until then. NULL, or where it cannot be written: there is no such file afterwards.
 */
void node_keep_origin(struct node *n, const char *text, size_t len);

/* Called before each step of sync_apply with the step's name, when set: fault tests kill there, write counts hook there. */
extern void (*sync_step_hook)(const char *step);

/* ---- Hooks on devices ---- */

enum attach_kind {
	ATTACH_AUTO, /* tcx where the kernel has it, else clsact */
	ATTACH_TCX,
	ATTACH_CLSACT,
};

/* Process-wide choice for tests and `load --attach`; default ATTACH_AUTO. */
extern enum attach_kind attach_preference;

int attach_device(struct node *n, uint32_t ifindex, struct weir_err *err); /* idempotent: replaces in place */
int attach_detach(struct node *n, uint32_t ifindex, struct weir_err *err); /* no error when it was not attached */
/* The programs that are not on the device, by either way, as they are loaded now. Returns how many. */
size_t attach_missing(const struct node *n, uint32_t ifindex, const char *ret_progs[_WEIR_PROGRAM_MAX]);
/* Calls fn for each program or filter of others that runs before ours: prog is ours, what names the other. */
void attach_each_before(const struct node *n, uint32_t ifindex,
			void (*fn)(const char *prog, const char *what, void *arg), void *arg);
/*
 * The caller moves to the network namespace whose devices the instance is attached to; *ret_back is for netns_leave(),
 * -1 where it was there already. -EXDEV: that namespace cannot be found.
 */
int node_enter_home(const struct node *n, int *ret_back, struct weir_err *err);
/* Removes all hooks, pins and the run folder of an instance. */
int node_remove(const char *name, struct weir_err *err);
