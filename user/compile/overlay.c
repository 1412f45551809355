// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Port ranges in terms of others. See overlay.h. One pass over both lists. */
#include <weir/policy.h>

#include "base/mem.h"
#include "compile/overlay.h"

#define NOTHING (UINT32_MAX - 1) /* rank of points that no range holds */

struct cursor {
	const struct range_list *list;
	size_t at; /* the first range that ends at the current point or later */
};

/* Rank at a point; *end becomes the last point with the same rank, if that is less. */
static uint32_t rank_at(struct cursor *c, uint32_t point, uint32_t *end)
{
	const struct range *r;
	uint32_t last;

	while (c->at < c->list->n && c->list->items[c->at].high < point)
		c->at++;
	if (c->at == c->list->n)
		return NOTHING;
	r = &c->list->items[c->at];
	last = r->low > point ? r->low - 1 : r->high;
	if (last < *end)
		*end = last;
	return r->low > point ? NOTHING : r->rank;
}

static void add_piece(struct range_list *out, uint32_t low, uint32_t high, uint32_t rank)
{
	struct range *last = out->n ? &out->items[out->n - 1] : NULL;

	if (last && last->rank == rank && last->high + 1 == low)
		last->high = high;
	else
		*VEC_ADD(out->items, out->n, out->cap) = (struct range){ low, high, rank };
}

/*
 * A shared piece goes on over points without a rule in either list, unless a hole or the end
 * follows: it begins and ends at a point of list.
 */
bool overlay_make(const struct range_list *list, const struct range_list *base, size_t max,
		  struct range_list *ret_out)
{
	struct cursor mine = { .list = list }, other = { .list = base };
	uint32_t last = list->items[list->n - 1].high, end, gap = UINT32_MAX;
	struct range_list out = {};

	for (uint32_t point = list->items[0].low; point <= last && out.n <= max; point = end + 1) {
		uint32_t rank, theirs;

		end = WEIR_PORT_POINT_MAX;
		rank = rank_at(&mine, point, &end);
		theirs = rank_at(&other, point, &end);
		if (rank == NOTHING) {
			gap = theirs == NOTHING && gap != UINT32_MAX ? gap : UINT32_MAX;
			continue;
		}
		if (rank == theirs)
			add_piece(&out, gap == UINT32_MAX ? point : gap, end, OVERLAY_SHARED);
		else
			add_piece(&out, point, end, rank);
		gap = rank == theirs ? end + 1 : UINT32_MAX;
	}
	if (out.n > max)
		range_list_free(&out);
	*ret_out = out;
	return out.n;
}
