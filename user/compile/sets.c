// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policy sets: the rules of all policies that isolate a pod in one direction, as words by identity
 * (NP-3). Pods under the same policies share a set. An identity has an element only where its word
 * differs from the set's default word. A word depends only on the set's rules and the identity.
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "compile/word.h"

/* A rule that matches an identity. */
struct pair {
	uint32_t identity, rule;
};

struct word_entry {
	struct plan_word word;
	UT_hash_handle hh;
	uint32_t key[]; /* resolution, rules */
};

struct set_build {
	struct build *b;
	struct word_build words;
	struct name_table names;
	struct plan_set *sets;
	size_t n_sets, cap_sets;
	struct plan_hash *policy_names[2]; /* of each active policy's rules, by direction */

	/* of the current set */
	struct ids rules; /* all */
	struct ids always; /* rules without peers */
	struct pair *pairs;
	size_t n_pairs, cap_pairs;
	struct ids matching; /* rules that match the current identity */
	struct ids by_peer;
	struct ids key;
	const struct kube_pod *pod; /* ingress: resolves port names; egress: NULL */
	bool port_names; /* some rule has one */
	struct word_entry *known;
	struct arena arena;
};

/* ---- Names ---- */

static void hash_named_port(struct hasher *h, const struct kube_policy_port *port,
			    const struct kube_pod *pod)
{
	hash_text(h, port->name);
	for (size_t i = 0; pod && i < pod->n_ports; i++)
		if (pod->ports[i].proto == port->proto && !strcmp(pod->ports[i].name, port->name))
			hash_u32(h, pod->ports[i].port);
}

static void hash_rule(struct hasher *h, const struct build *b, uint32_t id,
		      const struct kube_pod *pod)
{
	const struct rule *r = &b->rules[id];

	hash_name(h, &b->plan->rules[id].name);
	hash_u32(h, r->any_peer);
	hash_u32(h, r->peers.n);
	for (size_t i = 0; i < r->peers.n; i++)
		hash_name(h, &b->peers[r->peers.items[i]].name);
	hash_u32(h, r->rule->n_ports);
	for (size_t i = 0; i < r->rule->n_ports; i++) {
		const struct kube_policy_port *port = &r->rule->ports[i];

		hash_u32(h, port->proto);
		hash_u32(h, port->any ? 0 : port->name ? 1 : 2);
		if (port->name)
			hash_named_port(h, port, pod);
		else
			hash_u32(h, port->any ? 0 : (uint32_t)port->low << 16 | port->high);
	}
}

/* Name of one policy's rules of a direction; pod NULL: named ports by name only. */
static struct plan_hash policy_name(const struct build *b, const struct active *a,
				    enum kube_direction dir, const struct kube_pod *pod)
{
	struct hasher h;

	hash_begin(&h, a->closed[dir] ? "closed policy" : "policy");
	hash_text(&h, a->text);
	hash_u32(&h, a->policy->n_rules[dir]);
	for (size_t i = 0; i < a->policy->n_rules[dir] && !a->closed[dir]; i++)
		hash_rule(&h, b, a->first_rule[dir] + i, pod);
	return hash_end(&h);
}

static bool policy_has_port_names(const struct kube_policy *p, enum kube_direction dir)
{
	for (size_t i = 0; i < p->n_rules[dir]; i++)
		if (rule_has_port_names(&p->rules[dir][i]))
			return true;
	return false;
}

/* The policies that isolate the pod in a direction, as indexes of actives[]. */
static void find_isolating(const struct build *b, const struct local_pod *l,
			   enum kube_direction dir, struct ids *ret_list)
{
	ret_list->n = 0;
	for (size_t i = 0; i < l->policies.n; i++)
		if (b->actives[l->policies.items[i]].first_rule[dir])
			IDS_ADD(ret_list, l->policies.items[i]);
}

/* Pods that resolve a port name of ingress rules differently need different sets (NP-32). */
static struct plan_hash set_name(const struct set_build *sb, const struct ids *policies,
				 enum kube_direction dir, const struct kube_pod *pod)
{
	struct hasher h;

	hash_begin(&h, "set");
	hash_u32(&h, dir);
	hash_u32(&h, policies->n);
	for (size_t i = 0; i < policies->n; i++) {
		const struct active *a = &sb->b->actives[policies->items[i]];
		struct plan_hash name = sb->policy_names[dir][policies->items[i]];

		if (dir == KUBE_INGRESS && policy_has_port_names(a->policy, dir))
			name = policy_name(sb->b, a, dir, pod);
		hash_name(&h, &name);
	}
	return hash_end(&h);
}

/* ---- Elements ---- */

static void add_pairs(struct set_build *sb, const struct ids *identities, uint32_t rule)
{
	for (size_t i = 0; i < identities->n; i++)
		*VEC_ADD(sb->pairs, sb->n_pairs, sb->cap_pairs) =
			(struct pair){ identities->items[i], rule };
}

/* Identities where a rule may differ from the default: its peers, and pods with its port names. */
static void add_rule_pairs(struct set_build *sb, uint32_t id, enum kube_direction dir)
{
	const struct rule *r = &sb->b->rules[id];

	for (size_t i = 0; i < r->peers.n; i++)
		add_pairs(sb, &sb->b->peers[r->peers.items[i]].identities, id);
	if (!r->any_peer || dir != KUBE_EGRESS)
		return;
	for (size_t i = 0; i < r->rule->n_ports; i++) {
		const struct kube_policy_port *port = &r->rule->ports[i];
		uint32_t name =
			port->name ? port_name_find(sb->b, port->name, port->proto) : PLAN_NONE;

		if (name != PLAN_NONE)
			add_pairs(sb, &sb->b->port_names[name].identities, id);
	}
}

/* By identity, stable: pairs of one identity stay in order of rules. */
static void sort_pairs(struct set_build *sb)
{
	_cleanup_(mem_free) uint32_t *next = mem_zalloc((sb->b->n_identities + 1) * sizeof(*next));
	struct pair *sorted = mem_zalloc(sb->n_pairs * sizeof(*sorted));

	for (size_t i = 0; i < sb->n_pairs; i++)
		next[sb->pairs[i].identity + 1]++;
	for (size_t i = 0; i < sb->b->n_identities; i++)
		next[i + 1] += next[i];
	for (size_t i = 0; i < sb->n_pairs; i++)
		sorted[next[sb->pairs[i].identity]++] = sb->pairs[i];
	free(sb->pairs);
	sb->pairs = sorted;
	sb->cap_pairs = sb->n_pairs;
}

/* The word of sb->matching for peers with that resolution; each combination is computed once. */
static struct plan_word known_word(struct set_build *sb, uint32_t resolution)
{
	struct word_ports ports = { .pod = sb->pod, .resolution = &sb->b->resolutions[resolution] };
	struct word_entry *e;
	size_t size;

	sb->key.n = 0;
	IDS_ADD(&sb->key, !sb->pod && sb->port_names ? resolution : 0);
	for (size_t i = 0; i < sb->matching.n; i++)
		IDS_ADD(&sb->key, sb->matching.items[i]);
	size = sb->key.n * sizeof(*sb->key.items);
	HASH_FIND(hh, sb->known, sb->key.items, size, e);
	if (e)
		return e->word;
	e = arena_zalloc(&sb->arena, sizeof(*e) + size);
	memcpy(e->key, sb->key.items, size);
	e->word = word_of(&sb->words, &sb->matching, &ports);
	HASH_ADD_KEYPTR(hh, sb->known, e->key, size, e);
	return e->word;
}

static bool same_word(const struct plan_word *a, const struct plan_word *b)
{
	return a->kind == b->kind && a->rule == b->rule && a->ports == b->ports;
}

static size_t count_identities(const struct set_build *sb)
{
	size_t n = 0;

	for (size_t i = 0; i < sb->n_pairs; i++)
		n += !i || sb->pairs[i].identity != sb->pairs[i - 1].identity;
	return n;
}

/* Elements of the identities in pairs, which are sorted by identity. */
static void add_elements(struct set_build *sb, struct plan_set *set)
{
	struct plan_element *list = mem_zalloc(count_identities(sb) * sizeof(*list));
	size_t end;

	for (size_t i = 0; i < sb->n_pairs; i = end) {
		struct plan_element e = { .identity = sb->pairs[i].identity };

		sb->by_peer.n = 0;
		for (end = i; end < sb->n_pairs && sb->pairs[end].identity == e.identity; end++)
			if (end == i || sb->pairs[end].rule != sb->pairs[end - 1].rule)
				IDS_ADD(&sb->by_peer, sb->pairs[end].rule);
		ids_merge(&sb->always, &sb->by_peer, &sb->matching);
		e.word = known_word(sb, sb->b->identities[e.identity].resolution);
		if (!same_word(&e.word, &set->default_word))
			list[set->n_elements++] = e;
	}
	set->elements = arena_array(&sb->b->plan->arena, list, set->n_elements);
	free(list);
}

static void collect_rules(struct set_build *sb, const struct ids *policies, enum kube_direction dir)
{
	sb->rules.n = sb->always.n = sb->n_pairs = 0;
	sb->port_names = false;
	for (size_t i = 0; i < policies->n; i++) {
		const struct active *a = &sb->b->actives[policies->items[i]];

		for (size_t r = 0; r < a->policy->n_rules[dir]; r++) {
			uint32_t id = a->first_rule[dir] + r;

			IDS_ADD(&sb->rules, id);
			if (sb->b->rules[id].any_peer)
				IDS_ADD(&sb->always, id);
			sb->port_names |= rule_has_port_names(sb->b->rules[id].rule);
			add_rule_pairs(sb, id, dir);
		}
	}
	sort_pairs(sb);
}

static void build_elements(struct set_build *sb, struct plan_set *set, const struct ids *policies,
			   const struct kube_pod *pod)
{
	sb->pod = set->direction == KUBE_INGRESS ? pod : NULL;
	collect_rules(sb, policies, set->direction);
	word_begin(&sb->words, &sb->rules, &(struct word_ports){ sb->pod, &sb->b->resolutions[0] });
	ids_merge(&sb->always, &(struct ids){}, &sb->matching);
	set->default_word = known_word(sb, 0);
	add_elements(sb, set);
	HASH_CLEAR(hh, sb->known);
	arena_free(&sb->arena);
}

/* One of the policies does not fit: nothing passes, whatever the others allow. */
static bool is_closed(const struct build *b, const struct ids *policies, enum kube_direction dir)
{
	for (size_t i = 0; i < policies->n; i++)
		if (b->actives[policies->items[i]].closed[dir])
			return true;
	return false;
}

static void build_set(struct set_build *sb, struct plan_set *set, const struct ids *policies,
		      const struct kube_pod *pod)
{
	struct arena *a = &sb->b->plan->arena;

	if (is_closed(sb->b, policies, set->direction))
		set->default_word = (struct plan_word){ .kind = WEIR_WORD_CLOSED };
	else
		build_elements(sb, set, policies, pod);
	set->policies = arena_zalloc(a, policies->n * sizeof(*set->policies));
	for (size_t i = 0; i < policies->n; i++)
		set->policies[set->n_policies++] = sb->b->actives[policies->items[i]].text;
}

/* Index of a pod's set in a direction; builds the set for the first pod that needs it. */
static uint32_t set_of(struct set_build *sb, const struct local_pod *l, enum kube_direction dir)
{
	_cleanup_(ids_free) struct ids policies = {};
	struct plan_set set = { .direction = dir };
	uint32_t id;

	find_isolating(sb->b, l, dir, &policies);
	if (!policies.n)
		return 0;
	set.name = set_name(sb, &policies, dir, l->pod);
	id = name_table_add(&sb->names, &set.name, sb->n_sets);
	if (id < sb->n_sets)
		return id;
	build_set(sb, &set, &policies, l->pod);
	*VEC_ADD(sb->sets, sb->n_sets, sb->cap_sets) = set;
	return id;
}

/* ---- Into the plan ---- */

static void sort_sets(struct set_build *sb)
{
	_cleanup_(mem_free) uint32_t *new_id =
		sort_by_name(sb->sets, sb->n_sets, sizeof(*sb->sets), 1);
	struct plan *p = sb->b->plan;

	p->n_sets = sb->n_sets;
	p->sets = arena_array(&p->arena, sb->sets, sb->n_sets);
	for (size_t i = 0; i < p->n_pods; i++) {
		p->pods[i].ingress_set = new_id[p->pods[i].ingress_set];
		p->pods[i].egress_set = new_id[p->pods[i].egress_set];
	}
}

/* Port sets were sorted: words need their new indexes. */
static void move_word(struct plan_word *w, const uint32_t *new_id)
{
	if (w->kind == WEIR_WORD_PORTS)
		w->ports = new_id[w->ports];
}

static void move_words(struct plan *p, const uint32_t *new_id)
{
	for (size_t s = 1; s < p->n_sets; s++) {
		move_word(&p->sets[s].default_word, new_id);
		for (size_t e = 0; e < p->sets[s].n_elements; e++)
			move_word(&p->sets[s].elements[e].word, new_id);
	}
}

static void name_policies(struct set_build *sb)
{
	const struct build *b = sb->b;

	for (int dir = 0; dir < 2; dir++) {
		sb->policy_names[dir] = mem_zalloc(b->n_actives * sizeof(struct plan_hash));
		for (size_t i = 0; i < b->n_actives; i++)
			if (b->actives[i].first_rule[dir])
				sb->policy_names[dir][i] =
					policy_name(b, &b->actives[i], dir, NULL);
	}
}

static void set_build_free(struct set_build *sb)
{
	free(sb->policy_names[0]);
	free(sb->policy_names[1]);
	free(sb->sets);
	free(sb->pairs);
	ids_free(&sb->rules);
	ids_free(&sb->always);
	ids_free(&sb->matching);
	ids_free(&sb->by_peer);
	ids_free(&sb->key);
	name_table_free(&sb->names);
}

void build_sets(struct build *b)
{
	_cleanup_(set_build_free) struct set_build sb = { .b = b, .words = { .build = b } };
	_cleanup_(mem_free) uint32_t *new_id = NULL;
	struct plan *p = b->plan;

	*VEC_ADD(sb.sets, sb.n_sets, sb.cap_sets) =
		(struct plan_set){ .default_word = { .kind = WEIR_WORD_ALLOW } };
	name_policies(&sb);
	for (size_t i = 0; i < p->n_pods; i++) {
		p->pods[i].ingress_set = set_of(&sb, &b->locals[i], KUBE_INGRESS);
		p->pods[i].egress_set = set_of(&sb, &b->locals[i], KUBE_EGRESS);
	}
	sort_sets(&sb);
	word_build_finish(&sb.words, &new_id);
	move_words(p, new_id);
}
