// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policies that take too much time or memory to compile. See fit.h. All is counted before anything
 * is made of it.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/fit.h"
#include "compile/weights.h"

/* Pairs of a rule and an identity, of all sets together: 15 ns for each. */
#define SETS_WORK_MAX (1u << 28)

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

/* work: of each peer; n_sets: how often a rule's peers are looked at, NULL: once. */
static bool fits(const struct build *b, const uint64_t *work, const uint32_t *n_sets, uint64_t max,
		 struct closed_list *closed)
{
	_cleanup_(weights_free) struct weights weights = weights_new(b);
	uint64_t sum = 0;

	for (size_t r = 1; r < b->plan->n_rules; r++) {
		const struct ids *peers = &b->rules[r].peers;
		size_t policy = 2 * b->rules[r].active + b->plan->rules[r].direction;
		uint64_t n = 0;

		for (size_t i = 0; i < peers->n; i++)
			n += work[peers->items[i]];
		n *= n_sets ? n_sets[policy] : 1;
		weights_add(&weights, r, n);
		sum += n;
	}
	return sum <= max || !weights_close(&weights, _WEIR_MAP_MAX, sum, max, closed);
}

static bool blocks_fit(const struct build *b, struct closed_list *closed)
{
	_cleanup_(mem_free) uint64_t *inside = mem_zalloc((b->n_peers + 1) * sizeof(*inside));
	_cleanup_(mem_free) struct cidr *list = NULL;
	size_t n;

	list = all_prefixes(b, &n);
	for (size_t i = 0; i < b->n_peers; i++)
		if (b->peers[i].peer->has_block)
			inside[i] = prefixes_inside(list, n, &b->peers[i].peer->block);
	return fits(b, inside, NULL, FIT_WORK_MAX, closed);
}

/* A selector is tried once for all rules that have it. */
static bool selectors_fit(const struct build *b, struct closed_list *closed)
{
	_cleanup_(mem_free) uint64_t *tries = mem_zalloc((b->n_peers + 1) * sizeof(*tries));
	uint64_t sum = 0;

	for (size_t i = 0; i < b->n_peers; i++)
		sum += tries[i] = b->peers[i].tries;
	return sum <= FIT_WORK_MAX || fits(b, tries, NULL, FIT_WORK_MAX, closed);
}

bool fit_work(const struct build *b, struct closed_list *closed)
{
	return blocks_fit(b, closed) && selectors_fit(b, closed);
}

/* ---- Sets ---- */

/*
 * How many sets each policy is in, by 2 * index of actives[] + direction: pods under the same
 * policies share one. The caller frees it.
 */
static uint32_t *count_sets(const struct build *b)
{
	_cleanup_(name_table_free) struct name_table known = {};
	uint32_t *n_sets = mem_zalloc((2 * b->n_actives + 1) * sizeof(*n_sets)), n = 0;

	for (size_t l = 0; l < b->plan->n_pods; l++) {
		const struct ids *policies = &b->locals[l].policies;
		struct plan_hash name;
		struct hasher h;

		hash_begin(&h, "policies");
		for (size_t i = 0; i < policies->n; i++)
			hash_u32(&h, policies->items[i]);
		name = hash_end(&h);
		if (name_table_add(&known, &name, n) < n)
			continue;
		n++;
		for (size_t i = 0; i < 2 * policies->n; i++)
			n_sets[2 * policies->items[i / 2] + i % 2]++;
	}
	return n_sets;
}

bool fit_sets(const struct build *b, struct closed_list *closed)
{
	_cleanup_(mem_free) uint64_t *pairs = mem_zalloc((b->n_peers + 1) * sizeof(*pairs));
	_cleanup_(mem_free) uint32_t *n_sets = count_sets(b);

	for (size_t i = 0; i < b->n_peers; i++)
		pairs[i] = b->peers[i].identities.n;
	return fits(b, pairs, n_sets, SETS_WORK_MAX, closed);
}
