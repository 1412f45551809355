/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Waits until no program that was running when it was called still runs: what they read may then be
 * reused.
 */
#pragma once

#include "base/diag.h"

int barrier_wait(struct weir_err *err);
/* The way for kernels that refuse membarrier; apart so that it is tested everywhere. */
int barrier_by_map_in_map(struct weir_err *err);
