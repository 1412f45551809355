/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Usage and help, from the tables of verbs and options. */
#pragma once

#include "cli/verb.h"

#define CLI_PURPOSE "Kubernetes Services and NetworkPolicies in the kernel"

#define CLI_EXITS (EXIT_DISAGREE + 1)

/* The meaning of an exit status: help shows brief, the manual page both. */
struct cli_exit {
	const char *brief, *details;
};
extern const struct cli_exit cli_exits[CLI_EXITS];

void help_list(const struct verb *const *verbs, FILE *out); /* verbs: ended by NULL */
void help_verb(const struct verb *v, FILE *out);
