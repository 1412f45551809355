/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What an apply changed, as load shows it. */
#pragma once

#include "cli/talk.h"
#include "sync/sync.h"

/* Prints to stdout in the format of -o. */
void delta_print(const struct sync_delta *d, bool dry_run, const struct common_options *c);
/* Notes on stderr: pods that are held or not attached, records without a device. */
void delta_notes(const struct sync_delta *d, const struct common_options *c);
