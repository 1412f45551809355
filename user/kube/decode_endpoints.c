// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Endpoints: read only for what the control plane makes of it, which is one EndpointSlice for each
 * subset and family (mirror.c, SVC-121). Of one made by the control plane itself, for a Service
 * with a selector, nothing is used.
 */
#include <string.h>

#include "kube/decode.h"

#define LABEL_SKIP "endpointslice.kubernetes.io/skip-mirror"
#define ANNOTATION_LEADER "control-plane.alpha.kubernetes.io/leader"

static void decode_ports(const struct field *subset, struct kube_slice *slice)
{
	struct field list = field_list(subset, "ports");
	size_t n = field_count(&list);

	slice->ports = arena_zalloc(subset->d->arena, n * sizeof(*slice->ports));
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&list, i), name = field_at(&item, "name");
		struct kube_slice_port *p = &slice->ports[slice->n_ports++];

		p->name = field_text(&name, "");
		p->proto = check_protocol_at(&item, "protocol");
		p->port = check_port_at(&item, "port");
		if (!*p->name && n > 1)
			field_error(&name, KUBE_E_REQUIRED,
				    "required: in a subset with several ports, each has a name");
		else if (*p->name && !check_dns_label(p->name))
			field_error(&name, KUBE_E_PORT_NAME,
				    "\"%.80s\" is not a port name: at most 63 of a-z, 0-9 and -",
				    p->name);
	}
}

/* false after an error. */
static bool decode_addr(const struct field *ip, struct weir_addr *ret_addr)
{
	if (!field_given(ip))
		field_error(ip, KUBE_E_ADDRESS, "expected an address, found nothing");
	return check_addr(ip, ret_addr) && check_sendable(ip, ret_addr, "endpoint");
}

static void check_hostname(const struct field *address)
{
	struct field host = field_at(address, "hostname");
	const char *name = field_raw(&host, "");

	if (*name && !check_dns_label(name))
		field_error(&host, KUBE_E_NAME,
			    "%s is not a host name: at most 63 of a-z, 0-9 and -",
			    field_quoted(&host));
}

static const char *decode_node_name(const struct field *address)
{
	struct field node = field_at(address, "nodeName");
	const char *name = field_text(&node, "");

	if (field_given(&node) && node.node->type == DOC_STRING && !check_dns_name(name))
		field_error(&node, KUBE_E_NAME, "%s is not a node's name", field_quoted(&node));
	return name;
}

/* Each to the slice of its family. */
static void add_addresses(const struct field *list, bool ready, struct kube_slice *slices)
{
	for (size_t i = 0; i < field_count(list); i++) {
		struct field item = field_map_item(list, i), ip = field_at(&item, "ip");
		struct weir_addr addr;
		struct kube_slice *s;

		check_hostname(&item);
		if (!decode_addr(&ip, &addr))
			continue;
		s = &slices[addr_family(&addr)];
		s->endpoints[s->n_endpoints++] = (struct kube_endpoint){
			.addr = addr,
			.ready = ready,
			.serving = true, /* the mirror does not say; the default (SVC-18) */
			.node = decode_node_name(&item),
			.pod = "",
		};
	}
}

static void decode_subset(const struct field *subset, struct kube_slice *slices)
{
	struct field ready = field_list(subset, "addresses"),
		     not_ready = field_list(subset, "notReadyAddresses");
	size_t n = field_count(&ready) + field_count(&not_ready);

	if (!n)
		field_error(subset, KUBE_E_REQUIRED, "required: addresses or notReadyAddresses");
	for (int family = 0; family < 2; family++) {
		slices[family].family = family;
		slices[family].endpoints =
			arena_zalloc(subset->d->arena, n * sizeof(*slices[family].endpoints));
	}
	decode_ports(subset, &slices[0]);
	slices[1].ports = slices[0].ports;
	slices[1].n_ports = slices[0].n_ports;
	add_addresses(&ready, true, slices);
	add_addresses(&not_ready, false, slices);
}

static const char *why_not_mirrored(const struct field *root, const struct kube_meta *m)
{
	struct field metadata = field_map(root, "metadata"),
		     annotations = field_map(&metadata, "annotations");
	/* with null, which is an empty text here, it is there too */
	bool leads = field_given(&annotations) && doc_get(annotations.node, ANNOTATION_LEADER);
	const char *skip = kube_label(&m->labels, LABEL_SKIP);

	if (skip && !strcmp(skip, "true"))
		return "label " LABEL_SKIP;
	return leads ? "annotation " ANNOTATION_LEADER : NULL;
}

void decode_endpoints(const struct field *root, struct kube_meta *o)
{
	struct kube_endpoints *e = (struct kube_endpoints *)o;
	struct field subsets = field_list(root, "subsets");
	size_t n = field_count(&subsets);

	e->not_mirrored = why_not_mirrored(root, o);
	e->slices = arena_zalloc(root->d->arena, 2 * n * sizeof(*e->slices));
	e->n_slices = 2 * n;
	for (size_t i = 0; i < n; i++) {
		struct field subset = field_map_item(&subsets, i);

		decode_subset(&subset, &e->slices[2 * i]);
	}
}
