/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A sandbox as a whole, and its datapath. Callers hold the lock of the records. */
#pragma once

#include "attach/uplinks.h"
#include "sandbox/sandbox.h"

/* The name is fit for paths and namespaces, and the caller is root. -EINVAL, -EPERM. */
int instance_check(const char *name, struct weir_err *err);

/* -EBUSY: an instance of that name is attached. */
int instance_check_free(const char *name, struct weir_err *err);
/*
 * -EBUSY: it is, and belongs to no sandbox, but to pods of the machine. For the first node. Call it
 * before records_lock(), which makes a folder that this check looks for.
 */
int instance_check_own(const char *name, struct weir_err *err);

struct instance_load {
	const char *sandbox; /* its name */
	const char *name; /* of the node's instance */
	const char *netns; /* of the node */
	const struct plan_input *in;
	const struct node_setup *sizes; /* of tables that this call creates; NULL: defaults */
	const struct uplinks_wanted *uplinks;
	const char *origin; /* as in struct sandbox_request */
	bool fresh; /* this call made the node namespace; tables may be older */
	struct plan *plan; /* out: what was loaded or refused; the caller frees it */
	struct sync_delta delta; /* out */
};

/* Runs in the node namespace: ifindexes are that namespace's. */
int instance_load(struct instance_load *job, struct weir_err *err);

/* Removes a further node: its maps, programs, records, folders and namespace. Likewise. */
int instance_remove_node(const char *name, const char *node, struct weir_err *err);

/*
 * Removes servers, namespaces, maps, programs and folders. Continues after a failure; returns the
 * first.
 */
int instance_remove(const char *name, struct weir_err *err);
