// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Addresses that change identity: refine, flip, coarsen (docs/design.md, "Atomic from the packet's
 * view"). If sets of live pods flip too, an address first moves to a transit identity: for it,
 * every live set has the word of the old identity, every new set that of the new identity. So the
 * moves change no verdict; the flip of a pod changes its verdicts at once. Transit identities have
 * no name: the next apply finds what a kill leaves of them as unwanted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/addr.h"
#include "base/mem.h"
#include "sync/private.h"

#define PREFIX_MAX 128

/* ---- Longest prefix in a table of user memory ---- */

struct prefixes {
	const struct table *t;
	bool len[PREFIX_MAX + 1]; /* present */
};

static void prefixes_index(struct prefixes *p, const struct table *t)
{
	*p = (struct prefixes){ .t = t };
	for (size_t i = 0; i < t->n; i++) {
		uint32_t len = ((struct weir_prefix *)table_key(t, i))->prefix_len;

		if (len <= PREFIX_MAX)
			p->len[len] = true;
	}
}

/* The identity of a prefix that has no element of its own. */
static uint32_t covering(const struct prefixes *p, const struct weir_addr *addr, int len)
{
	for (; len >= 0; len--) {
		struct weir_prefix key = { .prefix_len = len };
		const uint32_t *identity;

		if (!p->len[len])
			continue;
		key.addr = addr_mask(addr, len);
		identity = table_find(p->t, &key);
		if (identity)
			return *identity;
	}
	return WEIR_IDENTITY_NONE;
}

/* ---- The list of moves ---- */

static struct move *add_move(struct sync *s, enum move_kind kind, const void *key)
{
	struct move *m = VEC_ADD(s->moves, s->n_moves, s->cap_moves);

	m->kind = kind;
	if (kind == MOVE_TRIE)
		m->prefix = *(const struct weir_prefix *)key;
	else if (kind == MOVE_HASH)
		m->prefix = (struct weir_prefix){ .prefix_len = PREFIX_MAX,
						  .addr = *(const struct weir_addr *)key };
	return m;
}

static void diff_moves(struct sync *s, enum weir_map map, enum move_kind kind)
{
	const struct table_diff *d = &s->diff[map];
	struct prefixes before, after;

	prefixes_index(&before, &s->live[WEIR_MAP_networks]);
	prefixes_index(&after, &s->want[WEIR_MAP_networks]);
	for (size_t i = 0; i < d->insert.n; i++) {
		struct move *m = add_move(s, kind, table_key(&d->insert, i));

		m->from = covering(&before, &m->prefix.addr, m->prefix.prefix_len);
		m->to = *(uint32_t *)table_value(&d->insert, i);
	}
	for (size_t i = 0; i < d->change.n; i++) {
		struct move *m = add_move(s, kind, table_key(&d->change, i));

		m->from = *(uint32_t *)table_find(&s->live[map], table_key(&d->change, i));
		m->to = *(uint32_t *)table_value(&d->change, i);
		m->live = true;
	}
	for (size_t i = 0; i < d->drop.n; i++) {
		struct move *m = add_move(s, kind, table_key(&d->drop, i));

		m->from = *(uint32_t *)table_value(&d->drop, i);
		m->to = covering(&after, &m->prefix.addr, m->prefix.prefix_len);
		m->live = true;
	}
}

static void slot_move(struct sync *s, uint32_t slot, int family, uint32_t from, uint32_t to)
{
	struct move *m;

	if (from == to)
		return;
	m = add_move(s, MOVE_SLOT, NULL);
	m->slot = slot;
	m->family = family;
	m->from = from;
	m->to = to;
	m->live = true;
}

/* New slots are written later, by pods_plug(). */
static void slot_moves(struct sync *s)
{
	const struct weir_pod *live = node_array(s->n, WEIR_MAP_pods);

	for (size_t i = 0; i < s->n_pods; i++) {
		const struct bound *b = &s->bound[WEIR_NAME_POD][i];

		for (int f = 0; f < 2 && !b->fresh; f++)
			slot_move(s, b->id, f, live[b->id].identity[f], s->pods[i].identity[f]);
	}
}

/* Inner prefixes first. */
static int by_length(const void *a, const void *b)
{
	const struct move *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->prefix.prefix_len < y->prefix.prefix_len) -
	       (x->prefix.prefix_len > y->prefix.prefix_len);
}

/* ---- Transit identities and their elements ---- */

static int by_pair(const void *a, const void *b)
{
	const struct transit *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int transits_take(struct sync *s)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < s->n_moves; i++)
		if (s->moves[i].from != s->moves[i].to)
			*VEC_ADD(s->transits, s->n_transits, s->cap_transits) =
				(struct transit){ s->moves[i].from, s->moves[i].to, 0 };
	if (s->n_transits)
		qsort(s->transits, s->n_transits, sizeof(*s->transits), by_pair);
	for (size_t i = 0; i < s->n_transits; i++)
		if (!n || by_pair(&s->transits[n - 1], &s->transits[i]))
			s->transits[n++] = s->transits[i];
	s->n_transits = n;
	for (size_t i = 0; i < n && !r; i++)
		r = idset_take(&s->ids[WEIR_NAME_IDENTITY], &s->transits[i].via);
	return r ? err_set(s->err, r, "no ids are left for %zu transit identities", n) : 0;
}

static void set_vias(struct sync *s)
{
	for (size_t i = 0; i < s->n_moves; i++) {
		struct transit key = { s->moves[i].from, s->moves[i].to, 0 };
		const struct transit *t = NULL;

		if (key.from != key.to && s->n_transits)
			t = bsearch(&key, s->transits, s->n_transits, sizeof(key), by_pair);
		s->moves[i].via = t ? t->via : 0;
	}
}

static void sets_in_use(const struct sync *s, struct idset *ret_ids)
{
	const struct weir_pod *pods = node_array(s->n, WEIR_MAP_pods);

	idset_init(ret_ids, 1u << 24);
	for (uint32_t slot = 0; slot < node_map_max(s->n, WEIR_MAP_pods); slot++) {
		if (!pods[slot].ref)
			continue;
		idset_mark(ret_ids, weir_pod_ingress_set(pods[slot].word));
		idset_mark(ret_ids, weir_pod_egress_set(pods[slot].word));
	}
}

struct element {
	struct weir_policy_key key;
	uint64_t word;
};

static int by_identity(const void *a, const void *b)
{
	uint32_t x = ((const struct element *)a)->key.identity,
		 y = ((const struct element *)b)->key.identity;

	return (x > y) - (x < y);
}

/* Elements of the sets that live pods use (in_use) or do not use, sorted by identity. */
static struct element *elements_of(const struct table *t, const struct idset *used, bool in_use,
				   size_t *ret_n)
{
	struct element *e = mem_zalloc((t->n + 1) * sizeof(*e));
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct weir_policy_key *key = table_key(t, i);

		if (idset_has(used, key->set) == in_use)
			e[n++] = (struct element){ *key, *(uint64_t *)table_value(t, i) };
	}
	qsort(e, n, sizeof(*e), by_identity);
	*ret_n = n;
	return e;
}

static void copy_elements(struct sync *s, const struct element *e, size_t n, uint32_t from,
			  uint32_t via)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e[middle].key.identity < from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && e[low].key.identity == from; low++) {
		struct weir_policy_key key = { .set = e[low].key.set, .identity = via };

		table_add(&s->transit_rules, &key, &e[low].word);
	}
}

static void transit_elements(struct sync *s)
{
	_cleanup_(mem_free) struct element *old = NULL, *new = NULL;
	struct idset used;
	size_t n_old, n_new;

	sets_in_use(s, &used);
	old = elements_of(&s->live[WEIR_MAP_policy_rules], &used, true, &n_old);
	new = elements_of(&s->want[WEIR_MAP_policy_rules], &used, false, &n_new);
	for (size_t i = 0; i < s->n_transits; i++) {
		copy_elements(s, old, n_old, s->transits[i].from, s->transits[i].via);
		copy_elements(s, new, n_new, s->transits[i].to, s->transits[i].via);
	}
	table_sort(&s->transit_rules);
	idset_free(&used);
}

int moves_plan(struct sync *s)
{
	int r;

	table_init(&s->transit_rules, WEIR_MAP_policy_rules);
	diff_moves(s, WEIR_MAP_identities, MOVE_HASH);
	diff_moves(s, WEIR_MAP_networks, MOVE_TRIE);
	slot_moves(s);
	if (s->n_moves)
		qsort(s->moves, s->n_moves, sizeof(*s->moves), by_length);
	if (!s->sets_flip)
		return 0;
	r = transits_take(s);
	if (r)
		return r;
	set_vias(s);
	transit_elements(s);
	return 0;
}

/* ---- Moving ---- */

static int move_hash(struct sync *s, const struct move *m, uint32_t value)
{
	struct weir_store_word arg = { .map = WEIR_STORE_IDENTITY,
				       .value = value,
				       .addr = m->prefix.addr };

	return sync_store_word(s, &arg);
}

static int move_prefix(struct sync *s, const struct move *m, uint32_t value)
{
	if (bpf_map_update_elem(sync_fd(s, WEIR_MAP_networks), &m->prefix, &value, BPF_ANY))
		return err_set(s->err, -errno, "write map networks: %s", strerror(errno));
	return 0;
}

static int move_to(struct sync *s, struct move *m, uint32_t value, struct table *new_hashes)
{
	struct weir_pod *pods = node_array(s->n, WEIR_MAP_pods);
	int r = 0;

	switch (m->kind) {
	case MOVE_SLOT:
		__atomic_store_n(&pods[m->slot].identity[m->family], value, __ATOMIC_RELEASE);
		break;
	case MOVE_TRIE:
		r = move_prefix(s, m, value);
		break;
	case MOVE_HASH:
		if (m->live)
			r = move_hash(s, m, value);
		else
			table_add(new_hashes, &m->prefix.addr, &value);
		break;
	}
	m->live = true;
	return r;
}

/*
 * Stores the transit identity, or the final one, of each move. A new element that changes no
 * identity (from == to) is inserted at once; an existing equal one is left alone.
 */
static int move_all(struct sync *s, bool to_end)
{
	_cleanup_(table_free) struct table new_hashes = {};
	int r = 0;

	table_init(&new_hashes, WEIR_MAP_identities);
	for (size_t i = 0; i < s->n_moves && !r; i++) {
		struct move *m = &s->moves[i];

		if (m->from != m->to || !m->live)
			r = move_to(s, m, to_end || !m->via ? m->to : m->via, &new_hashes);
	}
	return r ? r : table_write(sync_fd(s, WEIR_MAP_identities), &new_hashes, s->err);
}

int moves_to_transit(struct sync *s)
{
	return s->n_transits ? move_all(s, false) : 0;
}

int moves_to_end(struct sync *s)
{
	return move_all(s, true);
}
