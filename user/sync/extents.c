// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Runs in an array, first fit. See extents.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sync/extents.h"

void extents_init(struct extents *r, uint32_t size)
{
	*r = (struct extents){ .size = size };
}

void extents_free(struct extents *r)
{
	free(r->used);
	free(r->holes);
	*r = (struct extents){};
}

void extents_mark(struct extents *r, uint32_t offset, uint32_t len)
{
	if (len && offset < r->size && len <= r->size - offset)
		*VEC_ADD(r->used, r->n_used, r->cap_used) = (struct extent){ offset, len };
}

static int by_offset(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void add_hole(struct extents *r, uint32_t from, uint32_t to)
{
	if (from < to)
		*VEC_ADD(r->holes, r->n_holes, r->cap_holes) = (struct extent){ from, to - from };
}

void extents_settle(struct extents *r)
{
	uint32_t end = 0;

	if (r->n_used)
		qsort(r->used, r->n_used, sizeof(*r->used), by_offset);
	for (size_t i = 0; i < r->n_used; i++) {
		uint32_t used_end = r->used[i].offset + r->used[i].len;

		add_hole(r, end, r->used[i].offset);
		end = used_end > end ? used_end : end;
	}
	add_hole(r, end, r->size);
}

int extents_take(struct extents *r, uint32_t len, uint32_t *ret_offset)
{
	if (!len) {
		*ret_offset = 0;
		return 0;
	}
	while (r->first < r->n_holes && !r->holes[r->first].len)
		r->first++;
	for (size_t i = r->first; i < r->n_holes; i++) {
		struct extent *h = &r->holes[i];

		if (h->len < len)
			continue;
		*ret_offset = h->offset;
		h->offset += len;
		h->len -= len;
		return 0;
	}
	return -ENOSPC;
}

static void drop_empty_holes(struct extents *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_holes; i++)
		if (r->holes[i].len)
			r->holes[n++] = r->holes[i];
	r->n_holes = n;
	r->first = 0;
}

void extents_give(struct extents *r, uint32_t offset, uint32_t len)
{
	struct extent *h, *next;
	size_t at = 0;

	if (!len)
		return;
	drop_empty_holes(r);
	while (at < r->n_holes && r->holes[at].offset < offset)
		at++;
	add_hole(r, offset, offset + len);
	h = &r->holes[at];
	memmove(h + 1, h, (r->n_holes - 1 - at) * sizeof(*h));
	*h = (struct extent){ offset, len };
	if (at && h[-1].offset + h[-1].len == offset) {
		h[-1].len += len;
		h->len = 0;
		h--;
	}
	next = &r->holes[at + 1];
	if (at + 1 < r->n_holes && next->offset == h->offset + h->len) {
		h->len += next->len;
		next->len = 0;
	}
}
