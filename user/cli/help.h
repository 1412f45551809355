/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Usage and help, out of the tables of verbs and options. */
#pragma once

#include "cli/verb.h"

#define CLI_PURPOSE "Kubernetes Services and NetworkPolicies in the kernel"

#define CLI_EXITS (EXIT_DISAGREE + 1)

/* What the statuses mean, for help and the manual page. */
struct cli_exit {
	const char *brief, *meaning;
};
extern const struct cli_exit cli_exits[CLI_EXITS];

void help_list(const struct verb *const *verbs, FILE *out); /* verbs: ended by NULL */
void help_verb(const struct verb *v, FILE *out);
