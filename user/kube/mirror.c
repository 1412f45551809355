// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * EndpointSlices of Endpoints objects, as the control plane's mirroring controller makes them for
 * Services without a selector (SVC-121). Weir reads no Endpoints beyond that. The controller
 * mirrors at most 1000 addresses of a subset; Weir all of them. Input: a sorted store.
 */
#include "base/mem.h"
#include "kube/store_private.h"

/* Not const: the steps of store_apply_defaults() write to it. */
static struct kube_service *service(const struct store *s, const char *ns, const char *name)
{
	return (struct kube_service *)store_service(s, ns, name);
}

void store_note_slices(struct store *s)
{
	for (size_t i = 0; i < s->n_slices; i++) {
		const struct kube_slice *slice = s->slices[i];
		struct kube_service *svc = service(s, slice->meta.ns, slice->service);

		if (!svc)
			continue;
		svc->has_slices = true;
		svc->has_mirrored |= slice->mirrored;
	}
}

/* Its arrays are those of the Endpoints object. */
static void add_slice(struct store *s, const struct kube_endpoints *e, size_t i)
{
	_cleanup_(mem_free) char *name = mem_printf("%s-mirrored-%zu", e->meta.name, i);
	struct kube_slice *slice = store_add_new(s, KUBE_SLICE, sizeof(*slice), e->meta.ns, name);

	slice->meta.src = e->meta.src;
	slice->service = e->meta.name;
	slice->family = e->slices[i].family;
	slice->endpoints = e->slices[i].endpoints;
	slice->n_endpoints = e->slices[i].n_endpoints;
	slice->ports = e->slices[i].ports;
	slice->n_ports = e->slices[i].n_ports;
	slice->mirrored = true;
}

static void warn_not_mirrored(struct store *s, const struct kube_endpoints *e)
{
	_cleanup_(mem_free) char *object = mem_printf("Service %s/%s", e->meta.ns, e->meta.name);
	const struct src *src = &service(s, e->meta.ns, e->meta.name)->meta.src;

	diag_add(&s->diags, DIAG_WARNING, NULL, src, object, NULL,
		 "no endpoints: its Endpoints object at %s:%d:%d has the %s, so no EndpointSlice "
		 "is made of it: add the EndpointSlices of this Service",
		 e->meta.src.file ? e->meta.src.file : "?", e->meta.src.line, e->meta.src.col,
		 e->not_mirrored);
}

void store_mirror_endpoints(struct store *s)
{
	for (size_t i = 0; i < s->n_endpoints; i++) {
		const struct kube_endpoints *e = s->endpoints[i];
		const struct kube_service *svc = service(s, e->meta.ns, e->meta.name);

		if (!svc || svc->has_selector || svc->has_mirrored)
			continue;
		if (e->not_mirrored) {
			if (!svc->has_slices)
				warn_not_mirrored(s, e);
			continue;
		}
		for (size_t k = 0; k < e->n_slices; k++)
			if (e->slices[k].n_endpoints)
				add_slice(s, e, k);
	}
	store_sort(s, KUBE_SLICE);
}
