// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The rows of docs/flows.md, one connection each, TCP and UDP, both families: who reaches whom,
 * directly and through a cluster IP, and which addresses the two ends see. The pod is isolated in
 * both directions and allowed just what the row needs, so every row is judged, and its replies are
 * not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_cluster.h"

#define POD 10 /* host numbers of addresses */
#define OTHER 11
#define VIP 30
#define PORT 7000
#define VIP_PORT 70
#define WAIT_MS 2000

static const char *const node[] = { "192.0.2.10", "2001:db8:2::10" };

static struct weir_addr address_of(const char *where, int family)
{
	struct weir_addr a;

	if (!strcmp(where, "world"))
		a = netns_outside_addr(family);
	else if (!strcmp(where, "node"))
		assert_int_equal(addr_parse(node[family], &a), 0);
	else
		a = netns_pod_addr(!strcmp(where, "a/other") ? OTHER : POD, family);
	return a;
}

static void put_slice(FILE *f, const char *kind, const struct weir_addr *endpoint)
{
	char text[ADDR_TEXT_MAX];

	fprintf(f,
		"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: %s\n"
		"metadata: {namespace: a, name: by-hand-%s, labels: {kubernetes.io/service-name: by-hand}}\n"
		"endpoints: [{addresses: ['%s']}]\n"
		"ports: [{name: tcp, protocol: TCP, port: %d}, {name: udp, protocol: UDP, port: %d}]\n",
		kind, *kind == 'I' && kind[3] == '4' ? "v4" : "v6", addr_text(endpoint, text), PORT,
		PORT);
}

/*
 * Pods a/pod and a/other; every policy rule is for PORT only. endpoint: whom the Service's
 * hand-made slices lead to, NULL: there is no Service.
 */
static void up(struct netns_cluster *c, const char *endpoint)
{
	_cleanup_(mem_free) char *text = NULL;
	struct weir_addr ends[2];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (int family = 0; endpoint && family < 2; family++)
		ends[family] = address_of(endpoint, family);
	fprintf(f,
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: "
		"%s}, {type: InternalIP, address: '%s'}]}\n",
		node[0], node[1]);
	netns_pod(f, "a", "pod", "pod", POD, "none:TCP:9");
	netns_pod(f, "a", "other", "other", OTHER, "none:TCP:9");
	netns_policy(
		f, "a", "just-the-port", "",
		"policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 7000}, {port: 7000, protocol: UDP}]}], "
		"egress: [{ports: [{port: 7000}, {port: 7000, protocol: UDP}]}]");
	if (endpoint) {
		fprintf(f,
			"---\napiVersion: v1\nkind: Service\nmetadata: {namespace: a, name: by-hand}\n"
			"spec: {clusterIP: 10.96.0.%d, clusterIPs: [10.96.0.%d, 'fd00:10:96::%x'], ipFamilies: [IPv4, IPv6], "
			"ipFamilyPolicy: RequireDualStack, ports: [{name: tcp, port: %d}, {name: udp, port: %d, protocol: UDP}]}\n",
			VIP, VIP, VIP, VIP_PORT, VIP_PORT);
		put_slice(f, "IPv4", &ends[0]);
		put_slice(f, "IPv6", &ends[1]);
	}
	fclose(f);
	netns_cluster_up(c, text);
	netns_outside_add(c);
}

/*
 * A server or client of `where` that has the address that the test names: node and world have
 * several.
 */
static int socket_of(const struct netns_cluster *c, const char *where, int family, int proto,
		     uint16_t port)
{
	struct weir_addr a = address_of(where, family);

	return netns_socket_at(c, where, &a, proto, port);
}

static void wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static struct weir_addr address_in(const struct sockaddr_storage *sa, uint16_t *ret_port)
{
	struct weir_addr a;

	if (sa->ss_family == AF_INET) {
		*ret_port = ntohs(((const struct sockaddr_in *)sa)->sin_port);
		return weir_addr_from_v4(((const struct sockaddr_in *)sa)->sin_addr.s_addr);
	}
	*ret_port = ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	memcpy(a.b, &((const struct sockaddr_in6 *)sa)->sin6_addr, sizeof(a.b));
	return a;
}

static void assert_address(const struct sockaddr_storage *sa, const struct weir_addr *want,
			   uint16_t port)
{
	char got_text[ADDR_TEXT_MAX], want_text[ADDR_TEXT_MAX];
	uint16_t got_port;
	struct weir_addr got = address_in(sa, &got_port);

	assert_string_equal(addr_text(&got, got_text), addr_text(want, want_text));
	if (port)
		assert_int_equal(got_port, port);
}

/*
 * The server hears the client, from the client's own address, and answers; the client hears whom it
 * had called.
 */
static void tcp_exchange(int listener, int client, const struct weir_addr *called, uint16_t port,
			 const struct weir_addr *client_addr)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	_cleanup_(fd_close) int server = -1;
	char line[16];

	wait_readable(listener);
	server = accept4(listener, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC);
	assert_true(server >= 0);
	assert_address(&sa, client_addr, 0);
	assert_int_equal(send(client, "hello", 5, MSG_NOSIGNAL), 5);
	wait_readable(server);
	assert_int_equal(recv(server, line, sizeof(line), 0), 5);
	assert_int_equal(send(server, "well", 4, MSG_NOSIGNAL), 4);
	wait_readable(client);
	assert_int_equal(recv(client, line, sizeof(line), 0), 4);
	len = sizeof(sa);
	assert_int_equal(getpeername(client, (struct sockaddr *)&sa, &len), 0);
	assert_address(&sa, called, port);
}

static void udp_exchange(int server, int client, const struct weir_addr *called, uint16_t port,
			 const struct weir_addr *client_addr)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char line[16];

	assert_int_equal(send(client, "hello", 5, 0), 5);
	wait_readable(server);
	assert_int_equal(recvfrom(server, line, sizeof(line), 0, (struct sockaddr *)&sa, &len), 5);
	assert_address(&sa, client_addr, 0);
	assert_int_equal(sendto(server, "well", 4, 0, (struct sockaddr *)&sa, len), 4);
	wait_readable(client);
	len = sizeof(sa);
	assert_int_equal(recvfrom(client, line, sizeof(line), 0, (struct sockaddr *)&sa, &len), 4);
	assert_address(&sa, called, port);
}

static void one_path(const struct netns_cluster *c, const char *from, const char *to, int family,
		     int proto, bool by_vip)
{
	struct weir_addr called = by_vip ? netns_service_addr(VIP, family) : address_of(to, family);
	struct weir_addr client_addr = address_of(from, family);
	_cleanup_(fd_close) int server = socket_of(c, to, family, proto, PORT);
	_cleanup_(fd_close) int client = socket_of(c, from, family, proto, 0);
	uint16_t port = by_vip ? VIP_PORT : PORT;

	if (proto == IPPROTO_TCP)
		assert_int_equal(listen(server, 1), 0);
	assert_int_equal(netns_connect(client, &called, port), 0);
	if (proto == IPPROTO_TCP)
		tcp_exchange(server, client, &called, port, &client_addr);
	else
		udp_exchange(server, client, &called, port, &client_addr);
}

static void every_kind(const struct netns_cluster *c, const char *from, const char *to, bool by_vip)
{
	for (int family = 0; family < 2; family++) {
		one_path(c, from, to, family, IPPROTO_TCP, by_vip);
		one_path(c, from, to, family, IPPROTO_UDP, by_vip);
	}
}

static void direct(struct netns_cluster *c, const char *from, const char *to)
{
	up(c, NULL);
	every_kind(c, from, to, false);
}

static void by_cluster_ip(struct netns_cluster *c, const char *to)
{
	up(c, to);
	every_kind(c, "a/pod", to, true);
}

static void pod_to_local_pod(void **state)
{
	direct(*state, "a/pod", "a/other");
}

static void pod_to_its_node(void **state)
{
	direct(*state, "a/pod", "node");
}

static void pod_to_the_world(void **state)
{
	direct(*state, "a/pod", "world");
}

static void node_to_its_pod(void **state)
{
	direct(*state, "node", "a/pod");
}

static void the_world_to_a_pod(void **state)
{
	direct(*state, "world", "a/pod");
}

static void pod_by_cluster_ip_to_a_local_pod(void **state)
{
	by_cluster_ip(*state, "a/other");
}

static void svc_33_pod_by_cluster_ip_to_its_node(void **state)
{
	by_cluster_ip(*state, "node");
}

static void svc_19_pod_by_cluster_ip_to_an_endpoint_outside(void **state)
{
	by_cluster_ip(*state, "world");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(pod_to_local_pod),
		netns_test(pod_to_its_node),
		netns_test_needs(pod_to_the_world, NETNS_DROP_FORWARD),
		netns_test(node_to_its_pod),
		netns_test_needs(the_world_to_a_pod, NETNS_DROP_FORWARD),
		netns_test(pod_by_cluster_ip_to_a_local_pod),
		netns_test(svc_33_pod_by_cluster_ip_to_its_node),
		netns_test_needs(svc_19_pod_by_cluster_ip_to_an_endpoint_outside,
				 NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_paths", tests, ARRAY_SIZE(tests));
}
