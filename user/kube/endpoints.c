// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * EndpointSlices as the control plane derives them: for each Service with a selector and no slice
 * in the input, one slice per family and set of resolved port numbers. Pods that ended or have no
 * address are left out. Input: a sorted store with addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/store_private.h"

/* Pods by namespace and label, so that a Service examines few of them. */
struct labelled {
	UT_hash_handle hh;
	size_t *pods; /* indexes into store->pods, ascending */
	size_t n, cap;
	char key[]; /* "ns\nkey\nvalue" */
};

struct derive {
	struct store *store;
	struct labelled *labels;
};

static void index_label(struct derive *d, const char *ns, const struct kube_label *l, size_t pod)
{
	_cleanup_(mem_free) char *key = mem_printf("%s\n%s\n%s", ns, l->key, l->value);
	struct labelled *there;

	HASH_FIND_STR(d->labels, key, there);
	if (!there) {
		there = mem_zalloc(sizeof(*there) + strlen(key) + 1);
		strcpy(there->key, key);
		HASH_ADD_STR(d->labels, key, there);
	}
	*VEC_ADD(there->pods, there->n, there->cap) = pod;
}

static void index_labels(struct derive *d)
{
	for (size_t i = 0; i < d->store->n_pods; i++) {
		const struct kube_meta *m = &d->store->pods[i]->meta;

		for (size_t k = 0; k < m->labels.n; k++)
			index_label(d, m->ns, &m->labels.items[k], i);
	}
}

static void forget_labels(struct derive *d)
{
	struct labelled *l, *next;

	HASH_ITER(hh, d->labels, l, next) {
		HASH_DEL(d->labels, l);
		free(l->pods);
		free(l);
	}
}

/* The shortest of the selector's labels' lists of pods. NULL: a label that no pod has. */
static const struct labelled *candidates(const struct derive *d, const struct kube_service *svc)
{
	const struct labelled *best = NULL;

	for (size_t i = 0; i < svc->selector.n; i++) {
		const struct kube_requirement *r = &svc->selector.items[i];
		_cleanup_(mem_free) char *key =
			mem_printf("%s\n%s\n%s", svc->meta.ns, r->key, r->values[0]);
		struct labelled *found;

		HASH_FIND_STR(d->labels, key, found);
		if (!found)
			return NULL;
		if (!best || found->n < best->n)
			best = found;
	}
	return best;
}

/* A named port must match in name and protocol; the first one wins. 0: the pod has no such port. */
static uint16_t resolve(const struct kube_service_port *p, const struct kube_pod *pod)
{
	if (!p->target_is_name)
		return p->target_port;
	for (size_t i = 0; i < pod->n_ports; i++)
		if (pod->ports[i].proto == p->proto && !strcmp(pod->ports[i].name, p->target_name))
			return pod->ports[i].port;
	return 0;
}

static bool is_endpoint(const struct kube_pod *pod, const struct kube_service *svc, int family)
{
	return !kube_pod_ended(pod) && !weir_addr_is_zero(&pod->addr[family]) &&
	       kube_selector_matches(&svc->selector, &pod->meta.labels);
}

/* A pod of a Service and family, with its resolved ports. */
struct member {
	const struct kube_pod *pod;
	const uint16_t *ports; /* one for each port of the Service */
	size_t n_ports;
};

static int compare_ports(const struct member *x, const struct member *y)
{
	return memcmp(x->ports, y->ports, x->n_ports * sizeof(*x->ports));
}

/* By ports, then by name. */
static int by_ports(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = compare_ports(x, y);

	if (!order)
		order = strcmp(x->pod->meta.name, y->pod->meta.name);
	return order;
}

static void fill_endpoint(struct kube_endpoint *e, struct arena *a, const struct kube_pod *pod,
			  int family, bool publish_not_ready)
{
	e->addr = pod->addr[family];
	e->serving = pod->ready;
	e->terminating = pod->meta.deleting;
	e->ready = publish_not_ready || (e->serving && !e->terminating);
	e->node = arena_strdup(a, pod->node);
	e->pod = arena_strdup(a, pod->meta.name);
}

static void add_slice(struct store *s, const struct kube_service *svc, int family, size_t number,
		      const struct member *members, size_t n)
{
	_cleanup_(mem_free) char *name =
		mem_printf("%s-%s-%zu", svc->meta.name, family ? "ipv6" : "ipv4", number);
	struct kube_slice *slice = store_add_new(s, KUBE_SLICE, sizeof(*slice), svc->meta.ns, name);
	struct arena *a = &slice->meta.arena;

	slice->meta.src = svc->meta.src;
	slice->derived = true;
	slice->service = arena_strdup(a, svc->meta.name);
	slice->family = family;
	slice->endpoints = arena_zalloc(a, n * sizeof(*slice->endpoints));
	for (size_t i = 0; i < n; i++)
		fill_endpoint(&slice->endpoints[slice->n_endpoints++], a, members[i].pod, family,
			      svc->publish_not_ready);
	slice->ports = arena_zalloc(a, svc->n_ports * sizeof(*slice->ports));
	for (size_t i = 0; i < svc->n_ports; i++)
		if (members->ports[i])
			slice->ports[slice->n_ports++] =
				(struct kube_slice_port){ arena_strdup(a, svc->ports[i].name),
							  svc->ports[i].proto, members->ports[i] };
}

static void derive_family(struct derive *d, const struct kube_service *svc,
			  const struct labelled *found, int family)
{
	_cleanup_(mem_free) struct member *members = mem_zalloc(found->n * sizeof(*members));
	_cleanup_(mem_free) uint16_t *ports = mem_zalloc(found->n * svc->n_ports * sizeof(*ports));
	size_t n = 0, number = 0;

	for (size_t i = 0; i < found->n; i++) {
		const struct kube_pod *pod = d->store->pods[found->pods[i]];
		uint16_t *own = ports + n * svc->n_ports;

		if (!is_endpoint(pod, svc, family))
			continue;
		for (size_t k = 0; k < svc->n_ports; k++)
			own[k] = resolve(&svc->ports[k], pod);
		members[n++] = (struct member){ pod, own, svc->n_ports };
	}
	qsort(members, n, sizeof(*members), by_ports);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && !compare_ports(&members[i], &members[end]);)
			end++;
		add_slice(d->store, svc, family, number++, &members[i], end - i);
	}
}

void store_derive_slices(struct store *s)
{
	struct derive d = { .store = s };

	index_labels(&d);
	for (size_t i = 0; i < s->n_services; i++) {
		const struct kube_service *svc = s->services[i];
		const struct labelled *found = NULL;

		if (svc->has_selector && !svc->has_slices)
			found = candidates(&d, svc);
		for (int family = 0; found && family < 2; family++)
			if (svc->wants_family[family])
				derive_family(&d, svc, found, family);
	}
	forget_labels(&d);
}
