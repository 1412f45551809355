/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The objects that a loaded plan was compiled from, as text. `load` and `sandbox` keep it beside
 * the plan (/run/weir[-NAME]/objects-<generation>); `why` reads it when no manifests are given. It
 * holds manifests, node and addresses, so that compiling again gives the same plan and positions.
 */
#pragma once

#include "compile/plan.h"
#include "kube/store.h"

/*
 * s was read with keep_source_text. Uses only node, local_addrs and node_ports of in. The caller
 * frees the text. NULL: the objects must not be kept; ret_refused says why
 * (store_emit_source_text()).
 */
char *origin_text(struct store *s, const struct plan_input *in, bool sandbox,
		  const char **ret_refused);

struct origin {
	struct store *store; /* defaults applied; for a sandbox, call sandbox_place() on it */
	char *node;
	bool sandbox;
	struct weir_addr *local; /* further addresses of this node; none for a sandbox */
	size_t n_local, cap_local;
	struct plan_node_ports node_ports; /* blocks are the origin's */
};

/* 0, -ENOENT: no such file, -EINVAL: not a valid one. */
int origin_read(const char *path, struct origin *ret_origin, struct weir_err *err);
/*
 * Only the node's addresses, without reading the objects; none for a sandbox or without a valid
 * file. The caller frees the array.
 */
void origin_read_local(const char *path, struct weir_addr **ret_addrs, size_t *ret_n);
void origin_free(struct origin *o); /* also for _cleanup_() */
