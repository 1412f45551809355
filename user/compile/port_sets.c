// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Port sets, and what they share. See port_sets.h. */
#include <stdlib.h>
#include <string.h>

#include <weir/limits.h>

#include "compile/overlay.h"
#include "compile/port_sets.h"

/* A port set that needs more than this part of its ranges beside those of a base shares nothing. */
#define SHARE_PART 4
#define OVERLAY_MAX ((1u << WEIR_OVERLAY_BITS) - 1)

void port_sets_begin(struct port_sets *ps)
{
	for (size_t i = 0; i < ps->n_bases; i++)
		range_list_free(&ps->bases[i].ranges);
	ps->n_bases = ps->next_base = 0;
}

/* The oldest of too many makes room, but for the first. */
static void add_base(struct port_sets *ps, struct range_list *ranges, uint32_t id)
{
	struct port_base *base = &ps->bases[ps->next_base];

	range_list_free(&base->ranges);
	*base = (struct port_base){ *ranges, id };
	*ranges = (struct range_list){};
	if (ps->n_bases < PORT_SETS_BASES_MAX)
		ps->n_bases++;
	ps->next_base = ps->next_base + 1 < PORT_SETS_BASES_MAX ? ps->next_base + 1 : 1;
}

void port_sets_offer(struct port_sets *ps, struct range_list *ranges)
{
	if (ranges->n)
		add_base(ps, ranges, PLAN_NONE);
}

/* ---- Port sets ---- */

static struct plan_hash name_of(const struct port_sets *ps, const struct range_list *list,
				const struct port_base *base)
{
	struct hasher h;

	hash_begin(&h, base ? "shared ports" : "ports");
	for (size_t i = 0; i < list->n; i++) {
		uint32_t rank = list->items[i].rank;

		hash_u32(&h, list->items[i].low);
		hash_u32(&h, list->items[i].high);
		hash_name(&h, rank == OVERLAY_SHARED ? &ps->items[base->id].name
						     : &ps->plan->rules[rank].name);
	}
	return hash_end(&h);
}

static struct plan_word word_of_rank(uint32_t rank, const struct port_base *base)
{
	return rank == OVERLAY_SHARED
		       ? (struct plan_word){ .kind = WEIR_WORD_PORTS, .ports = base->id }
		       : (struct plan_word){ .kind = WEIR_WORD_ALLOW, .rule = rank };
}

/* base: what shared pieces refer to, or NULL. */
static uint32_t add(struct port_sets *ps, const struct range_list *list,
		    const struct port_base *base)
{
	struct plan_port_set set = { .name = name_of(ps, list, base),
				     .n_ranges = list->n,
				     .refers = base };
	uint32_t id = name_table_add(&ps->names, &set.name, ps->n);

	if (id < ps->n)
		return id;
	set.ranges = arena_zalloc(&ps->plan->arena, list->n * sizeof(*set.ranges));
	for (size_t i = 0; i < list->n; i++)
		set.ranges[i] = (struct plan_range){ list->items[i].low, list->items[i].high,
						     word_of_rank(list->items[i].rank, base) };
	*VEC_ADD(ps->items, ps->n, ps->cap) = set;
	return id;
}

/* ---- Sharing ---- */

static bool same_ranges(const struct range_list *a, const struct range_list *b)
{
	return a->n == b->n && !memcmp(a->items, b->items, a->n * sizeof(*a->items));
}

/* The base that leaves the fewest pieces; NULL if all leave too many. */
static struct port_base *best_base(struct port_sets *ps, const struct range_list *list,
				   struct range_list *ret_pieces)
{
	size_t max = list->n / SHARE_PART < OVERLAY_MAX ? list->n / SHARE_PART : OVERLAY_MAX;
	struct port_base *best = NULL;
	struct range_list pieces;

	for (size_t i = 0; i < ps->n_bases && max; i++) {
		if (!overlay_make(list, &ps->bases[i].ranges, max, &pieces))
			continue;
		range_list_free(ret_pieces);
		*ret_pieces = pieces;
		best = &ps->bases[i];
		max = pieces.n - 1;
	}
	return best;
}

static uint32_t add_large(struct port_sets *ps, struct range_list *ranges)
{
	_cleanup_(range_list_free) struct range_list pieces = {};
	struct port_base *base = best_base(ps, ranges, &pieces);
	uint32_t id;

	if (!base) {
		id = add(ps, ranges, NULL);
		add_base(ps, ranges, id);
		return id;
	}
	if (base->id == PLAN_NONE)
		base->id = add(ps, &base->ranges, NULL);
	return same_ranges(ranges, &base->ranges) ? base->id : add(ps, &pieces, base);
}

uint32_t port_sets_add(struct port_sets *ps, struct range_list *ranges)
{
	uint32_t id =
		ranges->n < PORT_SETS_SHARE_MIN ? add(ps, ranges, NULL) : add_large(ps, ranges);

	range_list_free(ranges);
	return id;
}

/* ---- Into the plan ---- */

/* Those that refer to no other come first: whoever reads them in order knows what others name. */
static uint32_t *plain_first(struct port_sets *ps, size_t *ret_n_plain)
{
	_cleanup_(mem_free) struct plan_port_set *before = mem_zalloc(ps->n * sizeof(*before));
	uint32_t *new_id = mem_zalloc(ps->n * sizeof(*new_id));
	size_t n = 0;

	if (ps->n)
		memcpy(before, ps->items, ps->n * sizeof(*before));
	*ret_n_plain = 0;
	for (int refers = 0; refers < 2; refers++)
		for (size_t i = 0; i < ps->n; i++) {
			if (before[i].refers != refers)
				continue;
			*ret_n_plain += !refers;
			new_id[i] = n;
			ps->items[n++] = before[i];
		}
	return new_id;
}

static void move_references(struct port_sets *ps, size_t n_plain, const uint32_t *new_id)
{
	for (size_t i = n_plain; i < ps->n; i++)
		for (size_t r = 0; r < ps->items[i].n_ranges; r++) {
			struct plan_word *word = &ps->items[i].ranges[r].word;

			if (word->kind == WEIR_WORD_PORTS)
				word->ports = new_id[word->ports];
		}
}

void port_sets_finish(struct port_sets *ps, uint32_t **ret_new_id)
{
	_cleanup_(mem_free) uint32_t *plain = NULL, *rest = NULL;
	struct plan *p = ps->plan;
	uint32_t *new_id;
	size_t n;

	new_id = plain_first(ps, &n);
	plain = sort_by_name(ps->items, n, sizeof(*ps->items), 0);
	rest = sort_by_name(ps->items + n, ps->n - n, sizeof(*ps->items), 0);
	for (size_t i = 0; i < ps->n; i++)
		new_id[i] = new_id[i] < n ? plain[new_id[i]] : n + rest[new_id[i] - n];
	move_references(ps, n, new_id);
	p->port_sets = arena_array(&p->arena, ps->items, ps->n);
	p->n_port_sets = ps->n;
	port_sets_begin(ps);
	free(ps->items);
	name_table_free(&ps->names);
	*ret_new_id = new_id;
}
