// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Assembles a plan: runs the steps of build.h in their order and gives the
 * result to the caller. Holds what all steps use: lists of numbers, copies into
 * arenas, positions. Does no I/O and asks for no time.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"

void ids_free(struct ids *list)
{
	free(list->items);
	*list = (struct ids){};
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void ids_sort(struct ids *list)
{
	size_t n = 0;

	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), by_id);
	for (size_t i = 0; i < list->n; i++)
		if (!n || list->items[n - 1] != list->items[i])
			list->items[n++] = list->items[i];
	list->n = n;
}

void ids_merge(const struct ids *a, const struct ids *b, struct ids *ret_out)
{
	size_t i = 0, j = 0;

	ret_out->n = 0;
	while (i < a->n || j < b->n) {
		if (j == b->n || (i < a->n && a->items[i] < b->items[j])) {
			IDS_ADD(ret_out, a->items[i++]);
		} else {
			if (i < a->n && a->items[i] == b->items[j])
				i++;
			IDS_ADD(ret_out, b->items[j++]);
		}
	}
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
	void *copy = arena_zalloc(a, size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

struct src build_src(struct build *b, const struct src *src)
{
	struct src copy = *src;

	if (!src->file)
		return copy;
	if (!b->last_src.file || strcmp(b->last_src.file, src->file))
		b->last_src.file = arena_strdup(&b->plan->arena, src->file);
	copy.file = b->last_src.file;
	return copy;
}

bool pod_has_identity(const struct kube_pod *pod)
{
	return !pod->host_network && pod->phase != KUBE_SUCCEEDED && pod->phase != KUBE_FAILED;
}

/* ---- Addresses of nodes and of this node's pods ------------------------------------------------------ */

static int by_node_addr(const void *a, const void *b)
{
	const struct plan_node_addr *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->kind - (int)y->kind; /* OWN first: it stays */
}

static void add_node_addrs(struct build *b, const struct plan_input *in)
{
	struct plan_node_addr *list = NULL;
	struct plan *p = b->plan;
	size_t n = 0, cap = 0, kept = 0;

	for (size_t i = 0; i < in->store->n_nodes; i++) {
		const struct kube_node *node = in->store->nodes[i];
		enum weir_node_kind kind = strcmp(node->meta.name, in->node) ? WEIR_NODE_OTHER : WEIR_NODE_OWN;

		for (size_t j = 0; j < node->n_addrs; j++)
			*VEC_ADD(list, n, cap) = (struct plan_node_addr){ node->addrs[j], kind };
	}
	for (size_t i = 0; i < in->n_local_addrs; i++)
		*VEC_ADD(list, n, cap) = (struct plan_node_addr){ in->local_addrs[i], WEIR_NODE_OWN };
	if (n)
		qsort(list, n, sizeof(*list), by_node_addr);
	for (size_t i = 0; i < n; i++)
		if (!kept || !weir_addr_equal(&list[kept - 1].addr, &list[i].addr))
			list[kept++] = list[i];
	p->node_addrs = arena_array(&p->arena, list, kept);
	p->n_node_addrs = kept;
	free(list);
}

static int by_pod_addr(const void *a, const void *b)
{
	return addr_compare(&((const struct plan_pod_addr *)a)->addr, &((const struct plan_pod_addr *)b)->addr);
}

static void add_pod_addrs(struct plan *p)
{
	p->pod_addrs = arena_zalloc(&p->arena, 2 * p->n_pods * sizeof(*p->pod_addrs));
	for (size_t i = 0; i < p->n_pods; i++)
		for (int family = 0; family < 2; family++)
			if (!weir_addr_is_zero(&p->pods[i].addr[family]))
				p->pod_addrs[p->n_pod_addrs++] =
					(struct plan_pod_addr){ p->pods[i].addr[family], i };
	if (p->n_pod_addrs)
		qsort(p->pod_addrs, p->n_pod_addrs, sizeof(*p->pod_addrs), by_pod_addr);
}

/* ---- The whole ---------------------------------------------------------------------------------------- */

static void build_free(struct build *b)
{
	for (size_t i = 0; i < b->plan->n_pods; i++)
		ids_free(&b->locals[i].policies);
	for (size_t i = 0; i < b->plan->n_rules; i++)
		ids_free(&b->rules[i].peers);
	for (size_t i = 0; i < b->n_peers; i++)
		ids_free(&b->peers[i].identities);
	for (size_t i = 0; i < b->n_port_names; i++)
		ids_free(&b->port_names[i].identities);
	for (size_t i = 0; i < b->n_classes; i++)
		ids_free(&b->classes[i].peers);
	for (size_t i = 0; i < b->n_regions; i++)
		ids_free(&b->regions[i].peers);
	for (size_t i = 0; i < b->n_identities; i++)
		ids_free(&b->identities[i].peers);
	free(b->locals);
	free(b->actives);
	free(b->rules);
	free(b->peers);
	free(b->port_names);
	free(b->classes);
	free(b->class_of);
	free(b->resolutions);
	free(b->resolution_of);
	free(b->regions);
	free(b->identities);
	arena_free(&b->arena);
}

struct plan *plan_compile(const struct plan_input *in)
{
	struct plan *p = mem_zalloc(sizeof(*p));
	struct build b = { .plan = p, .store = in->store };

	p->node = arena_strdup(&p->arena, in->node);
	p->echo_always = in->echo_always;
	add_node_addrs(&b, in);
	build_services(&b);
	build_locals(&b);
	build_peers(&b);
	build_matches(&b);
	build_regions(&b);
	build_identities(&b);
	build_sets(&b);
	add_pod_addrs(p);
	build_free(&b);
	return p;
}

struct plan *plan_compile_service(const struct plan_input *in, const struct kube_service *service,
				  struct kube_slice *const *slices, size_t n)
{
	struct plan *p = mem_zalloc(sizeof(*p));
	struct build b = { .plan = p, .store = in->store };

	p->node = arena_strdup(&p->arena, in->node);
	build_service(&b, service, slices, n);
	build_free(&b);
	return p;
}

void plan_free(struct plan **p)
{
	if (!*p)
		return;
	diag_free(&(*p)->notes);
	arena_free(&(*p)->arena);
	free(*p);
	*p = NULL;
}
