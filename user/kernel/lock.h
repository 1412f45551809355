/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Lock files: the writers' in the run folder, and others. Held while the descriptor is open. */
#pragma once

#include "base/diag.h"

/* How long to wait for another writer; tests shorten it. */
extern unsigned int lock_wait_ms;

/*
 * Returns a descriptor; -EBUSY if another process kept the lock for lock_wait_ms: err names its
 * pid.
 */
int lock_take(const char *run_dir, struct weir_err *err);
/* The same for any file and waiting time; `what` names the holder in the error: "writer". */
int lock_file(const char *path, const char *what, unsigned int wait_ms, struct weir_err *err);
