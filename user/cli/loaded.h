/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Opens the instance of --name for verbs that read it, with notes on stderr. */
#pragma once

#include "cli/talk.h"
#include "inspect/live.h"

/* EXIT_OK, or the exit status after an error on stderr. */
int loaded_open(struct live *l, const struct common_options *c);
/* Notes that ids are shown instead of names, where that is so. */
void loaded_note_names(const struct live *l, const struct common_options *c);
/* Called after printing: notes that an apply happened in the meantime. */
void loaded_check(const struct live *l, const struct common_options *c);
