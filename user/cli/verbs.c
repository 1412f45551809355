// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The table of verbs, in the order that help shows them: on files first, then on a node, then the rest. */
#include "cli/verbs.h"

const struct verb *const cli_verbs[] = {
	&verb_compile, &verb_report, &verb_why,     &verb_sandbox,   &verb_load,    &verb_enforce, &verb_status,
	&verb_doctor,  &verb_get,    &verb_observe, &verb_uninstall, &verb_version, &verb_help,    NULL,
};
