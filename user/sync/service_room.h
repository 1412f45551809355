/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Services of a plan whose change has no room beside the live entries: which of them must go for a
 * moment, so that what they have now is freed. compile/service_fit.h chooses, by the entries that
 * are new: a Service that stays as it is costs nothing, and is not chosen.
 */
#pragma once

#include "sync/sync.h"

/* An apply that lacks room in this table is helped by it. */
bool service_room_helps(enum weir_map table);
/*
 * For at most 1/part of the free entries of each table. *ret_unfit may be empty; free its lists
 * with plan_unfit_free(), its texts are of the arena. 0 or -errno.
 */
int service_room_unfit(struct node *n, const struct plan *p, uint32_t part,
		       struct plan_unfit *ret_unfit, struct arena *arena, struct weir_err *err);
