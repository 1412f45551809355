// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The pods that each selector peer matches. Pods are first grouped into classes of the same
 * namespace and the same values of all label keys in use, so the work grows with the number of
 * classes, not of pods. No selector matches a pod whose Namespace is gone (NP-59). Notes
 * namespaceSelectors that match nothing (NP-22).
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "compile/labels.h"

#define REQUIREMENTS_A_TRY 8 /* that cost as much as all else that is done for a try */

struct class_entry {
	uint32_t class;
	UT_hash_handle hh;
	char key[];
};

struct matcher {
	struct build *b;
	const char **keys; /* of the pod selectors in use; sorted */
	size_t n_keys, cap_keys;
	struct class_entry *head;
	struct arena arena;
	char *key; /* of the current pod's class */
	size_t key_len, key_cap;
	/* by namespace, and the end of the last one: a namespace's classes are consecutive */
	uint32_t *first_class;
	struct label_index namespaces, classes;
	struct name_table selectors; /* namespaceSelectors */
	struct ids *selected; /* namespaces, by selector */
	size_t n_selected, cap_selected;
	uint32_t *selected_by; /* by namespace: the last peer that selects it, plus one */
	struct ids candidates;
	uint32_t own; /* the namespace of the current peer's policy */
};

/* ---- Classes ---- */

static void find_keys(struct matcher *m)
{
	for (size_t i = 0; i < m->b->n_peers; i++) {
		const struct kube_selector *s = m->b->peers[i].peer->pods;

		for (size_t j = 0; s && j < s->n; j++)
			*VEC_ADD(m->keys, m->n_keys, m->cap_keys) = s->items[j].key;
	}
	m->n_keys = array_unique(m->keys, m->n_keys, sizeof(*m->keys), text_order);
}

static void key_append(struct matcher *m, const void *data, size_t len)
{
	m->key = mem_grow(m->key, &m->key_cap, m->key_len + len, 1);
	memcpy(m->key + m->key_len, data, len);
	m->key_len += len;
}

static void key_append_number(struct matcher *m, uint32_t number)
{
	key_append(m, &number, sizeof(number));
}

static void class_key(struct matcher *m, const struct kube_pod *pod, uint32_t ns)
{
	const struct kube_labels *labels = &pod->meta.labels;

	m->key_len = 0;
	key_append_number(m, ns);
	for (size_t i = 0; i < labels->n; i++) {
		size_t key = text_index(labels->items[i].key, m->keys, m->n_keys), len;

		if (key == m->n_keys)
			continue;
		len = strlen(labels->items[i].value);
		key_append_number(m, key);
		key_append_number(m, len);
		key_append(m, labels->items[i].value, len);
	}
}

static uint32_t class_of(struct matcher *m, const struct kube_pod *pod, uint32_t ns)
{
	struct build *b = m->b;
	struct class_entry *e;

	class_key(m, pod, ns);
	HASH_FIND(hh, m->head, m->key, m->key_len, e);
	if (e)
		return e->class;
	e = arena_zalloc(&m->arena, sizeof(*e) + m->key_len);
	memcpy(e->key, m->key, m->key_len);
	e->class = b->n_classes;
	HASH_ADD_KEYPTR(hh, m->head, e->key, m->key_len, e);
	*VEC_ADD(b->classes, b->n_classes, b->cap_classes) =
		(struct pod_class){ .labels = &pod->meta.labels, .ns = ns };
	label_index_add(&m->classes, &pod->meta.labels, m->keys, m->n_keys);
	return e->class;
}

/* One pass: pods and namespaces are both sorted by namespace. */
static void find_classes(struct matcher *m)
{
	static const struct kube_labels none;
	const struct store *s = m->b->store;
	struct build *b = m->b;
	size_t ns = 0;

	VEC_ADD(b->classes, b->n_classes, b->cap_classes)->ns = PLAN_NONE;
	label_index_add(&m->classes, &none, m->keys, m->n_keys);
	m->first_class[0] = 1;
	for (size_t i = 0; i < s->n_pods; i++) {
		const struct kube_pod *pod = s->pods[i];

		while (ns < s->n_namespaces &&
		       strcmp(s->namespaces[ns]->meta.name, pod->meta.ns) < 0)
			m->first_class[++ns] = b->n_classes;
		if (ns == s->n_namespaces)
			break;
		if (kube_pod_has_identity(pod) &&
		    !strcmp(s->namespaces[ns]->meta.name, pod->meta.ns))
			b->class_of[i] = class_of(m, pod, ns);
	}
	while (ns < s->n_namespaces)
		m->first_class[++ns] = b->n_classes;
}

/* ---- Peers ---- */

static int by_namespace_name(const void *name, const void *item)
{
	return strcmp(name, (*(const struct kube_namespace *const *)item)->meta.name);
}

static size_t namespace_index(const struct store *s, const char *name)
{
	struct kube_namespace **found = NULL;

	if (s->n_namespaces)
		found = bsearch(name, s->namespaces, s->n_namespaces, sizeof(*found),
				by_namespace_name);
	return found ? (size_t)(found - s->namespaces) : s->n_namespaces;
}

/*
 * Namespaces that a selector matches, worked out once for each distinct selector. Valid until the
 * next call.
 */
static const struct ids *select_namespaces(struct matcher *m, const struct kube_selector *s)
{
	struct plan_hash name = selector_name(s);
	uint32_t id = name_table_add(&m->selectors, &name, m->n_selected);
	struct ids found = {};
	bool some;

	if (id < m->n_selected)
		return &m->selected[id];
	some = label_index_candidates(&m->namespaces, s, &m->candidates);
	for (size_t i = 0; i < (some ? m->candidates.n : m->namespaces.n); i++) {
		uint32_t ns = some ? m->candidates.items[i] : i;

		if (kube_selector_matches(s, m->namespaces.sets[ns]))
			IDS_ADD(&found, ns);
	}
	ids_sort(&found);
	*VEC_ADD(m->selected, m->n_selected, m->cap_selected) = found;
	return &m->selected[id];
}

static void try_class(struct matcher *m, uint32_t peer, uint32_t class)
{
	const struct kube_selector *s = m->b->peers[peer].peer->pods;

	if (!s || kube_selector_matches(s, m->b->classes[class].labels))
		IDS_ADD(&m->b->classes[class].peers, peer);
}

/* The namespaces of a peer's pods; none for a block. Valid until the next call. */
static struct ids peer_namespaces(struct matcher *m, const struct peer *p)
{
	const struct store *s = m->b->store;

	if (p->peer->has_block)
		return (struct ids){};
	if (p->peer->namespaces)
		return *select_namespaces(m, p->peer->namespaces);
	m->own = namespace_index(s, p->ns);
	return (struct ids){ .items = &m->own, .n = m->own < s->n_namespaces };
}

/* Are the candidates of the label index fewer than all classes of the namespaces? */
static bool index_has_fewer(struct matcher *m, const struct kube_selector *s,
			    const struct ids *namespaces, size_t *ret_n)
{
	size_t all = 0, indexed;

	for (size_t i = 0; i < namespaces->n; i++)
		all += m->first_class[namespaces->items[i] + 1] -
		       m->first_class[namespaces->items[i]];
	*ret_n = all;
	if (namespaces->n < 2 || !s || !label_index_count(&m->classes, s, &indexed) ||
	    indexed >= all)
		return false;
	*ret_n = indexed;
	return true;
}

static void match_peer(struct matcher *m, uint32_t peer)
{
	const struct kube_selector *s = m->b->peers[peer].peer->pods;
	struct ids namespaces = peer_namespaces(m, &m->b->peers[peer]);
	size_t n;

	if (!index_has_fewer(m, s, &namespaces, &n)) {
		for (size_t i = 0; i < namespaces.n; i++)
			for (uint32_t c = m->first_class[namespaces.items[i]];
			     c < m->first_class[namespaces.items[i] + 1]; c++)
				try_class(m, peer, c);
		return;
	}
	for (size_t i = 0; i < namespaces.n; i++)
		m->selected_by[namespaces.items[i]] = peer + 1;
	label_index_candidates(&m->classes, s, &m->candidates);
	ids_sort(&m->candidates);
	for (size_t i = 0; i < m->candidates.n; i++)
		if (m->selected_by[m->b->classes[m->candidates.items[i]].ns] == peer + 1)
			try_class(m, peer, m->candidates.items[i]);
}

/* A selector's requirements are tests of each class. */
static uint64_t weighed(size_t n, const struct kube_selector *s)
{
	return n * (1 + (s ? s->n / REQUIREMENTS_A_TRY : 0));
}

/* Returns what evaluating the namespaceSelector takes. */
static uint64_t namespace_tries(struct matcher *m, const struct kube_selector *s)
{
	size_t n;

	if (!s)
		return 0;
	if (!label_index_count(&m->namespaces, s, &n))
		n = m->namespaces.n;
	return weighed(n, s);
}

/* If namespaces alone are too much, fit_work() sees that, and they are not looked at. */
static void count_tries(struct matcher *m)
{
	struct build *b = m->b;
	uint64_t sum = 0;

	for (size_t i = 0; i < b->n_peers; i++) {
		b->peers[i].tries = namespace_tries(m, b->peers[i].peer->namespaces);
		sum += b->peers[i].tries;
	}
	for (size_t i = 0; i < b->n_peers && sum <= FIT_WORK_MAX; i++) {
		struct ids namespaces = peer_namespaces(m, &b->peers[i]);
		const struct kube_selector *s = b->peers[i].peer->pods;
		size_t n;

		index_has_fewer(m, s, &namespaces, &n);
		b->peers[i].tries += weighed(n, s);
	}
}

/* NP-22: people often expect a label "name" on namespaces. */
static void note_empty_selectors(struct matcher *m, uint32_t r)
{
	const struct rule *rule = &m->b->rules[r];
	const struct plan_rule *named = &m->b->plan->rules[r];
	bool in = named->direction == KUBE_INGRESS;

	for (size_t i = 0; i < rule->rule->n_peers; i++) {
		const struct kube_peer *peer = &rule->rule->peers[i];
		_cleanup_(mem_free) char *object = NULL, *path = NULL;

		if (!peer->namespaces || peer->namespaces->invalid ||
		    select_namespaces(m, peer->namespaces)->n)
			continue;
		object = mem_printf("NetworkPolicy %s", named->policy);
		path = mem_printf("spec.%s[%u].%s[%zu].namespaceSelector",
				  in ? "ingress" : "egress", named->index, in ? "from" : "to", i);
		diag_add(
			&m->b->plan->notes, DIAG_NOTE, NULL, &peer->namespaces->src, object, path,
			"matches no Namespace; label one, or select by kubernetes.io/metadata.name, which every Namespace has");
	}
}

void matches_free(struct build *b)
{
	struct matcher *m = b->matcher;

	if (!m)
		return;
	for (size_t i = 0; i < m->n_selected; i++)
		ids_free(&m->selected[i]);
	free(m->selected);
	free(m->keys);
	free(m->key);
	free(m->first_class);
	free(m->selected_by);
	ids_free(&m->candidates);
	label_index_free(&m->namespaces);
	label_index_free(&m->classes);
	name_table_free(&m->selectors);
	HASH_CLEAR(hh, m->head);
	arena_free(&m->arena);
	free(m);
	b->matcher = NULL;
}

void build_classes(struct build *b)
{
	struct matcher *m = mem_zalloc(sizeof(*m));
	const struct store *s = b->store;

	b->matcher = m;
	m->b = b;
	b->class_of = mem_zalloc(s->n_pods * sizeof(*b->class_of));
	m->first_class = mem_zalloc((s->n_namespaces + 1) * sizeof(*m->first_class));
	m->selected_by = mem_zalloc(s->n_namespaces * sizeof(*m->selected_by));
	find_keys(m);
	if (b->n_peers || b->n_port_names)
		find_classes(m);
	for (size_t i = 0; i < s->n_namespaces; i++)
		label_index_add(&m->namespaces, &s->namespaces[i]->meta.labels, NULL, 0);
	count_tries(m);
}

void build_matches(struct build *b)
{
	struct matcher *m = b->matcher;

	for (size_t i = 0; i < b->n_peers; i++)
		match_peer(m, i);
	for (size_t r = 1; r < b->plan->n_rules; r++)
		note_empty_selectors(m, r);
	matches_free(b);
}
