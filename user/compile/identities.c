// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Identities. Addresses share one when the same peers in use match them and every port name in use
 * resolves equally on them. Its name is the hash of just that, so a new peer renames only the
 * identities that it matches. A pod's address gets an element of its own only where the longest
 * prefix gives another identity.
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "compile/build.h"

struct known_key {
	uint32_t class, region, resolution;
};

/* The identity of each combination, so that each is hashed once. */
struct known {
	struct known_key key;
	uint32_t identity;
	UT_hash_handle hh;
};

struct resolution_entry {
	uint32_t id;
	UT_hash_handle hh;
	struct resolved key[];
};

struct identity_build {
	struct build *b;
	struct known *known;
	struct arena arena;
	struct name_table names;
	struct resolution_entry *resolutions;
	struct plan_address *addresses;
	size_t n_addresses, cap_addresses;
};

/* ---- Port names in use, as each pod resolves them ---- */

static int by_resolved(const void *a, const void *b)
{
	const struct resolved *x = a, *y = b;

	return x->name != y->name ? (x->name > y->name) - (x->name < y->name)
				  : (int)x->port - (int)y->port;
}

static size_t resolve(const struct build *b, const struct kube_pod *pod, struct resolved *list)
{
	size_t n = 0;

	for (size_t i = 0; i < pod->n_ports; i++) {
		uint32_t name = port_name_find(b, pod->ports[i].name, pod->ports[i].proto);

		if (name != PLAN_NONE) {
			memset(&list[n], 0, sizeof(*list)); /* hashed as a key: clear padding */
			list[n].name = name;
			list[n++].port = pod->ports[i].port;
		}
	}
	return array_unique(list, n, sizeof(*list), by_resolved);
}

static uint32_t resolution_id(struct identity_build *ib, const struct resolved *list, size_t n)
{
	struct build *b = ib->b;
	struct resolution_entry *e;
	size_t size = n * sizeof(*list);

	if (!n)
		return 0;
	HASH_FIND(hh, ib->resolutions, list, size, e);
	if (e)
		return e->id;
	e = arena_zalloc(&b->arena, sizeof(*e) + size);
	memcpy(e->key, list, size);
	e->id = b->n_resolutions;
	HASH_ADD_KEYPTR(hh, ib->resolutions, e->key, size, e);
	*VEC_ADD(b->resolutions, b->n_resolutions, b->cap_resolutions) =
		(struct resolution){ e->key, n };
	return e->id;
}

static void resolve_pods(struct identity_build *ib)
{
	struct build *b = ib->b;
	struct resolved *list = NULL;
	size_t cap = 0;

	VEC_ADD(b->resolutions, b->n_resolutions, b->cap_resolutions)->n = 0;
	if (!b->n_port_names)
		return;
	b->resolution_of = mem_zalloc(b->store->n_pods * sizeof(*b->resolution_of));
	for (size_t i = 0; i < b->store->n_pods; i++) {
		const struct kube_pod *pod = b->store->pods[i];

		if (!b->class_of[i] || !pod->n_ports)
			continue;
		list = mem_grow(list, &cap, pod->n_ports, sizeof(*list));
		b->resolution_of[i] = resolution_id(ib, list, resolve(b, pod, list));
	}
	free(list);
}

/* ---- Identities ---- */

static struct plan_hash identity_name(const struct build *b, const struct ids *peers,
				      const struct resolution *r)
{
	struct hasher h;

	hash_begin(&h, "identity");
	hash_u32(&h, peers->n);
	for (size_t i = 0; i < peers->n; i++)
		hash_name(&h, &b->peers[peers->items[i]].name);
	for (size_t i = 0; i < r->n; i++) {
		hash_text(&h, b->port_names[r->items[i].name].name);
		hash_u32(&h, b->port_names[r->items[i].name].proto);
		hash_u32(&h, r->items[i].port);
	}
	return hash_end(&h);
}

static const char *identity_text(struct identity_build *ib, const struct kube_pod *pod,
				 uint32_t region)
{
	struct arena *a = &ib->b->plan->arena;
	char text[ADDR_TEXT_MAX];

	if (pod)
		return arena_printf(a, "%s/%s", pod->meta.ns, pod->meta.name);
	return arena_strdup(a, cidr_text(&ib->b->regions[region].cidr, text));
}

static uint32_t identity_new(struct identity_build *ib, const struct known_key *key,
			     const struct kube_pod *pod)
{
	static const struct ids none;
	struct build *b = ib->b;
	const struct ids *by_block =
		key->region == PLAN_NONE ? &none : &b->regions[key->region].peers;
	struct identity it = { .resolution = key->resolution };
	uint32_t id;

	ids_merge(key->class ? &b->classes[key->class].peers : &none, by_block, &it.peers);
	if (!it.peers.n && !it.resolution) {
		ids_free(&it.peers);
		return 0;
	}
	it.named.name = identity_name(b, &it.peers, &b->resolutions[it.resolution]);
	id = name_table_add(&ib->names, &it.named.name, b->n_identities);
	if (id < b->n_identities) {
		ids_free(&it.peers);
		return id;
	}
	it.named.text = identity_text(ib, pod, key->region);
	*VEC_ADD(b->identities, b->n_identities, b->cap_identities) = it;
	return id;
}

static uint32_t identity_get(struct identity_build *ib, const struct known_key *key,
			     const struct kube_pod *pod)
{
	struct known *k;

	HASH_FIND(hh, ib->known, key, sizeof(*key), k);
	if (k)
		return k->identity;
	k = arena_zalloc(&ib->arena, sizeof(*k));
	k->key = *key;
	k->identity = identity_new(ib, key, pod);
	HASH_ADD(hh, ib->known, key, sizeof(k->key), k);
	return k->identity;
}

/* ---- Addresses ---- */

static void add_address(struct identity_build *ib, const struct cidr *cidr, uint32_t identity,
			bool pod)
{
	*VEC_ADD(ib->addresses, ib->n_addresses, ib->cap_addresses) =
		(struct plan_address){ .cidr = *cidr, .identity = identity, .pod = pod };
}

static void add_regions(struct identity_build *ib)
{
	for (size_t i = 0; i < ib->b->n_regions; i++) {
		struct region *r = &ib->b->regions[i];

		r->identity = identity_get(ib, &(struct known_key){ .region = i }, NULL);
		add_address(ib, &r->cidr, r->identity, false);
	}
}

static void add_pod(struct identity_build *ib, size_t at, const struct weir_addr *addr)
{
	struct build *b = ib->b;
	const struct kube_pod *pod = b->store->pods[at];
	uint32_t region = region_find(b, addr), identity;
	struct known_key key = {
		.class = b->class_of[at],
		.region = region,
		.resolution = b->resolution_of ? b->resolution_of[at] : 0,
	};

	identity = identity_get(ib, &key, pod);
	if (identity != (region == PLAN_NONE ? 0 : b->regions[region].identity))
		add_address(ib, &(struct cidr){ *addr, 128 }, identity, true);
}

static void add_pods(struct identity_build *ib)
{
	const struct store *s = ib->b->store;

	for (size_t i = 0; i < s->n_pods; i++)
		for (int family = 0; ib->b->class_of[i] && family < 2; family++) {
			const struct weir_addr *addr = &s->pods[i]->addr[family];

			if (!weir_addr_is_zero(addr) && store_pod_by_addr(s, addr) == s->pods[i])
				add_pod(ib, i, addr);
		}
}

/* ---- Into the plan ---- */

/* By name; identity 0 stays first. */
static void sort_identities(struct identity_build *ib)
{
	struct build *b = ib->b;
	size_t n = b->n_identities;
	_cleanup_(mem_free) uint32_t *new_id =
		sort_by_name(b->identities, n, sizeof(*b->identities), 1);
	struct plan *p = b->plan;

	p->n_identities = n;
	p->identities = arena_zalloc(&p->arena, n * sizeof(*p->identities));
	for (size_t i = 0; i < n; i++)
		p->identities[i] = b->identities[i].named;
	for (size_t i = 0; i < ib->n_addresses; i++)
		ib->addresses[i].identity = new_id[ib->addresses[i].identity];
}

static int by_address(const void *a, const void *b)
{
	const struct plan_address *x = a, *y = b;
	int order = cidr_compare(&x->cidr, &y->cidr);

	return order ? order : (int)x->pod - (int)y->pod;
}

static void sort_addresses(struct identity_build *ib)
{
	struct plan *p = ib->b->plan;
	uint32_t last = PLAN_NONE;

	qsort(ib->addresses, ib->n_addresses, sizeof(*ib->addresses), by_address);
	p->n_addresses = ib->n_addresses;
	p->addresses = arena_array(&p->arena, ib->addresses, ib->n_addresses);
	for (size_t i = 0; i < p->n_addresses; i++) {
		struct plan_address *a = &p->addresses[i];

		while (last != PLAN_NONE && !prefix_holds(&p->addresses[last].cidr, &a->cidr))
			last = p->addresses[last].parent;
		a->parent = last;
		if (!a->pod)
			last = i;
	}
}

/* From peers and port names to identities, for the sets. */
static void index_identities(struct build *b)
{
	for (size_t i = 1; i < b->n_identities; i++) {
		const struct resolution *r = &b->resolutions[b->identities[i].resolution];

		for (size_t p = 0; p < b->identities[i].peers.n; p++)
			IDS_ADD(&b->peers[b->identities[i].peers.items[p]].identities, i);
		for (size_t n = 0; n < r->n; n++)
			if (!n || r->items[n].name != r->items[n - 1].name)
				IDS_ADD(&b->port_names[r->items[n].name].identities, i);
	}
}

static void identity_build_free(struct identity_build *ib)
{
	HASH_CLEAR(hh, ib->known);
	HASH_CLEAR(hh, ib->resolutions);
	arena_free(&ib->arena);
	name_table_free(&ib->names);
	free(ib->addresses);
}

void build_identities(struct build *b)
{
	_cleanup_(identity_build_free) struct identity_build ib = { .b = b };
	struct plan *p = b->plan;

	VEC_ADD(b->identities, b->n_identities, b->cap_identities)->named.text = "";
	resolve_pods(&ib);
	add_regions(&ib);
	add_pods(&ib);
	sort_identities(&ib);
	sort_addresses(&ib);
	index_identities(b);
	for (size_t i = 0; i < p->n_pods; i++)
		for (int family = 0; family < 2; family++)
			if (!weir_addr_is_zero(&p->pods[i].addr[family]))
				p->pods[i].identity[family] =
					plan_identity(p, &p->pods[i].addr[family]);
}
