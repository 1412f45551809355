// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The rows of docs/flows.md, one connection each, TCP and UDP, both families: from one end to
 * another, directly and through a cluster IP, and which addresses both ends see. The pods are
 * isolated in both directions and allowed NETNS_PORT only: every request is judged by policy, its
 * replies are not.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_ends.h"

#define WAIT_MS 2000

static void wait_readable(int fd)
{
	assert_true(netns_wait(fd, POLLIN, WAIT_MS));
}

static void assert_address(const struct sockaddr_storage *sa, const struct weir_addr *want,
			   uint16_t port)
{
	char got_text[ADDR_TEXT_MAX], want_text[ADDR_TEXT_MAX];
	uint16_t got_port;
	struct weir_addr got = netns_sockaddr(sa, &got_port);

	assert_string_equal(addr_text(&got, got_text), addr_text(want, want_text));
	if (port)
		assert_int_equal(got_port, port);
}

/* The server sees the client's own address; the client sees the address that it connected to. */
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
	struct weir_addr called = by_vip ? netns_end_vip(to, family) : netns_end_addr(to, family);
	struct weir_addr client_addr = netns_end_addr(from, family);
	_cleanup_(fd_close) int server = netns_end_socket(c, to, family, proto, NETNS_PORT);
	_cleanup_(fd_close) int client = netns_end_socket(c, from, family, proto, 0);
	uint16_t port = by_vip ? NETNS_VIP_PORT : NETNS_PORT;

	if (proto == IPPROTO_TCP)
		assert_int_equal(listen(server, 1), 0);
	assert_int_equal(netns_connect(client, &called, port), 0);
	if (proto == IPPROTO_TCP)
		tcp_exchange(server, client, &called, port, &client_addr);
	else
		udp_exchange(server, client, &called, port, &client_addr);
}

static void every_kind(struct netns_cluster *c, const char *from, const char *to, bool by_vip)
{
	netns_ends_up(c, true);
	for (int family = 0; family < 2; family++) {
		one_path(c, from, to, family, IPPROTO_TCP, by_vip);
		one_path(c, from, to, family, IPPROTO_UDP, by_vip);
	}
}

static void direct(struct netns_cluster *c, const char *from, const char *to)
{
	every_kind(c, from, to, false);
}

static void by_cluster_ip(struct netns_cluster *c, const char *to)
{
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
