// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The address space as divided by the ipBlocks in use. Each prefix of a block or an except is a
 * region. A block matches in a region iff it holds the region's prefix and none of its excepts does
 * (NP-26, NP-28). Prefixes nest: the blocks of a region are those of the enclosing region, plus
 * those that begin here, less those that an except ends here.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

static const struct cidr all_v4 = { .addr = { .b = { [10] = 0xff, [11] = 0xff } },
				    .len = WEIR_V4_PREFIX_BITS };

/* A block begins or ends at a prefix. */
struct border {
	struct cidr cidr;
	uint32_t peer; /* PLAN_NONE: none; only makes the region of all IPv4 */
	bool ends; /* by an except */
};

struct border_list {
	struct border *items;
	size_t n, cap;
};

static int by_border(const void *a, const void *b)
{
	const struct border *x = a, *y = b;
	int order = cidr_compare(&x->cidr, &y->cidr);

	return order ? order : (x->peer > y->peer) - (x->peer < y->peer);
}

/* One of its excepts holds the whole block: it matches nothing. */
static bool is_void(const struct kube_peer *peer)
{
	for (size_t i = 0; i < peer->n_except; i++)
		if (cidr_holds_cidr(&peer->except[i], &peer->block))
			return true;
	return false;
}

static void collect_borders(const struct build *b, struct border_list *list)
{
	*VEC_ADD(list->items, list->n, list->cap) =
		(struct border){ .cidr = all_v4, .peer = PLAN_NONE };
	for (size_t i = 0; i < b->n_peers; i++) {
		const struct kube_peer *peer = b->peers[i].peer;

		if (!peer->has_block || is_void(peer))
			continue;
		*VEC_ADD(list->items, list->n, list->cap) =
			(struct border){ .cidr = peer->block, .peer = i };
		for (size_t e = 0; e < peer->n_except; e++)
			if (cidr_holds_cidr(&peer->block, &peer->except[e]))
				*VEC_ADD(list->items, list->n, list->cap) = (struct border){
					.cidr = peer->except[e], .peer = i, .ends = true
				};
	}
	qsort(list->items, list->n, sizeof(*list->items), by_border);
}

bool prefix_holds(const struct cidr *outer, const struct cidr *inner)
{
	struct weir_addr masked = addr_mask(&inner->addr, outer->len);

	return outer->len <= inner->len && weir_addr_equal(&masked, &outer->addr);
}

/* The region that encloses cidr; last is the region before it in order. */
static uint32_t region_around(const struct build *b, uint32_t last, const struct cidr *cidr)
{
	while (last != PLAN_NONE && !prefix_holds(&b->regions[last].cidr, cidr))
		last = b->regions[last].parent;
	return last;
}

/* Blocks of the enclosing region. The region of all IPv4 inherits none from ::/0 (NP-29). */
static const struct ids *inherited(const struct build *b, const struct region *r)
{
	return r->parent == PLAN_NONE || !cidr_compare(&r->cidr, &all_v4)
		       ? NULL
		       : &b->regions[r->parent].peers;
}

/* Blocks of the enclosing region, plus those that begin, less those that end, at one prefix. */
static void region_peers(const struct ids *around, const struct border *borders, size_t n,
			 struct ids *ret_peers)
{
	struct ids begin = {}, kept = {};
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (!borders[i].ends && borders[i].peer != PLAN_NONE)
			IDS_ADD(&begin, borders[i].peer);
	for (size_t i = 0; around && i < around->n; i++) {
		while (at < n && (borders[at].peer < around->items[i]))
			at++;
		if (at == n || borders[at].peer != around->items[i])
			IDS_ADD(&kept, around->items[i]);
	}
	ids_merge(&kept, &begin, ret_peers);
	ids_free(&begin);
	ids_free(&kept);
}

void build_regions(struct build *b)
{
	struct border_list list = {};
	size_t cap = 0, end;

	collect_borders(b, &list);
	for (size_t i = 0; i < list.n; i = end) {
		struct region r = { .cidr = list.items[i].cidr };
		uint32_t last = b->n_regions ? b->n_regions - 1 : PLAN_NONE;

		for (end = i; end < list.n && !cidr_compare(&list.items[end].cidr, &r.cidr);)
			end++;
		r.parent = region_around(b, last, &r.cidr);
		region_peers(inherited(b, &r), &list.items[i], end - i, &r.peers);
		*VEC_ADD(b->regions, b->n_regions, cap) = r;
	}
	free(list.items);
}

uint32_t region_find(const struct build *b, const struct weir_addr *addr)
{
	struct cidr whole = { .addr = *addr, .len = 128 };
	size_t before = cidr_count_until(b->regions, b->n_regions, sizeof(*b->regions), addr);

	return region_around(b, before ? before - 1 : PLAN_NONE, &whole);
}
