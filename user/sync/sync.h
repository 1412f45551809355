/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Makes the live tables equal to a plan, by diff. */
#pragma once

#include "compile/plan.h"
#include "kernel/node.h"
#include "kernel/records.h"

/* What an apply changed, or would change: elements, by map. */
struct sync_delta {
	uint32_t inserted[_WEIR_MAP_MAX], changed[_WEIR_MAP_MAX], deleted[_WEIR_MAP_MAX];
	uint32_t attached, detached; /* devices */
	uint32_t policy_epoch_raised, service_epoch_raised; /* 0 or 1 */
	/*
	 * Not writes: recorded pods that the plan lacks (held), pods of the plan without a record
	 * (skipped), records whose device or network namespace is gone (ignored).
	 */
	uint32_t gated, unplugged, vanished;
	uint64_t generation; /* after the apply */
	/* The apply failed since old and new entries do not fit together: -ENOSPC is also of files.
	 */
	bool no_room;
	enum weir_map full; /* no_room: the table; _WEIR_MAP_MAX: ids */
};

/* The number of changes. */
uint32_t sync_delta_writes(const struct sync_delta *d);

enum sync_flag {
	SYNC_DRY_RUN = 1 << 0, /* only compare */
	SYNC_REBUILD = 1 << 3, /* of sync_apply_fitting(): rebuild_apply() */
	/* tables only: records are not checked against devices, no program is attached */
	SYNC_NO_DEVICES = 1 << 1,
	/* the network namespace was created anew: the caller's becomes the attach namespace */
	SYNC_MOVED = 1 << 2,
};

/*
 * Makes the node's tables and hooks match the plan, by diff. -ENOSPC with ret_delta->no_room, which
 * is set on errors too: old and new together do not fit; err names object, table, need and size.
 * -ENOSPC without it: a file could not be written. -EXDEV: the attach namespace is not the caller's
 * (checked unless SYNC_NO_DEVICES or SYNC_MOVED). Nothing was written in either case. A kill at any
 * step leaves tables that are valid for packets; a rerun completes them.
 */
int sync_apply(struct node *n, const struct plan *p, const struct attachment_list *attachments,
	       unsigned int flags, struct sync_delta *ret_delta, struct weir_err *err);

/* Called before each step of an apply if set, with the step's name. For tests. */
extern void (*sync_step_hook)(const char *step);
