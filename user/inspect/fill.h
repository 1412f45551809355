/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How full the tables of an instance are, and what happens when they are full. */
#pragma once

#include "inspect/live.h"

/* How many elements a map holds: for arrays, what is in use. -1: it cannot be counted. */
long long live_fill(const struct live *l, enum weir_map map);
#define LIVE_FILL_WARN_PERCENT 80
/*
 * Is it worth a warning when it is full? Not for tables that forget their oldest element by design.
 */
bool live_fills_up(enum weir_map map);
/* How full a table is that fills up; -1 for others, and for empty ones. */
int live_percent(const struct live *l, enum weir_map map);
