// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Implied objects and fields: Namespaces and Nodes that objects name, and families of Services. */
#include "base/mem.h"
#include "kube/decode.h"
#include "kube/store_private.h"

#define DEFAULT_NODE "node" /* when no object names one */

static void imply_namespace(struct store *s, const char *name)
{
	struct kube_namespace *ns = store_add_new(s, KUBE_NAMESPACE, sizeof(*ns), "", name);

	ns->implied = true;
	decode_set_label(&ns->meta.arena, &ns->meta.labels, KUBE_NAMESPACE_LABEL, ns->meta.name);
}

void store_imply_namespaces(struct store *s)
{
	static const enum kube_kind kinds[] = { KUBE_POD, KUBE_SERVICE, KUBE_SLICE, KUBE_POLICY,
						KUBE_ENDPOINTS };
	size_t all = s->n_pods + s->n_services + s->n_slices + s->n_policies + s->n_endpoints,
	       n = 0, missing = 0;
	_cleanup_(mem_free) const char **names = mem_zalloc(all * sizeof(*names));

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct store_array a = store_array(s, kinds[k]);

		for (size_t i = 0; i < *a.n; i++)
			names[n++] = (*a.items)[i]->ns;
	}
	n = array_unique(names, n, sizeof(*names), text_order);
	for (size_t i = 0; i < n; i++)
		if (!store_namespace(s, names[i]))
			names[missing++] = names[i];
	for (size_t i = 0; i < missing; i++)
		imply_namespace(s, names[i]);
	store_sort(s, KUBE_NAMESPACE);
}

/* Nodes that pods name without a Node object; DEFAULT_NODE when there is no node at all. */
void store_imply_nodes(struct store *s)
{
	_cleanup_(mem_free) const char **names = mem_zalloc((s->n_pods + 1) * sizeof(*names));
	size_t n = 0, missing = 0;
	bool made_up;

	for (size_t i = 0; i < s->n_pods; i++)
		if (*s->pods[i]->node)
			names[n++] = s->pods[i]->node;
	made_up = !n && !s->n_nodes;
	if (made_up)
		names[n++] = DEFAULT_NODE;
	n = array_unique(names, n, sizeof(*names), text_order);
	for (size_t i = 0; i < n; i++)
		if (!store_node(s, names[i]))
			names[missing++] = names[i];
	for (size_t i = 0; i < missing; i++) {
		struct kube_node *node = store_add_new(s, KUBE_NODE, sizeof(*node), "", names[i]);

		node->implied = true;
		node->made_up = made_up;
	}
	store_sort(s, KUBE_NODE);
}

/*
 * A Service that names no family has the cluster's first one: IPv4, unless pods and Services have
 * only IPv6 addresses.
 */
void store_default_families(struct store *s)
{
	bool seen[2] = {};
	int first;

	for (size_t i = 0; i < s->n_pods; i++)
		for (int family = 0; family < 2; family++)
			seen[family] |= !weir_addr_is_zero(&s->pods[i]->addr[family]);
	for (size_t i = 0; i < s->n_services; i++)
		for (int family = 0; family < 2; family++)
			seen[family] |= !weir_addr_is_zero(&s->services[i]->cluster_ip[family]);
	first = seen[1] && !seen[0];
	for (size_t i = 0; i < s->n_services; i++)
		if (!s->services[i]->wants_family[0] && !s->services[i]->wants_family[1])
			s->services[i]->wants_family[first] = true;
}
