/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How full the tables of an instance are. */
#pragma once

#include "inspect/live.h"

/* Elements in a map; of an array, those in use. -1: cannot be counted. */
long long live_fill(const struct live *l, enum weir_map map);
#define LIVE_FILL_WARN_PERCENT 80
/* Whether a full map is a problem: not if it evicts its oldest element by design. */
bool live_fills_up(enum weir_map map);
/* -1: the map is empty, or live_fills_up() is false. */
int live_percent(const struct live *l, enum weir_map map);
