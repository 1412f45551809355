/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Compiles for the sizes of a node's tables, and applies. Policies that do not fit give way
 * (compile/fit.h), so that no policy keeps a plan from being applied.
 */
#pragma once

#include "sync/sync.h"

/*
 * As sync_apply(), with the plan of in, whose sizes are not read. If old and new entries do not fit
 * together, the largest policies are closed first, which frees theirs, and opened by a second
 * apply; if that has no room, more are closed, down to 1/16 of each table. If there never is room,
 * these policies stay closed, with the table's true size in the errors. A dry run reports -ENOSPC.
 * *ret_plan is what the tables have, or what was refused; the caller frees it.
 */
int sync_apply_fitting(struct node *n, const struct plan_input *in,
		       const struct attachment_list *attachments, unsigned int flags,
		       struct plan **ret_plan, struct sync_delta *ret_delta, struct weir_err *err);
