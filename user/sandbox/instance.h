/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A sandbox as a whole, and its datapath. Callers hold the lock of the records. */
#pragma once

#include "sandbox/sandbox.h"

/* A name that can be part of file and namespace names, and the right to do any of this. */
int instance_check(const char *name, struct weir_err *err);

/*
 * -EBUSY: something is attached under the name that no sandbox made. To be called before the
 * records are locked.
 */
int instance_check_own(const char *name, struct weir_err *err);

struct instance_load {
	const char *name;
	const struct plan *plan;
	const struct node_sizes *sizes; /* of tables that are made now; NULL: the defaults */
	const char *origin; /* as in struct sandbox_request */
	bool fresh; /* the node namespace was just made, whatever was loaded before */
	struct sync_delta delta; /* out */
};

/* From inside the node namespace: device numbers mean that namespace's devices. */
int instance_load(struct instance_load *job, struct weir_err *err);

/*
 * Servers, namespaces, maps, programs and folders; goes on after a failure and returns the first.
 */
int instance_remove(const char *name, struct weir_err *err);
