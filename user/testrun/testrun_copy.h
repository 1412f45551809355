/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to testrun.c: the tables of a live instance, copied into a private one. */
#pragma once

#include "kernel/node.h"

/* The setup of live: its sizes, so that every id of live is valid in the copy. */
void testrun_copy_setup(const struct node *live, struct node_setup *ret_setup);
/*
 * Copies what user space writes. What packets write (connections, counters, events) stays empty,
 * and no pod has a real device: programs that run on the copy can send nothing. -ESTALE: an apply
 * changed live meanwhile.
 */
int testrun_copy(const struct node *live, struct node *ret_copy, struct weir_err *err);
