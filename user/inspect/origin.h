/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a loaded plan was made from, as text: load and sandbox have it kept beside the plan
 * (/run/weir[-NAME]/objects-<generation>), why reads it where no manifests are given. The same
 * manifests, node and addresses again, so that the same plan comes out, with the same positions.
 */
#pragma once

#include "compile/plan.h"
#include "kube/store.h"

/*
 * s: read with keep_texts. Of in only node and local_addrs count. The text is the caller's. NULL
 * when the objects must not be kept; ret_refused says why (store_emit_source_text()).
 */
char *origin_text(struct store *s, const struct plan_input *in, bool sandbox,
		  const char **ret_refused);

struct origin {
	struct store *store; /* completed; of a sandbox it is to be placed as sandbox_place() did
				before */
	char *node;
	bool sandbox;
	struct weir_addr *local; /* further addresses of this node; of a sandbox: none */
	size_t n_local, cap_local;
};

/*
 * 0; -ENOENT when the file is not there; -EINVAL when it does not say what it should, err says so.
 */
int origin_read(const char *path, struct origin *ret_origin, struct weir_err *err);
void origin_free(struct origin *o); /* also for _cleanup_() */
