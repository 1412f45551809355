/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One at a time, writers above all: a lock file in the run folder, held as long as its descriptor
 * is open.
 */
#pragma once

#include "base/diag.h"

/* How long to wait for another writer; tests make it short. */
extern unsigned int lock_wait_ms;

/*
 * A descriptor that holds the lock; -EBUSY when another process kept it for lock_wait_ms (err names
 * its pid).
 */
int lock_take(const char *run_dir, struct weir_err *err);
/* The same for a file of its own, which another `what` may hold; waits wait_ms. */
int lock_file(const char *path, const char *what, unsigned int wait_ms, struct weir_err *err);
