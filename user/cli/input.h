/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading manifests for a verb, and finding the node that they are compiled for. Says what is wrong
 * on stderr.
 */
#pragma once

#include "cli/talk.h"
#include "compile/plan.h"
#include "kube/store.h"

/*
 * Reads and completes the manifests of -f; problems are printed to stderr. Returns EXIT_OK and the
 * store, or the status to end with. flags: enum store_defaults_flag.
 */
enum cli_store_flag {
	CLI_KEEP_SOURCE_TEXT = 1 << 16, /* beside enum store_defaults_flag: for cli_origin() */
};
int cli_read_store(const struct common_options *c, unsigned int flags, struct store **ret_store);
/*
 * The node to compile for. EXIT_OK, or the status to end with after saying why: EXIT_USAGE when no
 * name is given, EXIT_INPUT for a name that no object has while others are named.
 */
int cli_node(const struct common_options *c, const struct store *s, const char **ret_node);
/*
 * What a plan is made from, to be kept beside it (inspect/origin.h). The caller's; NULL after a
 * note on why it is not kept.
 */
char *cli_origin(struct store *s, const struct plan_input *in, bool sandbox,
		 const struct common_options *c);
