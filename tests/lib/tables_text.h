/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Live tables as text for comparison: one line for each element, sorted, with names instead of ids.
 * Two instances with the same meaning give the same text, whatever ids they have.
 */
#pragma once

#include "kernel/node.h"

/* The caller frees it. Ids without a name show as "unnamed-…", so leftovers make a difference. */
char *tables_text(const struct node *n);
/* The same with all ids and the bytes of the arrays: equal only if nothing was written. */
char *tables_bytes(const struct node *n);
