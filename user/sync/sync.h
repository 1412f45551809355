/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Sync: live tables against a plan. */
#pragma once

#include "compile/plan.h"
#include "kernel/node.h"
#include "kernel/records.h"

/* What an apply changed, or would change: elements, by map. */
struct sync_delta {
	uint32_t inserted[_WEIR_MAP_MAX], changed[_WEIR_MAP_MAX], deleted[_WEIR_MAP_MAX];
	uint32_t attached, detached; /* devices */
	uint32_t policy_epoch_raised, service_epoch_raised; /* 0 or 1 */
	/* notes, no writes: recorded pods that the plan lacks (held), pods of the plan without a
	 * record (skipped), records whose device or network namespace is gone (taken as if they
	 * were not there) */
	uint32_t gated, unplugged, vanished;
	uint64_t generation; /* after the apply */
};

uint32_t
sync_delta_writes(const struct sync_delta *d); /* all of them, added up; 0: nothing to do */

enum sync_flag {
	SYNC_DRY_RUN = 1 << 0, /* only compare */
	SYNC_NO_DEVICES = 1 << 1, /* tables only: attachments are believed, no device is looked at
				     or attached */
	SYNC_MOVED =
		1 << 2, /* the network namespace was made anew: the caller's counts from now on */
};

/*
 * Makes the node's tables and attachments say what the plan says, by diff. Refuses a plan that does
 * not fit (old and new together) whole, before anything is written: -ENOSPC, err names object,
 * table, need and size. -EXDEV: attached in another network namespace than the caller's (unless
 * SYNC_NO_DEVICES); nothing was written either. Ordered so that a kill at any step leaves a state
 * that packets may meet and a rerun completes.
 */
int sync_apply(struct node *n, const struct plan *p, const struct attachment_list *attachments,
	       unsigned int flags, struct sync_delta *ret_delta, struct weir_err *err);

/*
 * Called before each step of sync_apply with the step's name, when set: fault tests kill there,
 * write counts hook there.
 */
extern void (*sync_step_hook)(const char *step);
