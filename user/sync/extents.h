/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The allocator of extents in a memory-mapped array: port ranges of a port set, backends of a
 * service. What is live is marked, the holes between are given out, first fit. Knows nothing of
 * what stands in an extent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct extent {
	uint32_t offset, len;
};

struct extents {
	struct extent *used, *holes;
	size_t n_used, cap_used, n_holes, cap_holes;
	size_t first; /* hole: all before it are empty */
	uint32_t size; /* of the array */
};

void extents_init(struct extents *r, uint32_t size);
void extents_free(struct extents *r);
/* All marks come before extents_settle(), all takes and gives after. Marks may overlap. */
void extents_mark(struct extents *r, uint32_t offset, uint32_t len);
void extents_settle(struct extents *r);
/* An extent that was taken or marked, and is nobody's now. After extents_settle(). */
void extents_give(struct extents *r, uint32_t offset, uint32_t len);
int extents_take(struct extents *r, uint32_t len,
		 uint32_t *ret_offset); /* -ENOSPC; len 0 is always offset 0 */
