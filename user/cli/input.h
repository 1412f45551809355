/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads manifests for a verb, and finds the node to compile them for. Errors go to stderr.
 */
#pragma once

#include "analyze/report.h"
#include "cli/talk.h"
#include "compile/plan.h"
#include "kube/store.h"

/*
 * Reads the manifests of -f and applies defaults. EXIT_OK and the store, or the exit status. flags:
 * enum store_defaults_flag and cli_store_flag.
 */
enum cli_store_flag {
	CLI_KEEP_SOURCE_TEXT = 1 << 16, /* beside enum store_defaults_flag: for cli_origin() */
};
int cli_read_store(const struct common_options *c, unsigned int flags, struct store **ret_store);
/*
 * With --strict, refuses a plan with warnings: EXIT_INPUT after they were printed. EXIT_OK: none,
 * or
 * --strict is not given.
 */
int cli_refuse_plan_warnings(const struct common_options *c, const struct plan_input *in);
/*
 * Refuses a port name of --ports that no pod declares, as nothing would be asked for it. EXIT_OK,
 * or EXIT_USAGE with the names that are declared. command: "report".
 */
int cli_check_ports(const char *command, const struct store *s, const struct report_port *ports,
		    size_t n);
/*
 * The node to compile for. EXIT_OK; EXIT_USAGE when no name is given; EXIT_INPUT for a name that no
 * object has while objects name others, and for a warning with --strict.
 */
int cli_node(const struct common_options *c, const struct store *s, const char **ret_node);
/*
 * Reads -f, with assigned addresses, and compiles for the node; prints what the plan notes. On
 * EXIT_OK the caller frees both; otherwise the exit status, and what is set is freed alike.
 */
int cli_compile(const struct common_options *c, struct store **ret_store, struct plan **ret_plan);
/*
 * The objects of a plan as text, kept beside it (inspect/origin.h). The caller owns the text. NULL,
 * with a note on stderr, when they must not be kept.
 */
char *cli_origin(struct store *s, const struct plan_input *in, bool sandbox,
		 const struct common_options *c);
