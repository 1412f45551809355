/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#pragma once

#include "base/diag.h"

/* Removes all hooks, pins and the run folder of an instance. */
int node_remove(const char *name, struct weir_err *err);
