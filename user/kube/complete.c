// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Making a store whole after reading, in the order in which one step needs the
 * other: what is there twice, what is only implied, what nobody has given an
 * address yet, and the EndpointSlices that a control plane would have made.
 */
#include <string.h>

#include "kube/decode.h"
#include "kube/store_private.h"

static void imply_namespace(struct store *s, const char *name, size_t n_read)
{
	struct kube_namespace *ns;

	for (size_t i = n_read; i < s->n_namespaces; i++)
		if (!strcmp(s->namespaces[i]->meta.name, name))
			return;
	ns = store_add_new(s, KUBE_NAMESPACE, sizeof(*ns), "", name);
	ns->implied = true;
	decode_set_label(&ns->meta.arena, &ns->meta.labels, "kubernetes.io/metadata.name", ns->meta.name);
}

/* Objects are sorted, so equal namespaces stand together. */
void store_imply_namespaces(struct store *s)
{
	static const enum kube_kind kinds[] = { KUBE_POD, KUBE_SERVICE, KUBE_SLICE, KUBE_POLICY };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct store_array a = store_array(s, kinds[k]);
		const char *last = "";

		for (size_t i = 0; i < *a.n; i++) {
			const char *ns = (*a.items)[i]->ns;

			if (!strcmp(ns, last))
				continue;
			last = ns;
			if (!store_namespace(s, ns)) {
				imply_namespace(s, ns, s->n_namespaces);
				store_sort(s, KUBE_NAMESPACE);
			}
		}
	}
}

/* A Service whose manifest says nothing of families has the cluster's first one: IPv4, unless only IPv6 is in use. */
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

void store_complete(struct store *s, unsigned int flags)
{
	for (int kind = 0; kind < _KUBE_KIND_MAX; kind++) {
		store_sort(s, kind);
		store_drop_duplicates(s, kind);
	}
	store_imply_namespaces(s);
	store_default_families(s);
	if (flags & STORE_INVENT)
		store_invent(s);
	else
		store_warn_missing(s);
	store_derive_slices(s);
	store_sort(s, KUBE_SLICE);
	store_index_addrs(s);
}
