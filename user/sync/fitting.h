/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Compiles for the sizes of a node's tables, and applies. Policies that do not fit give way
 * (compile/fit.h), and Services are left out (compile/service_fit.h), so that no tenant keeps a
 * plan from being applied.
 */
#pragma once

#include "sync/sync.h"

/*
 * As sync_apply(), with the plan of in, whose sizes and unfit are not read. If old and new entries
 * do not fit together, a second apply follows a first one that frees entries: without the Services
 * that need the most new ones (sync/service_room.h), or with the largest policies closed. If the
 * second one has no room, the first one does with less, down to 1/16. If there never is room, these
 * Services and policies stay out, with the table's true size in the errors. A dry run reports
 * -ENOSPC. *ret_plan is what the tables have, or what was refused; the caller frees it.
 */
int sync_apply_fitting(struct node *n, const struct plan_input *in,
		       const struct attachment_list *attachments, unsigned int flags,
		       struct plan **ret_plan, struct sync_delta *ret_delta, struct weir_err *err);
