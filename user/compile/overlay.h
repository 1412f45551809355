/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a list of port ranges has that another has not: port sets that are alike share their ranges
 * this way. Rules such as "0.0.0.0/0 except X", each with other ports, make a port set for each X
 * that lacks one rule of many.
 */
#pragma once

#include <stdbool.h>

#include "compile/ranges.h"

/* Rank of a piece whose points have the same rule in both lists, or no rule in either. */
#define OVERLAY_SHARED UINT32_MAX

/*
 * Covers the points of list by pieces, sorted and disjoint: shared ones, and ranges of list where
 * base differs. No piece holds a point that base has and list has not. Both lists are flat
 * (ranges_flatten()) and not empty. False if more than max pieces are needed: ret_out is empty.
 */
bool overlay_make(const struct range_list *list, const struct range_list *base, size_t max,
		  struct range_list *ret_out);
