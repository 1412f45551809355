// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which policies give way. See fit.h. */
#include <stdlib.h>
#include <string.h>

#include <weir/maps.h>

#include "compile/build.h"
#include "compile/fit.h"

/*
 * Pairs of a rule and a prefix that its blocks hold: compiling takes about 40 bytes for each. 4,000
 * rules of "0.0.0.0/0 except X" need that many.
 */
#define WORK_MAX (1u << 24)
#define REPEATED_MAX 24
#define ATTEMPTS_ALONE 12 /* in which one namespace alone gives way */

void closed_add(struct closed_list *list, const struct plan_closed *item)
{
	struct plan_closed *c = VEC_ADD(list->items, list->n, list->cap);

	*c = *item;
	c->policy = arena_strdup(&list->arena, item->policy);
}

bool closed_has(const struct closed_list *list, const char *policy, enum kube_direction direction)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].direction == direction && !strcmp(list->items[i].policy, policy))
			return true;
	return false;
}

void closed_free(struct closed_list *list)
{
	free(list->items);
	arena_free(&list->arena);
	*list = (struct closed_list){};
}

/* ---- What each policy needs ---- */

/* By 2 * index of actives[] + direction. */
struct weights {
	const struct build *b;
	uint64_t *items;
	size_t n;
};

static void weights_free(struct weights *w)
{
	free(w->items);
}

static struct weights weights_new(const struct build *b)
{
	return (struct weights){ b, mem_zalloc(2 * b->n_actives * sizeof(uint64_t)),
				 2 * b->n_actives };
}

static void add_weight(struct weights *w, uint32_t rule, uint64_t n)
{
	if (rule)
		w->items[2 * w->b->rules[rule].active + w->b->plan->rules[rule].direction] += n;
}

/* Prefixes of the rule's blocks: whole addresses, or all others. */
static uint64_t prefixes_of(const struct build *b, uint32_t rule, bool whole)
{
	uint64_t n = 0;

	for (size_t i = 0; i < b->rules[rule].peers.n; i++) {
		const struct kube_peer *peer = b->peers[b->rules[rule].peers.items[i]].peer;

		n += peer->has_block && (peer->block.len == 128) == whole;
		for (size_t e = 0; peer->has_block && e < peer->n_except; e++)
			n += (peer->except[e].len == 128) == whole;
	}
	return n;
}

static uint32_t rule_of(const struct plan *p, const struct plan_word *w)
{
	return w->kind == WEIR_WORD_PORTS ? plan_first_rule(p, w->ports) : w->rule;
}

/* How far a rule tells addresses and pods apart: every set may get an element for each part. */
static uint64_t splits_of(const struct build *b, uint32_t rule)
{
	return b->rules[rule].peers.n + prefixes_of(b, rule, true) + prefixes_of(b, rule, false);
}

static int by_word(const void *a, const void *b)
{
	const struct plan_word *x = a, *y = b;
	uint32_t i = x->kind == WEIR_WORD_PORTS ? x->ports : x->rule,
		 j = y->kind == WEIR_WORD_PORTS ? y->ports : y->rule;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind : (i > j) - (i < j);
}

/* The distinct words of a set are its own policies' doing. Returns how many elements are more. */
static uint64_t weigh_words(struct weights *w, const struct plan_set *set)
{
	_cleanup_(mem_free) struct plan_word *words =
		mem_zalloc((set->n_elements + 1) * sizeof(*words));
	size_t n;

	for (size_t e = 0; e < set->n_elements; e++)
		words[e] = set->elements[e].word;
	n = array_unique(words, set->n_elements, sizeof(*words), by_word);
	for (size_t i = 0; i < n; i++)
		add_weight(w, rule_of(w->b->plan, &words[i]), 1);
	return set->n_elements - n;
}

/*
 * A set has more elements than words since other policies too tell its peers apart: these elements
 * are theirs, by how far each does.
 */
static void weigh_elements(struct weights *w)
{
	const struct plan *p = w->b->plan;
	uint64_t more = 0, splits = 0;

	for (size_t s = 1; s < p->n_sets; s++)
		more += weigh_words(w, &p->sets[s]);
	for (size_t i = 1; i < p->n_rules; i++)
		splits += splits_of(w->b, i);
	for (size_t i = 1; i < p->n_rules; i++)
		add_weight(w, i, more * splits_of(w->b, i) / (splits + !splits));
}

static void weigh_ranges(struct weights *w)
{
	const struct plan *p = w->b->plan;

	for (size_t i = 0; i < p->n_port_sets; i++)
		for (size_t r = 0; r < p->port_sets[i].n_ranges; r++)
			add_weight(w, rule_of(p, &p->port_sets[i].ranges[r].word), 1);
}

/* Rules, identities of blocks, port sets; a policy set is one for many. */
static void weigh_names(struct weights *w)
{
	const struct plan *p = w->b->plan;

	for (size_t i = 1; i < p->n_rules; i++)
		add_weight(w, i, 1 + splits_of(w->b, i));
	for (size_t i = 0; i < p->n_port_sets; i++)
		add_weight(w, plan_first_rule(p, i), 1);
}

static void weigh(struct weights *w, enum weir_map table)
{
	switch (table) {
	case WEIR_MAP_policy_rules:
		weigh_elements(w);
		break;
	case WEIR_MAP_port_ranges:
		weigh_ranges(w);
		break;
	case WEIR_MAP_networks:
	case WEIR_MAP_identities:
		for (size_t i = 1; i < w->b->plan->n_rules; i++)
			add_weight(w, i, prefixes_of(w->b, i, table == WEIR_MAP_identities));
		break;
	default:
		weigh_names(w);
	}
}

/* ---- Who gives way ---- */

static const char *namespace_of(const struct weights *w, size_t i)
{
	return w->b->actives[i / 2].policy->meta.ns;
}

/* The heaviest policy of the heaviest namespace; of equal ones the first by name. n: there is none.
 */
static size_t heaviest(const struct weights *w)
{
	uint64_t most = 0, sum;
	size_t found = w->n, end;

	for (size_t i = 0; i < w->n; i = end) {
		size_t top = i;

		sum = 0;
		for (end = i; end < w->n && !strcmp(namespace_of(w, i), namespace_of(w, end));
		     end++) {
			sum += w->items[end];
			top = w->items[end] > w->items[top] ? end : top;
		}
		if (sum > most) {
			most = sum;
			found = top;
		}
	}
	return found;
}

/*
 * Weights are near what closing a policy frees, not exact. So one namespace gives way at a time,
 * and all are weighed again; if it is the same one, it frees twice as much. Only after many
 * attempts several give way at once.
 */
static bool close_heaviest(struct weights *w, enum weir_map table, uint64_t need, uint64_t size,
			   struct closed_list *closed)
{
	size_t before = closed->n, i = heaviest(w);
	const char *ns = i < w->n ? namespace_of(w, i) : NULL;
	uint64_t left = need - size;

	if (ns && closed->ns && !strcmp(ns, closed->ns))
		closed->repeated += closed->repeated < REPEATED_MAX;
	else
		closed->repeated = 0;
	closed->ns = ns;
	left <<= closed->repeated;
	for (; left && i < w->n; i = heaviest(w)) {
		struct plan_closed c = { .policy = w->b->actives[i / 2].text,
					 .direction = i % 2,
					 .table = table,
					 .need = need,
					 .size = size };

		if (closed->attempts < ATTEMPTS_ALONE && strcmp(namespace_of(w, i), ns))
			break;
		closed_add(closed, &c);
		left -= w->items[i] < left ? w->items[i] : left;
		w->items[i] = 0;
	}
	closed->attempts++;
	return closed->n > before;
}

/* ---- Tables ---- */

static uint64_t count_addresses(const struct plan *p, bool whole)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->n_addresses; i++)
		n += (p->addresses[i].pod || p->addresses[i].cidr.len == 128) == whole;
	return n;
}

static uint64_t count_elements(const struct plan *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->n_sets; i++)
		n += p->sets[i].n_elements;
	return n;
}

static uint64_t count_ranges(const struct plan *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->n_port_sets; i++)
		n += p->port_sets[i].n_ranges;
	return n;
}

/* At most what an apply of the plan alone needs. */
static uint64_t need_of(const struct plan *p, enum weir_map table)
{
	switch (table) {
	case WEIR_MAP_networks:
		return count_addresses(p, false);
	case WEIR_MAP_identities:
		return count_addresses(p, true);
	case WEIR_MAP_policy_rules:
		return count_elements(p);
	case WEIR_MAP_port_ranges:
		return count_ranges(p);
	case WEIR_MAP_policy_sets:
		return p->n_sets;
	default: /* each list but that of port sets and pods begins with a placeholder */
		return p->n_rules + p->n_identities + p->n_sets + p->n_services - 4 +
		       p->n_port_sets + p->n_pods;
	}
}

bool fit_tables(const struct build *b, const uint32_t *sizes, struct closed_list *closed)
{
	static const enum weir_map tables[] = { WEIR_MAP_networks,     WEIR_MAP_identities,
						WEIR_MAP_policy_rules, WEIR_MAP_port_ranges,
						WEIR_MAP_policy_sets,  WEIR_MAP_names };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint64_t need = need_of(b->plan, tables[i]),
			 size = plan_size_of(sizes, tables[i]);
		_cleanup_(weights_free) struct weights w = {};

		if (need <= size)
			continue;
		w = weights_new(b);
		weigh(&w, tables[i]);
		if (close_heaviest(&w, tables[i], need, size, closed))
			return false;
	}
	return true;
}

/* ---- The work of compiling ---- */

static int by_prefix(const void *a, const void *b)
{
	return cidr_compare(a, b);
}

/* All prefixes of blocks, each once. The caller frees them. */
static struct cidr *all_prefixes(const struct build *b, size_t *ret_n)
{
	struct cidr *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < b->n_peers; i++) {
		const struct kube_peer *peer = b->peers[i].peer;

		if (peer->has_block)
			*VEC_ADD(list, n, cap) = peer->block;
		for (size_t e = 0; peer->has_block && e < peer->n_except; e++)
			*VEC_ADD(list, n, cap) = peer->except[e];
	}
	*ret_n = array_unique(list, n, sizeof(*list), by_prefix);
	return list;
}

/* Prefixes inside a block: those from it to its last address. */
static uint64_t prefixes_inside(const struct cidr *list, size_t n, const struct cidr *block)
{
	struct weir_addr last = block->addr;
	size_t first = 0, high = n;

	for (unsigned int bit = block->len; bit < 128; bit++)
		last.b[bit / 8] |= 0x80 >> bit % 8;
	while (first < high) {
		size_t middle = first + (high - first) / 2;

		if (cidr_compare(&list[middle], block) < 0)
			first = middle + 1;
		else
			high = middle;
	}
	return cidr_count_until(list, n, sizeof(*list), &last) - first;
}

bool fit_work(const struct build *b, struct closed_list *closed)
{
	_cleanup_(weights_free) struct weights w = weights_new(b);
	_cleanup_(mem_free) uint64_t *inside = mem_zalloc((b->n_peers + 1) * sizeof(*inside));
	_cleanup_(mem_free) struct cidr *list = NULL;
	uint64_t sum = 0;
	size_t n;

	list = all_prefixes(b, &n);
	for (size_t i = 0; i < b->n_peers; i++)
		if (b->peers[i].peer->has_block)
			inside[i] = prefixes_inside(list, n, &b->peers[i].peer->block);
	for (size_t r = 1; r < b->plan->n_rules; r++)
		for (size_t i = 0; i < b->rules[r].peers.n; i++) {
			add_weight(&w, r, inside[b->rules[r].peers.items[i]]);
			sum += inside[b->rules[r].peers.items[i]];
		}
	return sum <= WORK_MAX || !close_heaviest(&w, _WEIR_MAP_MAX, sum, WORK_MAX, closed);
}
