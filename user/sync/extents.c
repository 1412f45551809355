// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* First-fit allocator. See extents.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/extents.h"

void extents_init(struct extents *e, uint32_t size)
{
	*e = (struct extents){ .size = size };
}

void extents_free(struct extents *e)
{
	free(e->used);
	free(e->holes);
	*e = (struct extents){};
}

void extents_mark(struct extents *e, uint32_t offset, uint32_t len)
{
	if (len && offset < e->size && len <= e->size - offset)
		*VEC_ADD(e->used, e->n_used, e->cap_used) = (struct extent){ offset, len };
}

static int by_offset(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void add_hole(struct extents *e, uint32_t from, uint32_t to)
{
	if (from < to)
		*VEC_ADD(e->holes, e->n_holes, e->cap_holes) = (struct extent){ from, to - from };
}

void extents_settle(struct extents *e)
{
	uint32_t end = 0;

	if (e->n_used)
		qsort(e->used, e->n_used, sizeof(*e->used), by_offset);
	for (size_t i = 0; i < e->n_used; i++) {
		uint32_t used_end = e->used[i].offset + e->used[i].len;

		add_hole(e, end, e->used[i].offset);
		end = used_end > end ? used_end : end;
	}
	add_hole(e, end, e->size);
}

int extents_take(struct extents *e, uint32_t len, uint32_t *ret_offset)
{
	if (!len) {
		*ret_offset = 0;
		return 0;
	}
	while (e->first < e->n_holes && !e->holes[e->first].len)
		e->first++;
	for (size_t i = e->first; i < e->n_holes; i++) {
		struct extent *h = &e->holes[i];

		if (h->len < len)
			continue;
		*ret_offset = h->offset;
		h->offset += len;
		h->len -= len;
		return 0;
	}
	return -ENOSPC;
}

static void drop_empty_holes(struct extents *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_holes; i++)
		if (e->holes[i].len)
			e->holes[n++] = e->holes[i];
	e->n_holes = n;
	e->first = 0;
}

void extents_give(struct extents *e, uint32_t offset, uint32_t len)
{
	struct extent *h, *next;
	size_t at = 0;

	if (!len)
		return;
	drop_empty_holes(e);
	while (at < e->n_holes && e->holes[at].offset < offset)
		at++;
	add_hole(e, offset, offset + len);
	h = &e->holes[at];
	memmove(h + 1, h, (e->n_holes - 1 - at) * sizeof(*h));
	*h = (struct extent){ offset, len };
	if (at && h[-1].offset + h[-1].len == offset) {
		h[-1].len += len;
		h->len = 0;
		h--;
	}
	next = &e->holes[at + 1];
	if (at + 1 < e->n_holes && next->offset == h->offset + h->len) {
		h->len += next->len;
		next->len = 0;
	}
}
