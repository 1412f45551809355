/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * First-fit allocator of extents in a memory-mapped array: port ranges of a port set, backends of a
 * service. Live extents are marked, the holes between them allocated. Knows no contents.
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
	size_t first; /* all holes before it are empty */
	uint32_t size; /* of the array */
};

void extents_init(struct extents *e, uint32_t size);
void extents_free(struct extents *e);
/* All marks come before extents_settle(), all takes and gives after it. Marks may overlap. */
void extents_mark(struct extents *e, uint32_t offset, uint32_t len);
void extents_settle(struct extents *e);
/* Frees an extent that was taken or marked. */
void extents_give(struct extents *e, uint32_t offset, uint32_t len);
/* -ENOSPC; len 0 is always offset 0. */
int extents_take(struct extents *e, uint32_t len, uint32_t *ret_offset);
