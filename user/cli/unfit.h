/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What does not fit the tables, as `status` and `load` show it. */
#pragma once

#include "base/emit.h"
#include "cli/talk.h"
#include "compile/plan.h"

/* Members "closed" and "leftOut". */
void unfit_emit(const struct plan_unfit *u, struct emit *e);
/* A line for each policy and Service; of Services the first ones only. */
void unfit_print(const struct plan_unfit *u, const struct common_options *c);
/* EXIT_OK, or says that only a part was applied, and returns EXIT_TIMEOUT. */
int unfit_report(const struct plan *p, bool dry_run);
