/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* In `weir status`: the uplinks, their addresses, and whether the programs are on them. */
#pragma once

#include "base/emit.h"
#include "cli/output.h"
#include "inspect/live.h"

void status_uplinks_print(const struct live *l, const struct style *out);
void status_uplinks_emit(struct emit *e, const struct live *l); /* the list "uplinks" */
