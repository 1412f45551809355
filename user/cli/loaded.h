/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The instance of --name for verbs that read it, with what has to be said about it on stderr. */
#pragma once

#include "cli/talk.h"
#include "inspect/live.h"

/* EXIT_OK, or the status to end with, after saying why. */
int loaded_open(struct live *l, const struct common_options *c);
/* Says so when ids take the place of names. */
void loaded_note_names(const struct live *l, const struct common_options *c);
/* To be called after printing: says so when an apply happened meanwhile. */
void loaded_check(const struct live *l, const struct common_options *c);
