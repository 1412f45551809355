/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Takes an instance off the node: hooks, pins, files. */
#pragma once

#include "base/diag.h"

/* Removes all hooks, pins and the run folder of an instance. */
int node_remove(const char *name, struct weir_err *err);
