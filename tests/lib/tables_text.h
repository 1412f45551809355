/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Live tables as text, a sorted line an element, every number put back into the name that it stands
 * for: two instances that mean the same yield the same text, whatever ids they took. For tests that
 * compare tables.
 */
#pragma once

#include "kernel/node.h"

/* To be freed. Numbers without a name show as "unnamed-…", so leftovers make a difference. */
char *tables_text(const struct node *n);
/*
 * The same with all numbers, and what the arrays hold byte by byte: equal only if nothing was
 * written.
 */
char *tables_bytes(const struct node *n);
