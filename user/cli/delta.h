/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What an apply changed, as load and sandbox show it. */
#pragma once

#include "base/emit.h"
#include "cli/talk.h"
#include "sync/sync.h"

/* On stdout, as -o says. */
void delta_print(const struct sync_delta *d, bool dry_run, const struct common_options *c);
void delta_emit(struct emit *e, const struct sync_delta *d); /* members of an object */
/* What was left out or held, on stderr. */
void delta_notes(const struct sync_delta *d, const struct common_options *c);
