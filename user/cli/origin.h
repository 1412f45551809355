/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a loaded plan was made from, as text: load and sandbox have it kept
 * beside the plan (/run/weir[-NAME]/objects-<generation>), why reads it where
 * no manifests are given. The same manifests, node and addresses again, so that
 * the same plan comes out, with the same positions.
 */
#pragma once

#include "cli/talk.h"
#include "compile/plan.h"
#include "sandbox/sandbox.h"

/*
 * s: read with CLI_KEEP_TEXTS. Of in only node and local_addrs count. The text is the caller's. NULL when the objects
 * must not be kept (store_emit_texts()); a note has said why, and what that means.
 */
char *origin_text(struct store *s, const struct plan_input *in, bool sandbox, const struct common_options *c);

struct origin {
	struct store *store; /* completed, and placed when it is a sandbox's */
	char *node;
	bool sandbox;
	struct sandbox_net net; /* addresses of this node: local; of a sandbox: all */
};

/* 0; -ENOENT when the file is not there; -EINVAL when it does not say what it should, err says so. */
int origin_read(const char *path, struct origin *ret_origin, struct weir_err *err);
void origin_free(struct origin *o); /* also for _cleanup_() */
