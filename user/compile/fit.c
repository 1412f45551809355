// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Policies that do not fit the tables. See fit.h. */
#include <stdlib.h>
#include <string.h>

#include <weir/maps.h>

#include "compile/fit.h"
#include "compile/weights.h"

/* ---- What each policy needs ---- */

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
		weights_add(w, rule_of(w->b->plan, &words[i]), 1);
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
		weights_add(w, i, more * splits_of(w->b, i) / (splits + !splits));
}

static void weigh_ranges(struct weights *w)
{
	const struct plan *p = w->b->plan;

	for (size_t i = 0; i < p->n_port_sets; i++)
		for (size_t r = 0; r < p->port_sets[i].n_ranges; r++)
			weights_add(w, rule_of(p, &p->port_sets[i].ranges[r].word), 1);
}

/* Rules, identities of blocks, port sets; a policy set is one for many. */
static void weigh_names(struct weights *w)
{
	const struct plan *p = w->b->plan;

	for (size_t i = 1; i < p->n_rules; i++)
		weights_add(w, i, 1 + splits_of(w->b, i));
	for (size_t i = 0; i < p->n_port_sets; i++)
		weights_add(w, plan_first_rule(p, i), 1);
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
			weights_add(w, i, prefixes_of(w->b, i, table == WEIR_MAP_identities));
		break;
	default:
		weigh_names(w);
	}
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
		uint64_t need = need_of(b->plan, tables[i]), size = plan_size_of(sizes, tables[i]);
		_cleanup_(weights_free) struct weights w = {};

		if (need <= size)
			continue;
		w = weights_new(b);
		weigh(&w, tables[i]);
		if (weights_close(&w, tables[i], need, size, closed))
			return false;
	}
	return true;
}
