// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* EndpointSlice: endpoints with their conditions, and ports (SVC-10 to SVC-19). */
#include <stdlib.h>
#include <string.h>

#include "kube/decode.h"

#define ENDPOINTS_MAX 1000 /* this and the next: limits of the API */
#define ADDRESSES_MAX 100
#define PORTS_MAX 20000
#define HINTS_MAX 8

/* Of a slice of type FQDN, which is not used: at least two labels, a point may end them. */
static void check_domain(const struct field *f)
{
	const char *text = field_raw(f, "");
	size_t len = strlen(text);
	_cleanup_(mem_free) char *name =
		mem_strndup(text, len && text[len - 1] == '.' ? len - 1 : len);

	if (!strchr(name, '.') || !check_dns_name(name))
		field_error(f, KUBE_E_ADDRESS, "\"%.80s\" is not a domain name", text);
}

static void check_endpoint_addr(const struct field *f, int family, struct weir_addr *ret_addr)
{
	if (family < 0) {
		check_domain(f);
		return;
	}
	if (!f->node)
		field_error(f, KUBE_E_ADDRESS, "expected an address, found nothing");
	if (!check_addr(f, ret_addr))
		return;
	if (addr_family(ret_addr) != family)
		field_error(f, KUBE_E_ADDRESS, "expected an %s address as in addressType, found %s",
			    family_text(family), field_quoted(f));
	else
		check_sendable(f, ret_addr, "endpoint");
}

/* A node's name is required; a zone is the value of a label, which may be empty. */
static const char *decode_hint(const struct field *item, bool node)
{
	struct field name = field_at(item, "name");
	const char *text = field_text(&name, "");

	if (node ? !check_dns_name(text) : !check_label_value(text))
		field_error(&name, KUBE_E_VALUE, "\"%.80s\" is not a %s", text,
			    node ? "node name: at most 253 of a-z, 0-9, - and ."
				 : "zone: " CHECK_LABEL_TEXT);
	return text;
}

static const char **decode_hints(const struct field *hints, const char *key, bool node,
				 size_t *ret_n)
{
	struct field list = field_list(hints, key);
	size_t n = field_count(&list);
	const char **names = arena_zalloc(hints->d->arena, n * sizeof(*names));

	if (n > HINTS_MAX)
		field_error(&list, KUBE_E_TOO_MANY, "expected at most %d hints, found %zu",
			    HINTS_MAX, n);
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&list, i);

		names[i] = decode_hint(&item, node);
	}
	check_unique_at(&list, "name", "hint");
	if (n > 1)
		qsort(names, n, sizeof(*names), text_order);
	*ret_n = n;
	return names;
}

static void decode_endpoint(const struct field *f, int family, struct kube_endpoint *e)
{
	struct field addresses = field_list(f, "addresses"),
		     conditions = field_map(f, "conditions");
	struct field hints = field_map(f, "hints"), node = field_at(f, "nodeName");
	size_t n = field_count(&addresses);

	if (!n)
		field_error(&addresses, KUBE_E_REQUIRED, "required: at least one address");
	if (n > ADDRESSES_MAX)
		field_error(&addresses, KUBE_E_TOO_MANY, "expected at most %d addresses, found %zu",
			    ADDRESSES_MAX, n);
	/* from last to first: addresses[0] is the one that is used (SVC-16) */
	for (size_t i = n; i--;) {
		struct field item = field_item(&addresses, i);

		check_endpoint_addr(&item, family, &e->addr);
	}
	e->ready = field_flag_at(&conditions, "ready", true);
	e->serving = field_flag_at(&conditions, "serving", true);
	e->terminating = field_flag_at(&conditions, "terminating", false);
	e->node = field_text(&node, "");
	if (field_given(&node) && !check_dns_name(e->node))
		field_error(&node, KUBE_E_NAME,
			    "\"%.80s\" is not a node name: at most 253 of a-z, 0-9, - and .",
			    e->node);
	e->pod = "";
	e->zone_hints = decode_hints(&hints, "forZones", false, &e->n_zone_hints);
	e->node_hints = decode_hints(&hints, "forNodes", true, &e->n_node_hints);
}

static void decode_port(const struct field *f, struct kube_slice *slice)
{
	struct kube_slice_port p = { .proto = check_protocol_given_at(f, "protocol") };
	struct field name = field_at(f, "name"), port = field_at(f, "port");
	int64_t number = field_number(&port, INT32_MIN, INT32_MAX, 0);

	p.name = field_text(&name, "");
	if (*p.name && !check_dns_label(p.name))
		field_error(&name, KUBE_E_PORT_NAME,
			    "\"%.80s\" is not a port name: at most 63 of a-z, 0-9 and -", p.name);
	/* the API server takes any number; 0 is a way to say none (SVC-12) */
	if (number < 0 || number > KUBE_PORT_MAX)
		field_warning(&port, "%lld is no port: skipped", (long long)number);
	p.port = number > 0 && number <= KUBE_PORT_MAX ? number : 0;
	if (p.port)
		slice->ports[slice->n_ports++] = p;
}

static bool is_mirrored(const struct kube_meta *m)
{
	const char *by = kube_label(&m->labels, "endpointslice.kubernetes.io/managed-by");

	return by && !strcmp(by, "endpointslicemirroring-controller.k8s.io");
}

void decode_slice(const struct field *root, struct kube_meta *o)
{
	static const char *const types[] = { "IPv4", "IPv6", "FQDN", NULL };
	struct kube_slice *slice = (struct kube_slice *)o;
	struct field type = field_at(root, "addressType");
	struct field endpoints = field_list(root, "endpoints"), ports = field_list(root, "ports");
	const char *service = kube_label(&o->labels, "kubernetes.io/service-name");
	size_t n = field_count(&endpoints);

	if (field_empty(&type))
		field_error(&type, KUBE_E_REQUIRED, "required: IPv4, IPv6 or FQDN");
	slice->service = service ? service : "";
	slice->mirrored = is_mirrored(o);
	slice->family = field_word(&type, types, 2);
	if (slice->family == 2)
		slice->family = -1;
	if (n > ENDPOINTS_MAX)
		field_error(&endpoints, KUBE_E_TOO_MANY, "expected at most %d endpoints, found %zu",
			    ENDPOINTS_MAX, n);
	slice->endpoints = arena_zalloc(root->d->arena, n * sizeof(*slice->endpoints));
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&endpoints, i);

		decode_endpoint(&item, slice->family, &slice->endpoints[slice->n_endpoints++]);
	}
	n = field_count(&ports);
	if (n > PORTS_MAX)
		field_error(&ports, KUBE_E_TOO_MANY, "expected at most %d ports, found %zu",
			    PORTS_MAX, n);
	slice->ports = arena_zalloc(root->d->arena, n * sizeof(*slice->ports));
	for (size_t i = 0; i < n && i < PORTS_MAX; i++) {
		struct field item = field_map_item(&ports, i);

		decode_port(&item, slice);
	}
	check_unique_at(&ports, "name", "port name");
}
