/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Random namespaces, nodes and pods, and the frame around all objects. See random_cluster.h. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lib/random_internal.h"

static const char *const apps[] = { "web", "db", "api", NULL };
static const char *const tiers[] = { "front", "back", "", NULL };
static const char *const teams[] = { "a", "b", NULL };
static const char *const envs[] = { "dev", "prod", "", NULL };
static const char *const pod_keys[] = { "app", "tier", NULL };
static const char *const namespace_keys[] = { "team", "env", NULL };

const struct vocabulary pod_words = { pod_keys, { apps, tiers }, "ghost" };
const struct vocabulary namespace_words = { namespace_keys, { teams, envs }, "name" };
const char *const port_names[] = { "http", "dns", "alt", NULL };
const char *const protocols[] = { "TCP", "TCP", "TCP", "UDP", "UDP", "SCTP", NULL };
const unsigned int port_numbers[] = { 80, 81, 53, 443, 8080, 8081, 0 };

static const char *const phases[] = { "Running", "Running",   "Running", "Running",
				      "Running", "Running",   "Pending", "Unknown",
				      "Failed",  "Succeeded", NULL };

const char *random_cluster_node(unsigned int i)
{
	static const char *const names[RANDOM_NODES] = { "node-0", "node-1", "node-2" };

	return names[i % RANDOM_NODES];
}

const char *namespace_name(unsigned int i)
{
	static const char *const names[] = { "alpha", "beta", "gamma", "delta" };

	return names[i % 4];
}

unsigned int random_port(struct random *r)
{
	return port_numbers[random_below(r, 6)];
}

/*
 * ---- Addresses --------------------------------------------------------------------------------
 */

struct weir_addr address_v4(unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	return weir_addr_from_v4(htonl(a << 24 | b << 16 | c << 8 | d));
}

struct weir_addr address_v6(unsigned int group, unsigned int subnet, unsigned int host)
{
	struct weir_addr a = { .b = { 0xfd, 0, group >> 8, group, subnet >> 8,
				      subnet, [14] = host >> 8, host } };

	return a;
}

void remember_address(struct generator *g, const struct weir_addr *addr)
{
	if (g->n_addrs < GENERATOR_ADDRS)
		g->addrs[g->n_addrs++] = *addr;
}

struct weir_addr known_address(struct generator *g, int family)
{
	struct weir_addr a;

	do
		a = g->addrs[random_below(g->r, g->n_addrs)];
	while (addr_family(&a) != family);
	return a;
}

static void remember_the_world(struct generator *g)
{
	const struct weir_addr world[] = {
		address_v4(203, 0, 113, 5), address_v4(8, 8, 8, 8),      address_v4(10, 200, 0, 9),
		address_v4(192, 168, 7, 7), address_v6(0xffff, 0, 9),    address_v6(0x10, 0x200, 9),
		address_v4(10, 0, 0, 255),  address_v6(0x10, 0, 0xffff),
	};

	for (size_t i = 0; i < ARRAY_SIZE(world); i++)
		remember_address(g, &world[i]);
}

void emit_addr(struct generator *g, const char *key, const struct weir_addr *addr)
{
	char text[ADDR_TEXT_MAX];

	emit_text(&g->e, key, addr_text(addr, text));
}

/*
 * ---- Frame ------------------------------------------------------------------------------------
 */

void object_begin(struct generator *g, const char *api_version, const char *kind)
{
	if (!g->json)
		fputs("---\n", g->out);
	else if (g->objects)
		fputs(",\n", g->out);
	g->objects++;
	emit_open(&g->e, g->out);
	emit_map(&g->e, NULL);
	emit_text(&g->e, "apiVersion", api_version);
	emit_text(&g->e, "kind", kind);
}

void object_end(struct generator *g)
{
	emit_map_end(&g->e);
	emit_close(&g->e);
	fputc('\n', g->out);
}

void metadata_begin(struct generator *g, const char *ns, const char *name)
{
	emit_map(&g->e, "metadata");
	emit_text(&g->e, "name", name);
	if (ns)
		emit_text(&g->e, "namespace", ns);
}

void emit_labels(struct generator *g, const char *key, const struct vocabulary *words,
		 unsigned int percent)
{
	emit_map(&g->e, key);
	for (unsigned int i = 0; words->keys[i]; i++)
		if (random_percent(g->r, percent))
			emit_text(&g->e, words->keys[i], random_word(g->r, words->values[i]));
	emit_map_end(&g->e);
}

void emit_time(struct generator *g, const char *key)
{
	emit_printf(&g->e, key, "2025-03-01T10:%02u:%02uZ", random_below(g->r, 60),
		    random_below(g->r, 60));
}

/*
 * ---- Objects ----------------------------------------------------------------------------------
 */

static void make_namespace(struct generator *g, unsigned int i)
{
	object_begin(g, "v1", "Namespace");
	metadata_begin(g, NULL, namespace_name(i));
	emit_labels(g, "labels", &namespace_words, 60);
	emit_map_end(&g->e);
	object_end(g);
}

static void make_node(struct generator *g, unsigned int i)
{
	struct weir_addr addrs[2] = { address_v4(192, 168, 0, 10 + i),
				      address_v6(0xc0, 0, 0x10 + i) };

	object_begin(g, "v1", "Node");
	metadata_begin(g, NULL, random_cluster_node(i));
	if (random_percent(g->r, 75)) {
		emit_map(&g->e, "labels");
		emit_text(&g->e, "topology.kubernetes.io/zone",
			  random_percent(g->r, 50) ? "zone-a" : "zone-b");
		emit_map_end(&g->e);
	}
	emit_map_end(&g->e);
	emit_map(&g->e, "status");
	emit_array(&g->e, "addresses");
	for (int family = 0; family < 2; family++) {
		remember_address(g, &addrs[family]);
		emit_map(&g->e, NULL);
		emit_text(&g->e, "type", family ? "ExternalIP" : "InternalIP");
		emit_addr(g, "address", &addrs[family]);
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
	emit_map_end(&g->e);
	object_end(g);
}

/* Port names are unique within a container, as the API requires, and clash between containers. */
static void emit_container(struct generator *g, const char *name, unsigned int percent,
			   bool sidecar)
{
	emit_map(&g->e, NULL);
	emit_text(&g->e, "name", name);
	emit_text(&g->e, "image", "example.invalid/server:1");
	if (sidecar)
		emit_text(&g->e, "restartPolicy", "Always");
	emit_array(&g->e, "ports");
	for (unsigned int i = 0; port_names[i]; i++) {
		if (!random_percent(g->r, percent))
			continue;
		emit_map(&g->e, NULL);
		if (random_percent(g->r, 90))
			emit_text(&g->e, "name", port_names[i]);
		emit_int(&g->e, "containerPort", random_port(g->r));
		if (random_percent(g->r, 75))
			emit_text(&g->e, "protocol", random_word(g->r, protocols));
		emit_map_end(&g->e);
	}
	emit_array_end(&g->e);
	emit_map_end(&g->e);
}

static void emit_pod_spec(struct generator *g, const char *node, bool host_network)
{
	emit_map(&g->e, "spec");
	if (node)
		emit_text(&g->e, "nodeName", node);
	if (host_network)
		emit_bool(&g->e, "hostNetwork", true);
	emit_array(&g->e, "containers");
	emit_container(g, "main", 50, false);
	if (random_percent(g->r, 30))
		emit_container(g, "second", 40, false);
	emit_array_end(&g->e);
	if (random_percent(g->r, 20)) {
		emit_array(&g->e, "initContainers");
		emit_container(g, "before", 30, random_percent(g->r, 60));
		emit_array_end(&g->e);
	}
	emit_map_end(&g->e);
}

static void emit_pod_status(struct generator *g, const char *phase, const struct weir_addr *addrs,
			    unsigned int families)
{
	emit_map(&g->e, "status");
	emit_text(&g->e, "phase", phase);
	emit_array(&g->e, "conditions");
	emit_map(&g->e, NULL);
	emit_text(&g->e, "type", "Ready");
	emit_text(&g->e, "status", random_percent(g->r, 75) ? "True" : "False");
	emit_map_end(&g->e);
	emit_array_end(&g->e);
	if (families)
		emit_addr(g, "podIP", &addrs[families & 1 ? 0 : 1]);
	if (families == 3 || (families && random_percent(g->r, 50))) {
		emit_array(&g->e, "podIPs");
		for (int family = 0; family < 2; family++) {
			if (!(families & 1u << family))
				continue;
			emit_map(&g->e, NULL);
			emit_addr(g, "ip", &addrs[family]);
			emit_map_end(&g->e);
		}
		emit_array_end(&g->e);
	}
	emit_map_end(&g->e);
}

/* Bit 0 IPv4, bit 1 IPv6; rarely none. */
static unsigned int random_families(struct random *r)
{
	static const unsigned int mix[] = { 3, 3, 3, 3, 3, 1, 1, 1, 2, 2 };

	return random_percent(r, 4) ? 0 : mix[random_below(r, ARRAY_SIZE(mix))];
}

/*
 * Some pods have the address of an earlier one: released by a terminal pod, or in conflict (NP-56).
 */
static void pod_addresses(struct generator *g, unsigned int i, bool host_network, unsigned int node,
			  struct weir_addr *ret_addrs)
{
	unsigned int number = i && random_percent(g->r, 12) ? random_below(g->r, i) : i;

	ret_addrs[0] = host_network ? address_v4(192, 168, 0, 10 + node)
				    : address_v4(10, 0, number % 3, 1 + number);
	ret_addrs[1] = host_network ? address_v6(0xc0, 0, 0x10 + node)
				    : address_v6(0x10, number % 3, 1 + number);
}

static void make_pod(struct generator *g, unsigned int i)
{
	unsigned int node = random_below(g->r, RANDOM_NODES), families = random_families(g->r);
	bool host_network = random_percent(g->r, 8), scheduled = random_percent(g->r, 96);
	char name[16];
	struct weir_addr addrs[2];

	pod_addresses(g, i, host_network, node, addrs);
	for (int family = 0; family < 2; family++)
		remember_address(g, &addrs[family]);
	snprintf(name, sizeof(name), "pod-%u", i);
	object_begin(g, "v1", "Pod");
	metadata_begin(g, namespace_name(random_below(g->r, g->n_namespaces)), name);
	emit_labels(g, "labels", &pod_words, 70);
	emit_time(g, "creationTimestamp");
	if (random_percent(g->r, 10))
		emit_time(g, "deletionTimestamp");
	emit_map_end(&g->e);
	emit_pod_spec(g, scheduled ? random_cluster_node(node) : NULL, host_network);
	emit_pod_status(g, random_word(g->r, phases), addrs, scheduled ? families : 0);
	object_end(g);
}

static void make_objects(struct generator *g)
{
	unsigned int pods = random_between(g->r, 2, 18), policies = random_below(g->r, 9);

	g->n_namespaces = random_between(g->r, 1, 4);
	g->n_services = random_below(g->r, 7);
	remember_the_world(g);
	for (unsigned int i = 0; i < g->n_namespaces; i++)
		if (random_percent(g->r, 80))
			make_namespace(g, i);
	for (unsigned int i = 0; i < RANDOM_NODES; i++)
		if (random_percent(g->r, 92))
			make_node(g, i);
	for (unsigned int i = 0; i < pods; i++)
		make_pod(g, i);
	for (unsigned int i = 0; i < g->n_services; i++)
		make_service(g, i);
	for (unsigned int i = 0; i < policies; i++)
		make_policy(g, i);
}

struct random_cluster random_cluster_make(struct random *r)
{
	struct generator g = { .r = r, .json = random_percent(r, 50) };
	struct random_cluster c = { .name = g.json ? "cluster.json" : "cluster.yaml" };

	g.out = open_memstream(&c.text, &c.len);
	if (!g.out)
		abort();
	if (g.json)
		fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n", g.out);
	make_objects(&g);
	if (g.json)
		fputs("]}\n", g.out);
	fclose(g.out);
	return c;
}

void random_cluster_free(struct random_cluster *c)
{
	free(c->text);
	c->text = NULL;
}
