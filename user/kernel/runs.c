// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Runs in an array, first fit. See runs.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kernel/runs.h"

void runs_init(struct runs *r, uint32_t size)
{
	*r = (struct runs){ .size = size };
}

void runs_free(struct runs *r)
{
	free(r->used);
	free(r->holes);
	*r = (struct runs){};
}

void runs_mark(struct runs *r, uint32_t offset, uint32_t len)
{
	if (len && offset < r->size && len <= r->size - offset)
		*VEC_ADD(r->used, r->n_used, r->cap_used) = (struct run){ offset, len };
}

static int by_offset(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void add_hole(struct runs *r, uint32_t from, uint32_t to)
{
	if (from < to)
		*VEC_ADD(r->holes, r->n_holes, r->cap_holes) = (struct run){ from, to - from };
}

void runs_settle(struct runs *r)
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

int runs_take(struct runs *r, uint32_t len, uint32_t *ret_offset)
{
	if (!len) {
		*ret_offset = 0;
		return 0;
	}
	while (r->first < r->n_holes && !r->holes[r->first].len)
		r->first++;
	for (size_t i = r->first; i < r->n_holes; i++) {
		struct run *h = &r->holes[i];

		if (h->len < len)
			continue;
		*ret_offset = h->offset;
		h->offset += len;
		h->len -= len;
		return 0;
	}
	return -ENOSPC;
}
