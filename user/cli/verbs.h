/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The rows of the table of verbs, each defined in the verb's own file. */
#pragma once

#include "cli/verb.h"

extern const struct verb verb_compile;
extern const struct verb verb_doctor;
extern const struct verb verb_enforce;
extern const struct verb verb_get;
extern const struct verb verb_load;
extern const struct verb verb_observe;
extern const struct verb verb_report;
extern const struct verb verb_sandbox;
extern const struct verb verb_status;
extern const struct verb verb_uninstall;
extern const struct verb verb_version;
extern const struct verb verb_why;

extern const struct verb *const cli_verbs[]; /* ended by NULL */
const struct verb *cli_verb(const char *name); /* exact; NULL when there is none */
