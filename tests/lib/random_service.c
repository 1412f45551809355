/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random Services with and without selectors, and EndpointSlices that overlap, disagree and have
 * hints.
 */
#include "lib/random_internal.h"

#define PORTS_MAX 3

struct service_port {
	const char *name;
	const char *protocol;
	unsigned int port, node_port; /* node_port 0: none */
};

struct service {
	char name[16];
	const char *ns;
	struct service_port ports[PORTS_MAX];
	unsigned int n_ports;
	bool node_ports; /* NodePort or LoadBalancer */
	bool selector;
	bool draining; /* none of its endpoints is ready (SVC-21) */
};

static bool port_is_taken(const struct service *s, const struct service_port *p)
{
	for (unsigned int i = 0; i < s->n_ports; i++)
		if (s->ports[i].protocol[0] == p->protocol[0] &&
		    (s->ports[i].port == p->port ||
		     (p->node_port && s->ports[i].node_port == p->node_port)))
			return true;
	return false;
}

/* The same port number under several protocols is allowed (SVC-6). */
static void choose_ports(struct generator *g, struct service *s)
{
	unsigned int n = random_between(g->r, 1, PORTS_MAX);

	for (unsigned int i = 0; i < n; i++) {
		struct service_port p = { port_names[i], random_word(g->r, protocols),
					  port_numbers[random_below(g->r, 3)], 0 };

		if (random_percent(g->r, 85))
			p.node_port = RANDOM_NODE_PORT + random_below(g->r, RANDOM_NODE_PORTS);
		if (!port_is_taken(s, &p))
			s->ports[s->n_ports++] = p;
	}
	if (s->n_ports == 1 && random_percent(g->r, 50))
		s->ports[0].name = "";
}

static void emit_target(struct generator *g)
{
	unsigned int kind = random_below(g->r, 3);

	if (kind == 1)
		emit_int(&g->e, "targetPort", random_port(g->r));
	else if (kind == 2)
		emit_text(&g->e, "targetPort", random_word(g->r, port_names));
}

static void emit_service_ports(struct generator *g, const struct service *s)
{
	emit_array(&g->e, "ports");
	for (unsigned int i = 0; i < s->n_ports; i++) {
		emit_map(&g->e, NULL);
		if (*s->ports[i].name)
			emit_text(&g->e, "name", s->ports[i].name);
		emit_text(&g->e, "protocol", s->ports[i].protocol);
		emit_int(&g->e, "port", s->ports[i].port);
		if (s->node_ports && s->ports[i].node_port)
			emit_int(&g->e, "nodePort", s->ports[i].node_port);
		emit_target(g);
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
}

static void emit_families(struct generator *g, unsigned int number)
{
	const struct weir_addr ips[2] = { address_v4(10, 96, 0, 1 + number),
					  address_v6(0x96, 0, 1 + number) };
	int first = random_percent(g->r, 60) ? 0 : 1, n = random_percent(g->r, 60) ? 2 : 1;

	emit_addr(g, "clusterIP", &ips[first]);
	emit_array(&g->e, "clusterIPs");
	for (int i = 0; i < n; i++)
		emit_addr(g, NULL, &ips[first ^ i]);
	emit_array_end(&g->e);
	emit_array(&g->e, "ipFamilies");
	for (int i = 0; i < n; i++)
		emit_text(&g->e, NULL, family_text(first ^ i));
	emit_array_end(&g->e);
	emit_text(&g->e, "ipFamilyPolicy", n == 2 ? "RequireDualStack" : "SingleStack");
}

/* Of few, so that Services dispute them; rarely one of a pod, a node or a cluster IP. */
static struct weir_addr external_address(struct generator *g)
{
	unsigned int kind = random_below(g->r, 20), host = random_below(g->r, 4);
	int family = random_percent(g->r, 60) ? 0 : 1;

	if (kind == 0)
		return known_address(g, family);
	if (kind == 1)
		return family ? address_v6(0x96, 0, 1 + host) : address_v4(10, 96, 0, 1 + host);
	if (kind < 6)
		return family ? address_v6(0xc0, 0, 0x10 + host)
			      : address_v4(192, 168, 0, 10 + host);
	return family ? address_v6(0xffff, 0, 0x100 + host) : address_v4(203, 0, 113, 200 + host);
}

static void emit_external_ips(struct generator *g)
{
	unsigned int n = random_between(g->r, 1, 3);

	emit_array(&g->e, "externalIPs");
	while (n--) {
		struct weir_addr a = external_address(g);

		emit_addr(g, NULL, &a);
	}
	emit_array_end(&g->e);
}

static void emit_source_ranges(struct generator *g)
{
	unsigned int n = random_between(g->r, 1, 3);

	emit_array(&g->e, "loadBalancerSourceRanges");
	while (n--) {
		int family = random_percent(g->r, 60) ? 0 : 1;
		struct weir_addr a = known_address(g, family);
		struct cidr c = { .len = random_percent(g->r, 10)
						 ? 0
						 : random_between(g->r, 4, 8) * (family ? 16 : 4) };
		char text[ADDR_TEXT_MAX];

		c.len += family ? 0 : 96;
		c.addr = addr_mask(&a, c.len);
		emit_text(&g->e, NULL, cidr_text(&c, text));
	}
	emit_array_end(&g->e);
}

/* SVC-45, SVC-46 */
static void emit_balancer_status(struct generator *g)
{
	unsigned int n = random_between(g->r, 1, 3);

	emit_map(&g->e, "status");
	emit_map(&g->e, "loadBalancer");
	emit_array(&g->e, "ingress");
	while (n--) {
		struct weir_addr a = external_address(g);

		emit_map(&g->e, NULL);
		emit_addr(g, "ip", &a);
		if (random_percent(g->r, 40))
			emit_text(&g->e, "ipMode", random_percent(g->r, 60) ? "VIP" : "Proxy");
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
	emit_map_end(&g->e);
	emit_map_end(&g->e);
}

static void emit_external(struct generator *g, const char *type)
{
	bool ips = random_percent(g->r, 30);

	if (ips)
		emit_external_ips(g);
	if ((type[0] != 'C' || ips) && random_percent(g->r, 40))
		emit_text(&g->e, "externalTrafficPolicy", "Local");
	if (type[0] == 'L' && random_percent(g->r, 40))
		emit_source_ranges(g);
}

static void emit_addresses(struct generator *g, unsigned int i, const char *type)
{
	if (type[0] == 'C' && random_percent(g->r, 5)) {
		emit_text(&g->e, "clusterIP", "None");
		return;
	}
	/* rarely the cluster IP of another Service (SVC-7) */
	emit_families(g, i && random_percent(g->r, 4) ? random_below(g->r, i) : i);
	emit_text(&g->e, "type", type);
	if (random_percent(g->r, 35))
		emit_text(&g->e, "internalTrafficPolicy",
			  random_percent(g->r, 75) ? "Local" : "Cluster");
	emit_external(g, type);
}

static void emit_service_metadata(struct generator *g, const struct service *s)
{
	metadata_begin(g, s->ns, s->name);
	emit_time(g, "creationTimestamp");
	emit_map(&g->e, "labels");
	if (random_percent(g->r, 4))
		emit_text(&g->e, "service.kubernetes.io/service-proxy-name", "other");
	if (random_percent(g->r, 4))
		emit_text(&g->e, "service.kubernetes.io/headless", "");
	emit_map_end(&g->e);
	emit_map_end(&g->e);
}

static void emit_service(struct generator *g, struct service *s, unsigned int i)
{
	static const char *const types[] = { "ClusterIP", "ClusterIP",    "NodePort",
					     "NodePort",  "LoadBalancer", NULL };
	const char *type = random_word(g->r, types);

	s->node_ports = type[0] != 'C';
	object_begin(g, "v1", "Service");
	emit_service_metadata(g, s);
	emit_map(&g->e, "spec");
	if (random_percent(g->r, 4)) {
		emit_text(&g->e, "type", "ExternalName");
		emit_text(&g->e, "externalName", "example.org");
		s->node_ports = false;
	} else {
		emit_addresses(g, i, type);
	}
	emit_service_ports(g, s);
	if (s->selector)
		emit_labels(g, "selector", &pod_words, 60);
	if (random_percent(g->r, 15))
		emit_bool(&g->e, "publishNotReadyAddresses", true);
	emit_map_end(&g->e);
	if (random_percent(g->r, s->node_ports ? 60 : 5))
		emit_balancer_status(g);
	object_end(g);
}

/*
 * ---- Slices -----------------------------------------------------------------------------------
 */

/* True, false or absent, which has its own meaning (SVC-18). */
static void emit_condition(struct generator *g, const char *key, unsigned int percent_true)
{
	if (random_percent(g->r, 30))
		return;
	emit_bool(&g->e, key, random_percent(g->r, percent_true));
}

static void emit_hint_list(struct generator *g, const char *key, const char *first,
			   const char *second)
{
	unsigned int which = random_between(g->r, 1, 3);

	emit_array(&g->e, key);
	for (unsigned int i = 0; i < 2; i++) {
		if (!(which & 1u << i))
			continue;
		emit_map(&g->e, NULL);
		emit_text(&g->e, "name", i ? second : first);
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
}

static void emit_hints(struct generator *g, unsigned int percent)
{
	if (!random_percent(g->r, percent))
		return;
	emit_map(&g->e, "hints");
	if (random_percent(g->r, 90))
		emit_hint_list(g, "forZones", "zone-a", "zone-b");
	if (random_percent(g->r, 50))
		emit_hint_list(g, "forNodes", random_cluster_node(0), random_cluster_node(1));
	emit_map_end(&g->e);
}

static void emit_endpoint(struct generator *g, int family, unsigned int hints, bool draining)
{
	struct weir_addr addr = known_address(g, family);

	emit_map(&g->e, NULL);
	emit_array(&g->e, "addresses");
	emit_addr(g, NULL, &addr);
	emit_array_end(&g->e);
	if (draining || random_percent(g->r, 85)) {
		emit_map(&g->e, "conditions");
		if (draining)
			emit_bool(&g->e, "ready", false);
		else
			emit_condition(g, "ready", 65);
		emit_condition(g, "serving", draining ? 50 : 75);
		emit_condition(g, "terminating", draining ? 60 : 30);
		emit_map_end(&g->e);
	}
	if (random_percent(g->r, 80))
		emit_text(&g->e, "nodeName", random_cluster_node(random_below(g->r, RANDOM_NODES)));
	emit_hints(g, hints);
	emit_map_end(&g->e);
}

static void emit_slice_ports(struct generator *g, const struct service *s)
{
	emit_array(&g->e, "ports");
	for (unsigned int i = 0; i < s->n_ports; i++) {
		if (!random_percent(g->r, 90))
			continue;
		emit_map(&g->e, NULL);
		emit_text(&g->e, "name", s->ports[i].name);
		if (random_percent(g->r, 95))
			emit_int(&g->e, "port",
				 port_numbers[4 + random_below(g->r, 2)]); /* few, for duplicates */
		emit_text(&g->e, "protocol",
			  random_percent(g->r, 92) ? s->ports[i].protocol : "UDP");
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
}

static void emit_slice(struct generator *g, const struct service *s, unsigned int i)
{
	unsigned int n = random_below(g->r, 6), hints = random_percent(g->r, 40) ? 95 : 5;
	int family = random_percent(g->r, 60) ? 0 : 1;
	char name[32];

	snprintf(name, sizeof(name), "%s-%u", s->name, i);
	object_begin(g, "discovery.k8s.io/v1", "EndpointSlice");
	metadata_begin(g, s->ns, name);
	emit_map(&g->e, "labels");
	emit_text(&g->e, "kubernetes.io/service-name", s->name);
	emit_map_end(&g->e);
	emit_map_end(&g->e);
	emit_text(&g->e, "addressType", family_text(family));
	emit_array(&g->e, "endpoints");
	for (unsigned int j = 0; j < n; j++)
		emit_endpoint(g, family, hints, s->draining);
	emit_array_end(&g->e);
	emit_slice_ports(g, s);
	object_end(g);
}

void make_service(struct generator *g, unsigned int i)
{
	struct service s = { .ns = namespace_name(random_below(g->r, g->n_namespaces)),
			     .selector = random_percent(g->r, 60),
			     .draining = random_percent(g->r, 30) };
	unsigned int slices = s.selector && random_percent(g->r, 70) ? 0 : random_below(g->r, 5);

	snprintf(s.name, sizeof(s.name), "service-%u", i);
	choose_ports(g, &s);
	emit_service(g, &s, i);
	for (unsigned int j = 0; j < slices; j++)
		emit_slice(g, &s, j);
}
