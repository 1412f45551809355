// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Service: ports, addresses of its frontends, traffic policies, affinity. What the API server would
 * refuse is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "kube/decode.h"

#define FAMILIES_MAX 2
#define AFFINITY_SECONDS_MAX 86400
#define AFFINITY_SECONDS_DEFAULT 10800

/* In the order of enum kube_service_type. */
static const char *const types[] = { "ClusterIP", "NodePort", "LoadBalancer", "ExternalName",
				     NULL };
static const char *const traffic_policies[] = { "Cluster", "Local", NULL };

enum family_policy {
	SINGLE_STACK,
	PREFER_DUAL_STACK,
	REQUIRE_DUAL_STACK,
};

/* ---- Ports ---- */

/* PARSE-3: targetPort 0 and "" mean the same as none. */
static bool is_unset(const struct field *target)
{
	return field_empty(target) || (target->node->type == DOC_INT && !target->node->number);
}

static void decode_port(const struct field *f, bool needs_name, enum kube_service_type type,
			struct kube_service_port *p)
{
	struct field name = field_at(f, "name"), target = field_at(f, "targetPort"),
		     node = field_at(f, "nodePort");
	int what;

	p->src = field_src(f);
	p->name = field_text(&name, "");
	if (!*p->name && needs_name)
		field_error(&name, KUBE_E_REQUIRED,
			    "required: in a Service with several ports, each has a name");
	else if (*p->name && !check_dns_label(p->name))
		field_error(&name, KUBE_E_PORT_NAME,
			    "\"%.80s\" is not a port name: at most 63 of a-z, 0-9 and -", p->name);
	p->proto = check_protocol_at(f, "protocol");
	p->port = check_port_at(f, "port");
	what = is_unset(&target) ? 0 : check_int_or_name(&target, &p->target_port, &p->target_name);
	p->target_is_name = what == 2;
	if (!what)
		p->target_port = p->port;
	p->node_port = field_number(&node, 0, KUBE_PORT_MAX, 0);
	if (p->node_port && type == KUBE_CLUSTER_IP)
		field_error(&node, KUBE_E_CONFLICT,
			    "not allowed for type %s: remove it, or use NodePort or LoadBalancer",
			    types[type]);
}

struct numbered {
	int proto;
	uint16_t port;
	size_t index;
};

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->proto != y->proto)
		return x->proto - y->proto;
	if (x->port != y->port)
		return x->port - y->port;
	return (x->index > y->index) - (x->index < y->index);
}

/* (port, protocol) and (nodePort, protocol) must be unique. */
static void check_unique_numbers(const struct field *ports, const struct kube_service *svc,
				 const char *key)
{
	_cleanup_(mem_free) struct numbered *numbers = mem_zalloc(svc->n_ports * sizeof(*numbers));
	bool node = !strcmp(key, "nodePort");
	size_t n = 0;

	for (size_t i = 0; i < svc->n_ports; i++) {
		const struct kube_service_port *p = &svc->ports[i];
		uint16_t port = node ? p->node_port : p->port;

		if (port)
			numbers[n++] = (struct numbered){ p->proto, port, i };
	}
	qsort(numbers, n, sizeof(*numbers), by_number);
	for (size_t i = 1; i < n; i++) {
		struct field item = field_item(ports, numbers[i].index), f = field_at(&item, key);

		if (numbers[i].proto == numbers[i - 1].proto &&
		    numbers[i].port == numbers[i - 1].port)
			field_error(&f, KUBE_E_REPEATED, "%s %u/%s is given twice", key,
				    numbers[i].port, proto_text(numbers[i].proto));
	}
}

static void decode_ports(const struct field *spec, struct kube_service *svc)
{
	struct field ports = field_list(spec, "ports"), given = field_at(spec, "ports");
	size_t n = field_count(&ports);

	if (!n && !svc->headless && svc->type != KUBE_EXTERNAL_NAME &&
	    (!given.node || given.node->type == DOC_LIST))
		field_error(&given, KUBE_E_REQUIRED,
			    "required: at least one port, unless the Service is headless");
	svc->ports = arena_zalloc(spec->d->arena, n * sizeof(*svc->ports));
	svc->n_ports = n;
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&ports, i);

		/* nothing is an item without fields */
		if (item.node || ports.node->items[i]->type == DOC_NULL)
			decode_port(&item, n > 1, svc->type, &svc->ports[i]);
	}
	check_unique_named_at(&ports, "name", "port name");
	check_unique_numbers(&ports, svc, "port");
	check_unique_numbers(&ports, svc, "nodePort");
}

/* ---- Cluster IPs and families ---- */

static bool is_none(const struct field *f)
{
	return f->node && f->node->type == DOC_STRING && !strcmp(f->node->text, "None");
}

static void decode_cluster_ip(const struct field *f, struct kube_service *svc)
{
	struct weir_addr a;
	int family;

	if (!f->node)
		field_error(f, KUBE_E_ADDRESS, "expected an IPv4 or IPv6 address, found nothing");
	if (!check_addr(f, &a))
		return;
	family = addr_family(&a);
	if (!weir_addr_is_zero(&svc->cluster_ip[family]))
		field_error(f, KUBE_E_REPEATED,
			    "a second %s address: a Service has at most one of each family",
			    family_text(family));
	svc->cluster_ip[family] = a;
}

static void check_first_ip(const struct field *ip, const struct field *ips)
{
	struct field first = field_item(ips, 0);
	struct weir_addr a, b;

	if (field_empty(ip) || field_empty(&first) || ip->node->type != DOC_STRING ||
	    first.node->type != DOC_STRING)
		return;
	if (!strcmp(ip->node->text, first.node->text))
		return;
	if (addr_parse(ip->node->text, &a) || addr_parse(first.node->text, &b) ||
	    !weir_addr_equal(&a, &b))
		field_error(ip, KUBE_E_CONFLICT, "expected \"%.80s\" as in clusterIPs[0], found %s",
			    first.node->text, field_quoted(ip));
}

static void decode_cluster_ips(const struct field *spec, struct kube_service *svc)
{
	struct field ip = field_at(spec, "clusterIP"), ips = field_list(spec, "clusterIPs");
	size_t n = field_count(&ips);

	field_raw(&ip, "");
	if (n)
		check_first_ip(&ip, &ips);
	if (n > FAMILIES_MAX)
		field_error(&ips, KUBE_E_TOO_MANY,
			    "expected at most one address of each family, found %zu", n);
	svc->headless = is_none(&ip);
	for (size_t i = 0; i < n && i < FAMILIES_MAX; i++) {
		struct field item = field_item(&ips, i);

		if (!is_none(&item))
			decode_cluster_ip(&item, svc);
		else if (n > 1)
			field_error(&item, KUBE_E_CONFLICT,
				    "None is allowed only alone: remove the other item");
		else
			svc->headless = true;
	}
	if (!n && !svc->headless && !field_empty(&ip) && ip.node->type == DOC_STRING)
		decode_cluster_ip(&ip, svc);
}

/* ipFamilies[i] is the family of clusterIPs[i]. */
static void check_family_order(const struct field *f, int family, const struct field *spec,
			       size_t i)
{
	struct field ips = field_list(spec, "clusterIPs"), ip = field_at(spec, "clusterIP");
	struct weir_addr a;

	if (i >= field_count(&ips) && (i || field_count(&ips)))
		return;
	if (field_count(&ips))
		ip = field_item(&ips, i);
	if (!ip.node || ip.node->type != DOC_STRING || addr_parse(ip.node->text, &a) ||
	    addr_family(&a) == family)
		return;
	field_error(f, KUBE_E_CONFLICT, "expected %s as in clusterIPs[%zu], found %s",
		    family_text(addr_family(&a)), i, family_text(family));
}

static void decode_families(const struct field *spec, struct kube_service *svc)
{
	static const char *const families[] = { "IPv4", "IPv6", NULL };
	static const char *const policies[] = { "SingleStack", "PreferDualStack",
						"RequireDualStack", NULL };
	struct field list = field_list(spec, "ipFamilies"), ips = field_list(spec, "clusterIPs");
	struct field policy = field_at(spec, "ipFamilyPolicy");
	int stack = field_word_given(&policy, policies, -1);
	size_t n = field_count(&list), given = n > field_count(&ips) ? n : field_count(&ips);

	if (n > FAMILIES_MAX)
		field_error(&list, KUBE_E_TOO_MANY, "expected at most %d families, found %zu",
			    FAMILIES_MAX, n);
	for (size_t i = 0; i < n && i < FAMILIES_MAX; i++) {
		struct field f = field_item(&list, i);
		int family = field_word_given(&f, families, -1);

		if (!field_given(&f))
			field_error(&f, KUBE_E_VALUE, "expected IPv4 or IPv6, found nothing");

		if (family < 0)
			continue;
		if (svc->wants_family[family])
			field_error(&f, KUBE_E_REPEATED, "%s is given twice", families[family]);
		svc->wants_family[family] = true;
		check_family_order(&f, family, spec, i);
	}
	for (int family = 0; family < 2; family++)
		if (!weir_addr_is_zero(&svc->cluster_ip[family]))
			svc->wants_family[family] = true;
	/* both lists given: they are the result of allocation, whatever the policy preferred */
	if ((stack == PREFER_DUAL_STACK || stack == REQUIRE_DUAL_STACK) &&
	    !(n && field_count(&ips)))
		svc->wants_family[0] = svc->wants_family[1] = true;
	if (stack == SINGLE_STACK && given > 1)
		field_error(
			&policy, KUBE_E_CONFLICT,
			"expected PreferDualStack or RequireDualStack for two families, found SingleStack");
}

/* ---- The rest ---- */

static void check_external_name(const struct field *spec)
{
	static const char *const without[] = { "clusterIP", "clusterIPs", "ipFamilies",
					       "ipFamilyPolicy" };
	struct field name = field_at(spec, "externalName");
	const char *text = field_raw(&name, "");
	char host[256] = "";

	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		struct field f = field_at(spec, without[i]);
		bool list = f.node && f.node->type == DOC_LIST;

		if (list ? f.node->n_items : !field_empty(&f))
			field_error(&f, KUBE_E_CONFLICT,
				    "not allowed for type ExternalName: remove it");
	}
	if (strlen(text) < sizeof(host))
		strcpy(host, text);
	if (*host && host[strlen(host) - 1] == '.')
		host[strlen(host) - 1] = 0;
	if (field_empty(&name))
		field_error(&name, KUBE_E_REQUIRED, "required for type ExternalName: a DNS name");
	else if (!check_dns_name(host))
		field_error(&name, KUBE_E_NAME, "expected a DNS name, found %s",
			    field_quoted(&name));
}

static void decode_affinity(const struct field *spec, struct kube_service *svc)
{
	static const char *const words[] = { "None", "ClientIP", NULL };
	struct field config = field_map(spec, "sessionAffinityConfig"),
		     client = field_map(&config, "clientIP");
	int affinity = field_word_at(spec, "sessionAffinity", words, 0);

	/* the API server drops the config of another affinity, whatever the number */
	long long seconds = field_number_at(&client, "timeoutSeconds", affinity ? 1 : INT32_MIN,
					    affinity ? AFFINITY_SECONDS_MAX : INT32_MAX,
					    AFFINITY_SECONDS_DEFAULT);

	svc->affinity_s = affinity ? seconds : 0;
}

static void decode_source_ranges(const struct field *spec, struct kube_service *svc)
{
	struct field ranges = field_list(spec, "loadBalancerSourceRanges");

	if (field_count(&ranges) && svc->type != KUBE_LOAD_BALANCER)
		field_error(&ranges, KUBE_E_CONFLICT,
			    "not allowed for type %s: remove it, or use LoadBalancer",
			    types[svc->type]);
	svc->source_ranges =
		arena_zalloc(spec->d->arena, field_count(&ranges) * sizeof(*svc->source_ranges));
	for (size_t i = 0; i < field_count(&ranges); i++) {
		struct field f = field_item(&ranges, i);
		const char *text = field_raw(&f, NULL);
		struct cidr block;

		/* unlike other blocks, these may have blanks around them (PARSE-5) */
		if (!text || !*text)
			continue;
		if (!cidr_parse(text, &block))
			svc->source_ranges[svc->n_source_ranges++] = block;
		else
			field_error(&f, KUBE_E_CIDR,
				    "expected a block like 10.0.0.0/8 or 2001:db8::/32, found %s",
				    field_quoted(&f));
	}
}

static void decode_external(const struct field *spec, struct kube_service *svc)
{
	struct field ips = field_list(spec, "externalIPs"),
		     policy = field_at(spec, "externalTrafficPolicy");
	bool outside = svc->type == KUBE_NODE_PORT || svc->type == KUBE_LOAD_BALANCER ||
		       (svc->type == KUBE_CLUSTER_IP && field_count(&ips));

	svc->external_ips =
		arena_zalloc(spec->d->arena, field_count(&ips) * sizeof(*svc->external_ips));
	for (size_t i = 0; i < field_count(&ips); i++) {
		struct field f = field_item(&ips, i);
		struct weir_addr a;

		if (field_given(&f) && check_addr(&f, &a) && check_sendable(&f, &a, "external IP"))
			svc->external_ips[svc->n_external_ips++] = a;
		else if (!field_given(&f))
			field_error(&f, KUBE_E_ADDRESS,
				    "expected an IPv4 or IPv6 address, found nothing");
	}
	svc->external_local = field_word(&policy, traffic_policies, 0);
	if (!field_empty(&policy) && !outside)
		field_error(&policy, KUBE_E_CONFLICT,
			    "not allowed for type %s%s: remove it, or use NodePort or LoadBalancer",
			    types[svc->type],
			    svc->type == KUBE_CLUSTER_IP ? " without externalIPs" : "");
	decode_source_ranges(spec, svc);
}

/* Returns the address, or NULL: the field is none. */
static const struct weir_addr *add_balancer_ip(const struct field *f, struct kube_service *svc)
{
	const char *text = field_raw(f, NULL);
	struct weir_addr *a = &svc->balancer_ips[svc->n_balancer_ips];

	if (!text || addr_parse(text, a))
		return NULL;
	svc->n_balancer_ips++;
	return a;
}

/* SVC-45. What is on no wire is no frontend. */
static void add_vip(const struct field *ingress, struct kube_service *svc)
{
	struct field ip = field_at(ingress, "ip"), mode = field_at(ingress, "ipMode");
	const struct weir_addr *a = add_balancer_ip(&ip, svc);
	const char *text = field_raw(&mode, "");

	if (a && !addr_is_martian(a, true) && (!*text || !strcmp(text, "VIP")))
		svc->vips[svc->n_vips++] = *a;
}

/* The API server does not check these addresses: other text is ignored. */
static void decode_balancer(const struct field *root, const struct field *spec,
			    struct kube_service *svc)
{
	struct field status = field_map(root, "status"),
		     balancer = field_map(&status, "loadBalancer"),
		     ingress = field_list(&balancer, "ingress"),
		     asked = field_at(spec, "loadBalancerIP");
	size_t n = field_count(&ingress);

	svc->balancer_ips = arena_zalloc(spec->d->arena, (n + 1) * sizeof(*svc->balancer_ips));
	svc->vips = arena_zalloc(spec->d->arena, n * sizeof(*svc->vips));
	add_balancer_ip(&asked, svc);
	for (size_t i = 0; i < n; i++) {
		struct field item = field_map_item(&ingress, i);

		add_vip(&item, svc);
	}
}

void decode_service(const struct field *root, struct kube_meta *o)
{
	struct kube_service *svc = (struct kube_service *)o;
	struct field spec = field_map(root, "spec"), selector = field_map(&spec, "selector");
	struct field cluster_ip = field_at(&spec, "clusterIP");

	svc->type = field_word_at(&spec, "type", types, KUBE_CLUSTER_IP);
	decode_cluster_ips(&spec, svc);
	if (svc->headless && (svc->type == KUBE_NODE_PORT || svc->type == KUBE_LOAD_BALANCER))
		field_error(&cluster_ip, KUBE_E_CONFLICT,
			    "None is not allowed for type %s: remove it", types[svc->type]);
	decode_ports(&spec, svc);
	decode_families(&spec, svc);
	svc->needs_cluster_ip = !svc->headless && svc->type != KUBE_EXTERNAL_NAME &&
				weir_addr_is_zero(&svc->cluster_ip[0]) &&
				weir_addr_is_zero(&svc->cluster_ip[1]);
	svc->selector = decode_map_selector(&selector);
	svc->has_selector = svc->selector.n && svc->type != KUBE_EXTERNAL_NAME;
	svc->internal_local =
		field_word_given_at(&spec, "internalTrafficPolicy", traffic_policies, 0);
	svc->publish_not_ready = field_flag_at(&spec, "publishNotReadyAddresses", false);
	decode_external(&spec, svc);
	decode_balancer(root, &spec, svc);
	decode_affinity(&spec, svc);
	if (svc->type == KUBE_EXTERNAL_NAME)
		check_external_name(&spec);
	else
		field_raw_at(&spec, "externalName", "");
}
