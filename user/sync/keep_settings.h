/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The settings of an instance, kept beside its tables for `weir status` (settings/record.h). */
#pragma once

#include "kernel/node.h"
#include "settings/record.h"

/*
 * After an apply: replaces the record. Of what is fixed when the maps are created and was not given
 * now, the row of an earlier load stays while the maps have that value. On an error there is no
 * record.
 */
int settings_keep(const struct node *n, const struct settings *s, struct weir_err *err);
/* The rows whose values the maps have, as far as they show it. */
void settings_kept(const struct node *n, struct settings_record *ret_record);
