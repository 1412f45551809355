/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to probe.c: the tables of a live instance, copied into a private one. */
#pragma once

#include "kernel/node.h"

/* Sizes under which every number of live is a number of the copy as well. */
void probe_copy_sizes(const struct node *live, struct node_sizes *ret_sizes);
/*
 * Copies what user space wrote. What packets write (connections, counters, events) is left empty,
 * and so is which device a pod is behind: nothing that runs on the copy can reach anybody. -ESTALE:
 * an apply came in between.
 */
int probe_copy(const struct node *live, struct node *ret_copy, struct weir_err *err);
