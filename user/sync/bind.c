// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Names to ids: all ids are assigned here. A name in the map `names` keeps its id if the live
 * tables hold the expected contents under it; what a kill left half-written gets another id and is
 * never repaired in place. New ids are the smallest that no live name and no live element uses, so
 * an id that this apply frees is not reused in it.
 */
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "sync/private.h"

struct kind_row {
	size_t n; /* items of the plan, by index; 0 is a placeholder if first is 1 */
	size_t first;
	enum weir_map array; /* indexed by the ids; _WEIR_MAP_MAX: none */
	bool extent;
	/* NULL: see bind_backend.c */
	const struct plan_hash *(*name)(const struct sync *s, size_t i);
	uint32_t (*len)(const struct sync *s, size_t i); /* of an extent */
	/* Are the live contents under this id the plan's? NULL: nothing to compare. */
	bool (*holds)(struct sync *s, size_t i, uint32_t id);
};

/* ---- Names and contents of each kind ---- */

static const struct plan_hash *rule_name(const struct sync *s, size_t i)
{
	return &s->p->rules[i].name;
}

static const struct plan_hash *identity_name(const struct sync *s, size_t i)
{
	return &s->p->identities[i].name;
}

static const struct plan_hash *set_name(const struct sync *s, size_t i)
{
	return &s->p->sets[i].name;
}

static const struct plan_hash *port_set_name(const struct sync *s, size_t i)
{
	return &s->p->port_sets[i].name;
}

static const struct plan_hash *service_name(const struct sync *s, size_t i)
{
	return &s->p->services[i].name;
}

/* Covers everything that makes it another attachment, which gets another slot. */
static const struct plan_hash *pod_name(const struct sync *s, size_t i)
{
	static _Thread_local struct plan_hash hash;
	const struct sync_pod *pod = &s->pods[i];
	const char *const text[] = { pod->a->ns, pod->a->name, pod->a->uid ? pod->a->uid : "" };
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t t = 0; t < ARRAY_SIZE(text); t++)
		crypto_generichash_update(&state, (const unsigned char *)text[t],
					  strlen(text[t]) + 1);
	crypto_generichash_update(&state, (const unsigned char *)&pod->a->ifindex,
				  sizeof(pod->a->ifindex));
	crypto_generichash_update(&state, pod->a->mac, sizeof(pod->a->mac));
	crypto_generichash_update(&state, (const unsigned char *)pod->addr, sizeof(pod->addr));
	crypto_generichash_final(&state, hash.b, sizeof(hash));
	return &hash;
}

static uint32_t port_set_len(const struct sync *s, size_t i)
{
	return s->p->port_sets[i].n_ranges;
}

static bool port_set_holds(struct sync *s, size_t i, uint32_t offset)
{
	const struct weir_port_range *live = node_array(s->n, WEIR_MAP_port_ranges);
	const struct plan_port_set *set = &s->p->port_sets[i];

	for (size_t r = 0; r < set->n_ranges; r++) {
		struct weir_port_range want = bound_range(s, &set->ranges[r]);

		if (memcmp(&live[offset + r], &want, sizeof(want)))
			return false;
	}
	return true;
}

/* Elements may be missing (an unused set, or new identities), but none may differ. */
static bool set_holds(struct sync *s, size_t i, uint32_t id)
{
	const uint64_t *words = node_array(s->n, WEIR_MAP_policy_sets);
	const struct plan_set *set = &s->p->sets[i];

	if (words[id] != bound_word(s, &set->default_word))
		return false;
	for (size_t e = 0; e < set->n_elements; e++) {
		const struct plan_element *el = &set->elements[e];
		struct weir_policy_key key = {
			.set = id, .identity = s->bound[WEIR_NAME_IDENTITY][el->identity].id
		};
		const uint64_t *word = table_find(&s->live[WEIR_MAP_policy_rules], &key);

		if (word && *word != bound_word(s, &el->word))
			return false;
	}
	return true;
}

static bool pod_holds(struct sync *s, size_t i, uint32_t slot)
{
	const struct weir_pod *live = (struct weir_pod *)node_array(s->n, WEIR_MAP_pods) + slot;
	const struct sync_pod *pod = &s->pods[i];

	return live->ref && live->ifindex == pod->a->ifindex &&
	       !memcmp(live->mac, pod->a->mac, sizeof(live->mac)) &&
	       !memcmp(live->addr, pod->addr, sizeof(live->addr));
}

static void kind_of(const struct sync *s, enum weir_name_kind kind, struct kind_row *k)
{
	static const struct kind_row rows[] = {
		[WEIR_NAME_IDENTITY] = { .first = 1,
					 .array = _WEIR_MAP_MAX,
					 .name = identity_name },
		[WEIR_NAME_POLICY_SET] = { .first = 1,
					   .array = WEIR_MAP_policy_sets,
					   .name = set_name,
					   .holds = set_holds },
		[WEIR_NAME_PORT_SET] = { .array = WEIR_MAP_port_ranges,
					 .extent = true,
					 .name = port_set_name,
					 .len = port_set_len,
					 .holds = port_set_holds },
		[WEIR_NAME_RULE] = { .first = 1, .array = _WEIR_MAP_MAX, .name = rule_name },
		[WEIR_NAME_SERVICE] = { .first = 1,
					.array = WEIR_MAP_services,
					.name = service_name },
		[WEIR_NAME_BACKEND] = { .array = WEIR_MAP_backends },
		[WEIR_NAME_BACKEND_EXTENT] = { .first = 1,
					       .array = WEIR_MAP_backend_slots,
					       .extent = true },
		[WEIR_NAME_POD] = { .array = WEIR_MAP_pods, .name = pod_name, .holds = pod_holds },
	};
	const size_t n[] = {
		[WEIR_NAME_IDENTITY] = s->p->n_identities,
		[WEIR_NAME_POLICY_SET] = s->p->n_sets,
		[WEIR_NAME_PORT_SET] = s->p->n_port_sets,
		[WEIR_NAME_RULE] = s->p->n_rules,
		[WEIR_NAME_SERVICE] = s->p->n_services,
		[WEIR_NAME_BACKEND] = s->p->n_backends,
		[WEIR_NAME_BACKEND_EXTENT] = bound_list(s->p->n_services, 0),
		[WEIR_NAME_POD] = s->n_pods,
	};

	*k = rows[kind];
	k->n = n[kind];
}

/* ---- What is in use ---- */

/* An extent that a live one refers to has a name for as long: it is marked by that. */
static void mark_extent(struct sync *s, uint64_t word)
{
	if (weir_word_kind(word) == WEIR_WORD_PORTS)
		extents_mark(&s->extents[WEIR_NAME_PORT_SET], weir_word_offset(word),
			     weir_word_len(word));
}

static void mark_elements(struct sync *s)
{
	const struct table *t = &s->live[WEIR_MAP_policy_rules];

	for (size_t i = 0; i < t->n; i++) {
		const struct weir_policy_key *key = table_key(t, i);

		idset_mark(&s->ids[WEIR_NAME_POLICY_SET], key->set);
		idset_mark(&s->ids[WEIR_NAME_IDENTITY], key->identity);
		mark_extent(s, *(uint64_t *)table_value(t, i));
	}
}

static void mark_identities(struct sync *s, enum weir_map map)
{
	const struct table *t = &s->live[map];

	for (size_t i = 0; i < t->n; i++)
		idset_mark(&s->ids[WEIR_NAME_IDENTITY], *(uint32_t *)table_value(t, i));
}

static void mark_services(struct sync *s)
{
	const struct table *frontends = &s->live[WEIR_MAP_frontends],
			   *ranges = &s->live[WEIR_MAP_source_ranges];

	for (size_t i = 0; i < frontends->n; i++)
		idset_mark(&s->ids[WEIR_NAME_SERVICE],
			   weir_frontend_service(*(uint64_t *)table_value(frontends, i)));
	for (size_t i = 0; i < ranges->n; i++)
		idset_mark(&s->ids[WEIR_NAME_SERVICE],
			   ((struct weir_source_range *)table_key(ranges, i))->service);
}

static void mark_pods(struct sync *s)
{
	const struct weir_pod *pods = node_array(s->n, WEIR_MAP_pods);

	for (uint32_t slot = 0; slot < node_map_max(s->n, WEIR_MAP_pods); slot++) {
		if (!pods[slot].ref)
			continue;
		idset_mark(&s->ids[WEIR_NAME_POD], slot);
		idset_mark(&s->ids[WEIR_NAME_IDENTITY], pods[slot].identity[0]);
		idset_mark(&s->ids[WEIR_NAME_IDENTITY], pods[slot].identity[1]);
		idset_mark(&s->ids[WEIR_NAME_POLICY_SET], weir_pod_ingress_set(pods[slot].word));
		idset_mark(&s->ids[WEIR_NAME_POLICY_SET], weir_pod_egress_set(pods[slot].word));
	}
}

static void mark_names(struct sync *s)
{
	const struct table *t = &s->live[WEIR_MAP_names];

	for (size_t i = 0; i < t->n; i++) {
		const struct weir_name *name = table_key(t, i);
		const struct weir_name_id *id = table_value(t, i);

		if (name->kind >= _WEIR_NAME_MAX)
			continue;
		idset_mark(&s->ids[name->kind], id->id);
		extents_mark(&s->extents[name->kind], id->id, id->len);
	}
}

static void mark_all(struct sync *s)
{
	for (int kind = 1; kind < _WEIR_NAME_MAX; kind++) {
		struct kind_row k;

		kind_of(s, kind, &k);
		idset_init(&s->ids[kind], bound_limit(s, k.array));
		extents_init(&s->extents[kind], k.extent ? node_map_max(s->n, k.array) : 0);
	}
	mark_names(s);
	mark_elements(s);
	mark_pods(s);
	mark_identities(s, WEIR_MAP_identities);
	mark_identities(s, WEIR_MAP_networks);
	mark_services(s);
	bind_mark_backends(s);
	bind_mark_backend_extents(s);
	for (int kind = 1; kind < _WEIR_NAME_MAX; kind++)
		extents_settle(&s->extents[kind]);
}

/* ---- Binding ---- */

static const struct weir_name_id *live_name(const struct sync *s, enum weir_name_kind kind,
					    const struct plan_hash *hash)
{
	struct weir_name key = { .kind = kind };

	memcpy(key.hash, hash->b, sizeof(key.hash));
	return table_find(&s->live[WEIR_MAP_names], &key);
}

/* Entries for old and new together, for the error. */
static uint64_t need_of(const struct sync *s, enum weir_name_kind kind, const struct kind_row *k)
{
	const struct table *t = &s->live[WEIR_MAP_names];
	uint64_t need = k->extent ? 0 : 1;

	for (size_t i = 0; i < t->n; i++)
		if (((struct weir_name *)table_key(t, i))->kind == (uint32_t)kind)
			need += k->extent ? ((struct weir_name_id *)table_value(t, i))->len : 1;
	for (size_t i = k->first; i < k->n; i++)
		if (!live_name(s, kind, k->name(s, i)))
			need += k->extent ? k->len(s, i) : 1;
	return need;
}

static bool usable(struct sync *s, const struct kind_row *k, size_t i,
		   const struct weir_name_id *live)
{
	uint32_t len = k->extent ? k->len(s, i) : 0,
		 end = k->extent ? live->id + live->len : live->id + 1;

	if (live->len != len || (k->array != _WEIR_MAP_MAX && end > node_map_max(s->n, k->array)))
		return false;
	return !k->holds || k->holds(s, i, live->id);
}

static int bind_one(struct sync *s, enum weir_name_kind kind, const struct kind_row *k, size_t i)
{
	struct bound *b = &s->bound[kind][i];
	struct weir_name key = { .kind = kind };
	const struct weir_name_id *live;
	struct weir_name_id value;
	int r = 0;

	if (k->extent && !k->len(s, i))
		return 0; /* an empty extent has offset 0, length 0, and no name */
	memcpy(key.hash, k->name(s, i)->b, sizeof(key.hash));
	live = table_find(&s->live[WEIR_MAP_names], &key);
	b->len = k->extent ? k->len(s, i) : 0;
	if (live && usable(s, k, i, live)) {
		b->id = live->id;
	} else {
		b->fresh = true;
		r = k->extent ? extents_take(&s->extents[kind], b->len, &b->id)
			      : idset_take(&s->ids[kind], &b->id);
	}
	if (r)
		return bound_refuse(s, kind, i, k->array, need_of(s, kind, k));
	value = (struct weir_name_id){ .id = b->id, .len = b->len };
	table_add(&s->want[WEIR_MAP_names], &key, &value);
	return 0;
}

static int bind_kind(struct sync *s, enum weir_name_kind kind)
{
	struct kind_row k;
	int r = 0;

	kind_of(s, kind, &k);
	s->bound[kind] = mem_zalloc((k.n + 1) * sizeof(*s->bound[kind]));
	for (size_t i = k.first; i < k.n && !r; i++)
		r = bind_one(s, kind, &k, i);
	return r;
}

int bind_all(struct sync *s)
{
	/* what an item contains is bound before the item */
	static const enum weir_name_kind order[] = {
		WEIR_NAME_RULE,    WEIR_NAME_IDENTITY,   WEIR_NAME_SERVICE,
		WEIR_NAME_BACKEND, WEIR_NAME_PORT_SET,   WEIR_NAME_BACKEND_EXTENT,
		WEIR_NAME_POD,     WEIR_NAME_POLICY_SET,
	};
	int r = 0;

	mark_all(s);
	for (size_t i = 0; i < ARRAY_SIZE(order) && !r; i++)
		r = order[i] == WEIR_NAME_BACKEND          ? bind_backends(s)
		    : order[i] == WEIR_NAME_BACKEND_EXTENT ? bind_backend_extents(s)
							   : bind_kind(s, order[i]);
	table_sort(&s->want[WEIR_MAP_names]);
	return r;
}
