/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* In `weir status`: settings of the last load that are not the default, and their sources. */
#pragma once

#include "base/emit.h"
#include "inspect/live.h"

void status_settings_print(const struct live *l);
void status_settings_emit(struct emit *e, const struct live *l); /* the list "settings" */
