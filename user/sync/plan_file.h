/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The plan as text beside the maps, and what it was made from. */
#pragma once

#include "compile/plan.h"
#include "kernel/node.h"

/* Writes <run>/plan-<generation>, unless it holds the same already. */
int plan_file_write(const struct node *n, const struct plan *p, uint64_t generation,
		    struct weir_err *err);
void plan_file_prune(const struct node *n,
		     uint64_t generation); /* keeps this one and the one before */
