/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The allocator of runs in a memory-mapped array: port ranges of a port set,
 * backends of a service. What is live is marked, the holes between are given
 * out, first fit. Knows nothing of what stands in a run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct run {
	uint32_t offset, len;
};

struct runs {
	struct run *used, *holes;
	size_t n_used, cap_used, n_holes, cap_holes;
	size_t first; /* hole: all before it are empty */
	uint32_t size; /* of the array */
};

void runs_init(struct runs *r, uint32_t size);
void runs_free(struct runs *r);
/* All marks come before runs_settle(), all takes and gives after. Marks may overlap. */
void runs_mark(struct runs *r, uint32_t offset, uint32_t len);
void runs_settle(struct runs *r);
/* A run that was taken or marked, and is nobody's now. After runs_settle(). */
void runs_give(struct runs *r, uint32_t offset, uint32_t len);
int runs_take(struct runs *r, uint32_t len, uint32_t *ret_offset); /* -ENOSPC; len 0 is always offset 0 */
