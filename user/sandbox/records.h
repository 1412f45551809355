/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * State of a sandbox: a folder below the instance's run folder with a lock, the names of its nodes
 * and, for each pod, a record of its wiring and ports and the pid file of its server. Files are
 * named like attachment records.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/mem.h"

char *records_folder(const char *name); /* /run/weir-<name>/sandbox */
char *records_pid_file(const char *name, const char *ns, const char *pod);

/*
 * Creates the folder and locks it. Returns a descriptor to close; -EBUSY: another process held the
 * lock for lock_wait_ms (lock.h).
 */
int records_lock(const char *name, struct weir_err *err);

int records_write(const char *name, const char *ns, const char *pod, const char *text,
		  struct weir_err *err);
char *records_read(const char *name, const char *ns, const char *pod); /* NULL: none */
void records_remove(const char *name, const char *ns, const char *pod); /* the pid file too */

/* Calls fn for each pod with a record or a pid file; ns and pod are valid during the call. */
void records_each(const char *name, void (*fn)(const char *ns, const char *pod, void *arg),
		  void *arg);

/* The names of the nodes, the first one first; noted before anything of a node is made. */
int records_write_nodes(const char *name, const char *const *nodes, size_t n, struct weir_err *err);
/* NULL-terminated; both arrays' memory is arena's. Without a note: empty. */
char **records_nodes(const char *name, struct arena *arena);

void records_remove_folder(const char *name);
