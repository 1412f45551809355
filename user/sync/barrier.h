/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Waits for BPF programs that run now: afterwards, what they may have read can be reused. */
#pragma once

#include "base/diag.h"

int barrier_wait(struct weir_err *err);
/* For kernels that refuse membarrier(); exported so that every kernel can test it. */
int barrier_by_map_in_map(struct weir_err *err);
