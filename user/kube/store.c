// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The store owns objects and finds them. Reading is in read.c, defaults are in defaults.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/codes.h"
#include "kube/store_private.h"

struct store *store_new(void)
{
	struct store *s = mem_zalloc(sizeof(*s));

	s->priv = mem_zalloc(sizeof(*s->priv));
	return s;
}

/* Every object begins with its meta. The casts need -fno-strict-aliasing. */
struct store_array store_array(struct store *s, enum kube_kind kind)
{
	const struct store_array arrays[_KUBE_KIND_MAX] = {
		[KUBE_NAMESPACE] = { (struct kube_meta ***)&s->namespaces, &s->n_namespaces, NULL },
		[KUBE_NODE] = { (struct kube_meta ***)&s->nodes, &s->n_nodes, NULL },
		[KUBE_POD] = { (struct kube_meta ***)&s->pods, &s->n_pods, NULL },
		[KUBE_SERVICE] = { (struct kube_meta ***)&s->services, &s->n_services, NULL },
		[KUBE_SLICE] = { (struct kube_meta ***)&s->slices, &s->n_slices, NULL },
		[KUBE_POLICY] = { (struct kube_meta ***)&s->policies, &s->n_policies, NULL },
		[KUBE_ENDPOINTS] = { (struct kube_meta ***)&s->endpoints, &s->n_endpoints, NULL },
	};
	struct store_array a = arrays[kind];
	int workload = (int)kind - KUBE_WORKLOAD_FIRST;

	if (workload >= 0)
		a = (struct store_array){ (struct kube_meta ***)&s->workloads[workload],
					  &s->n_workloads[workload], NULL };
	a.cap = &s->priv->cap[kind];
	return a;
}

void store_add(struct store *s, struct kube_meta *m)
{
	struct store_array a = store_array(s, m->kind);

	*VEC_ADD(*a.items, *a.n, *a.cap) = m;
}

void *store_add_new(struct store *s, enum kube_kind kind, size_t size, const char *ns,
		    const char *name)
{
	struct arena arena = {};
	struct kube_meta *m = arena_zalloc(&arena, size);

	m->kind = kind;
	m->ns = arena_strdup(&arena, ns);
	m->name = arena_strdup(&arena, name);
	m->uid = "";
	m->arena = arena;
	store_add(s, m);
	return m;
}

static void free_object(struct kube_meta *m)
{
	struct arena arena = m->arena; /* m itself is in it */

	arena_free(&arena);
}

bool store_seen_add(struct store_seen **set, const char *text)
{
	struct store_seen *seen;

	HASH_FIND_STR(*set, text, seen);
	if (seen)
		return false;
	seen = mem_zalloc(sizeof(*seen) + strlen(text) + 1);
	strcpy(seen->text, text);
	HASH_ADD_STR(*set, text, seen);
	return true;
}

void store_seen_free(struct store_seen **set)
{
	struct store_seen *seen, *next;

	HASH_ITER(hh, *set, seen, next) {
		HASH_DEL(*set, seen);
		free(seen);
	}
}

static void free_private(struct store_private *p)
{
	HASH_CLEAR(hh, p->by_addr);
	free(p->addrs);
	store_seen_free(&p->unknown_kinds);
	diag_groups_free(&p->groups);
	for (size_t i = 0; i < p->n_files; i++)
		free(p->files[i]);
	free(p->files);
	for (size_t i = 0; i < p->n_passed; i++)
		free(p->passed[i]);
	free(p->passed);
	for (size_t i = 0; i < p->cap_texts; i++)
		free(p->texts[i]);
	free(p->texts);
	free(p->secrets);
	free(p);
}

void store_free(struct store **sp)
{
	struct store *s = TAKE_PTR(*sp);

	if (!s)
		return;
	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		struct store_array a = store_array(s, kind);

		for (size_t i = 0; i < *a.n; i++)
			free_object((*a.items)[i]);
		free(*a.items);
	}
	diag_free(&s->diags);
	free_private(s->priv);
	free(s);
}

/* ---- Order ---- */

struct sorted {
	struct kube_meta *m;
	size_t index; /* in the order of input: keeps the sort stable */
};

static int compare_names(const char *ns_a, const char *name_a, const char *ns_b, const char *name_b)
{
	int order = strcmp(ns_a, ns_b);

	return order ? order : strcmp(name_a, name_b);
}

static int by_name(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int order = compare_names(x->m->ns, x->m->name, y->m->ns, y->m->name);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

void store_sort(struct store *s, enum kube_kind kind)
{
	struct store_array a = store_array(s, kind);
	_cleanup_(mem_free) struct sorted *order = mem_zalloc(*a.n * sizeof(*order));

	for (size_t i = 0; i < *a.n; i++)
		order[i] = (struct sorted){ (*a.items)[i], i };
	qsort(order, *a.n, sizeof(*order), by_name);
	for (size_t i = 0; i < *a.n; i++)
		(*a.items)[i] = order[i].m;
}

/*
 * Keeps the first in the order of input; another with the same meaning is the same object. The
 * array must be sorted.
 */
void store_drop_duplicates(struct store *s, enum kube_kind kind)
{
	struct store_array a = store_array(s, kind);
	struct kube_meta **items = *a.items;
	size_t n = 0;

	for (size_t i = 0; i < *a.n; i++) {
		struct kube_meta *m = items[i], *first = n ? items[n - 1] : NULL;
		_cleanup_(mem_free) char *object = NULL;

		if (!first || compare_names(first->ns, first->name, m->ns, m->name)) {
			items[n++] = m;
			continue;
		}
		object = mem_printf("%s %s%s%s", kube_kind_text(kind), m->ns, *m->ns ? "/" : "",
				    m->name);
		if (!kube_object_equal(first, m))
			diag_add(
				&s->diags, DIAG_ERROR, kube_code_text(KUBE_E_DUPLICATE), &m->src,
				object, NULL,
				"given twice with different content, first at %s:%d:%d: remove one",
				first->src.file ? first->src.file : "?", first->src.line,
				first->src.col);
		free_object(m);
	}
	*a.n = n;
}

bool store_is_empty(const struct store *s)
{
	size_t n = s->n_namespaces + s->n_pods + s->n_services + s->n_slices + s->n_policies +
		   s->n_endpoints;

	for (int i = 0; i < KUBE_WORKLOADS; i++)
		n += s->n_workloads[i];
	return !n && (!s->n_nodes || s->nodes[0]->made_up);
}

/* ---- Look-ups ---- */

struct wanted {
	const char *ns, *name;
};

static int by_wanted(const void *key, const void *item)
{
	const struct wanted *w = key;
	const struct kube_meta *m = *(const struct kube_meta *const *)item;

	return compare_names(w->ns, w->name, m->ns, m->name);
}

static void *find(void *const *items, size_t n, const char *ns, const char *name)
{
	struct wanted w = { ns, name };
	void *const *found = n ? bsearch(&w, items, n, sizeof(*items), by_wanted) : NULL;

	return found ? *found : NULL;
}

const struct kube_namespace *store_namespace(const struct store *s, const char *name)
{
	return find((void *const *)s->namespaces, s->n_namespaces, "", name);
}

const struct kube_node *store_node(const struct store *s, const char *name)
{
	return find((void *const *)s->nodes, s->n_nodes, "", name);
}

const struct kube_pod *store_pod(const struct store *s, const char *ns, const char *name)
{
	return find((void *const *)s->pods, s->n_pods, ns, name);
}

const struct kube_service *store_service(const struct store *s, const char *ns, const char *name)
{
	return find((void *const *)s->services, s->n_services, ns, name);
}

const struct kube_workload *store_workload(const struct store *s, enum kube_kind kind,
					   const char *ns, const char *name)
{
	int i = (int)kind - KUBE_WORKLOAD_FIRST;

	return find((void *const *)s->workloads[i], s->n_workloads[i], ns, name);
}

/* NP-56: a pod that is not being deleted, then the newest; of equal ones, the first by name. */
static bool owns_before(const struct kube_pod *a, const struct kube_pod *b)
{
	if (a->meta.deleting != b->meta.deleting)
		return b->meta.deleting;
	return a->meta.created > b->meta.created;
}

void store_index_addrs(struct store *s)
{
	struct store_private *p = s->priv;
	struct store_addr *slot, *there;

	HASH_CLEAR(hh, p->by_addr);
	free(p->addrs);
	p->addrs = slot = mem_zalloc(2 * s->n_pods * sizeof(*p->addrs));
	for (size_t i = 0; i < 2 * s->n_pods; i++) {
		const struct kube_pod *pod = s->pods[i / 2];

		if (!kube_pod_has_identity(pod) || weir_addr_is_zero(&pod->addr[i % 2]))
			continue;
		HASH_FIND(hh, p->by_addr, &pod->addr[i % 2], sizeof(struct weir_addr), there);
		if (there) {
			if (owns_before(pod, there->pod))
				there->pod = pod;
			continue;
		}
		slot->addr = pod->addr[i % 2];
		slot->pod = pod;
		HASH_ADD(hh, p->by_addr, addr, sizeof(struct weir_addr), slot);
		slot++;
	}
}

const struct kube_pod *store_pod_by_addr(const struct store *s, const struct weir_addr *addr)
{
	struct store_addr *found;

	HASH_FIND(hh, s->priv->by_addr, addr, sizeof(*addr), found);
	return found ? found->pod : NULL;
}

const char *store_this_node(const struct store *s, const char *wanted, const char *env,
			    struct weir_err *err)
{
	if (wanted)
		return wanted;
	if (env && *env)
		return env;
	if (s->n_nodes == 1)
		return s->nodes[0]->meta.name;
	err_set(err, -ENOENT, "which node is this? %s: give --node NAME or set NODE_NAME",
		s->n_nodes ? "there is more than one Node object" : "there is no Node object");
	return NULL;
}
