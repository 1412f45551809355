/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Turns overlapping port ranges of several rules into sorted, disjoint ranges, each attributed to
 * the first rule that allows it (NP-36).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Points are weir_port_point(): protocol and port in one number. */
struct range {
	uint32_t low, high; /* inclusive */
	uint32_t rank; /* of its rule: the lowest wins */
};

struct range_list {
	struct range *items;
	size_t n, cap;
};

void range_add(struct range_list *list, uint8_t proto, uint16_t low, uint16_t high, uint32_t rank);
/* All ports of all protocols (NP-13). */
void range_add_all(struct range_list *list, uint32_t rank);
/* Adjacent ranges of one rank are merged. O(n log n). Sorts in by low. */
void ranges_flatten(struct range_list *in, struct range_list *ret_out);
void range_list_free(struct range_list *list); /* also for _cleanup_() */
