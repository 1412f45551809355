/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The plan as text, and its source text, in the run folder. */
#pragma once

#include "compile/plan.h"
#include "kernel/node.h"

/* Writes <run>/plan-<generation> and objects-<generation>, unless their contents are the same. */
int plan_file_write(const struct node *n, const struct plan *p, uint64_t generation,
		    struct weir_err *err);
/* Removes the files of generations other than this one and the one before. */
void plan_file_prune(const struct node *n, uint64_t generation);
