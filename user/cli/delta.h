/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What an apply changed, as load shows it. */
#pragma once

#include "cli/talk.h"
#include "inspect/pod_faults.h"
#include "sync/sync.h"

/* Prints to stdout in the format of -o. */
void delta_print(const struct sync_delta *d, const struct pod_faults *f, bool dry_run,
		 const struct common_options *c);
/* Notes on stderr: pods that are held, records without a device. */
void delta_notes(const struct sync_delta *d, const struct common_options *c);
/* Errors on stderr, one a line: EXIT_TIMEOUT (only a part was done), or EXIT_OK without any. */
int delta_faults(const struct pod_faults *f, const struct common_options *c);
