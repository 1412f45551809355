/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The part of `weir status` about the node's own processes. */
#pragma once

#include "base/emit.h"
#include "cli/output.h"
#include "kernel/node.h"

void status_processes_print(const struct node *n, const struct style *out);
void status_processes_emit(struct emit *e, const struct node *n);
