// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See netns_ends.h. */
#include <netinet/in.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/netns_ends.h"

/* Host numbers of addresses. */
#define POD 10
#define OTHER 11
#define VIP 30 /* of the first end; the others follow */
#define NODE_PORT 30100 /* the same */

enum end {
	END_POD,
	END_OTHER,
	END_NODE,
	END_OUTSIDE,
	_END_MAX,
};

static const char *const node_addr[] = { "192.0.2.10", "2001:db8:2::10" };

static enum end end_of(const char *name)
{
	static const char *const names[] = { "a/pod", "a/other", "node" };
	unsigned int i = 0;

	while (i < ARRAY_SIZE(names) && strcmp(name, names[i]))
		i++;
	return i;
}

static struct weir_addr addr_of(enum end end, int family)
{
	struct weir_addr a;

	switch (end) {
	case END_POD:
		return netns_pod_addr(POD, family);
	case END_OTHER:
		return netns_pod_addr(OTHER, family);
	case END_NODE:
		assert_int_equal(addr_parse(node_addr[family], &a), 0);
		return a;
	default:
		return netns_outside_addr(family);
	}
}

struct weir_addr netns_end_addr(const char *end, int family)
{
	return addr_of(end_of(end), family);
}

struct weir_addr netns_end_vip(const char *end, int family)
{
	return netns_service_addr(VIP + end_of(end), family);
}

struct weir_addr netns_end_external(const char *end, int family)
{
	struct weir_addr a;

	assert_int_equal(addr_parse(family ? "2001:db8:9::" : "198.18.9.0", &a), 0);
	a.b[15] = VIP + end_of(end);
	return a;
}

uint16_t netns_end_node_port(const char *end)
{
	return NODE_PORT + 10 * end_of(end);
}

int netns_end_socket(const struct netns_cluster *c, const char *end, int family, int proto,
		     uint16_t local_port)
{
	struct weir_addr a = netns_end_addr(end, family);

	return netns_socket_at(c, end, &a, proto, local_port);
}

static void put_node(FILE *f)
{
	fprintf(f,
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
		"status: {addresses: [{type: InternalIP, address: %s}, {type: InternalIP, address: '%s'}]}\n",
		node_addr[0], node_addr[1]);
}

/* A Service without selector, with EndpointSlices for the end. */
static void put_service(FILE *f, enum end end)
{
	unsigned int vip = VIP + end, node_port = NODE_PORT + 10 * end;

	fprintf(f,
		"---\napiVersion: v1\nkind: Service\nmetadata: {namespace: a, name: to-%d}\n"
		"spec: {clusterIP: 10.96.0.%u, clusterIPs: [10.96.0.%u, 'fd00:10:96::%x'], ipFamilies: [IPv4, IPv6], "
		"type: NodePort, externalIPs: [198.18.9.%u, '2001:db8:9::%x'], "
		"ipFamilyPolicy: RequireDualStack, ports: [{name: tcp, port: %d, nodePort: %d}, "
		"{name: udp, port: %d, protocol: UDP, nodePort: %d}, {name: http, port: %d, nodePort: %d}, "
		"{name: dns, port: %d, protocol: UDP, nodePort: %d}]}\n",
		end, vip, vip, vip, vip, vip, NETNS_VIP_PORT, node_port, NETNS_VIP_PORT, node_port,
		NETNS_SERVER_PORT, node_port + 1, NETNS_SERVER_PORT, node_port + 1);
	for (int family = 0; family < 2; family++) {
		struct weir_addr a = addr_of(end, family);
		char text[ADDR_TEXT_MAX];

		fprintf(f,
			"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv%d\n"
			"metadata: {namespace: a, name: to-%d-%d, labels: {kubernetes.io/service-name: to-%d}}\n"
			"endpoints: [{addresses: ['%s']}]\n"
			"ports: [{name: tcp, port: %d}, {name: udp, port: %d, protocol: UDP}, "
			"{name: http, port: %d}, {name: dns, port: %d, protocol: UDP}]\n",
			family ? 6 : 4, end, family, end, addr_text(&a, text), NETNS_PORT,
			NETNS_PORT, NETNS_SERVER_PORT, NETNS_SERVER_PORT);
	}
}

static void put_policy(FILE *f)
{
	_cleanup_(mem_free) char *spec = mem_printf(
		"policyTypes: [Ingress, Egress], ingress: [{ports: [{port: %d}, {port: %d, protocol: UDP}]}], "
		"egress: [{ports: [{port: %d}, {port: %d, protocol: UDP}]}]",
		NETNS_PORT, NETNS_PORT, NETNS_PORT, NETNS_PORT);

	netns_policy(f, "a", "just-the-port", "", spec);
}

void netns_ends_up(struct netns_cluster *c, bool isolated)
{
	static const char servers[] = "http:TCP:80 dns:UDP:80";
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	put_node(f);
	netns_pod(f, "a", "pod", "pod", POD, servers);
	netns_pod(f, "a", "other", "other", OTHER, servers);
	for (enum end end = 0; end < _END_MAX; end++)
		put_service(f, end);
	if (isolated)
		put_policy(f);
	fclose(f);
	netns_cluster_up(c, text);
	netns_outside_add(c);
}
