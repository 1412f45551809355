// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Clients outside, with real sockets: from the world by every kind of frontend to a pod of the
 * node, to a socket of the node, and to a backend behind the uplink. Which address the server sees
 * (B.9), how policies judge, and how a connection is refused. The pods are isolated in both
 * directions and allowed NETNS_PORT only.
 */
#include <errno.h>
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

#define WAIT_MS 3000
#define BULK (1 << 20)

enum kind {
	KIND_NODE_PORT,
	KIND_EXTERNAL_IP,
	KIND_CLUSTER_IP,
	_KIND_MAX,
};

struct call {
	const char *to; /* an end */
	enum kind kind;
	int family, proto;
	struct weir_addr addr;
	uint16_t port;
};

static struct call call_of(const char *to, enum kind kind, int family, int proto)
{
	struct call call = { to, kind, family, proto, {}, NETNS_VIP_PORT };

	switch (kind) {
	case KIND_NODE_PORT:
		call.addr = netns_end_addr("node", family);
		call.port = netns_end_node_port(to);
		break;
	case KIND_EXTERNAL_IP:
		call.addr = netns_end_external(to, family);
		break;
	default:
		call.addr = netns_end_vip(to, family);
		break;
	}
	return call;
}

static void assert_address(const struct sockaddr_storage *sa, const struct weir_addr *want)
{
	char got_text[ADDR_TEXT_MAX], want_text[ADDR_TEXT_MAX];
	struct weir_addr got = netns_sockaddr(sa, NULL);

	assert_string_equal(addr_text(&got, got_text), addr_text(want, want_text));
}

/* Bytes both ways; the client sees the frontend only, the server the address of seen. */
static void tcp_call(const struct call *call, int listener, int client,
		     const struct weir_addr *seen)
{
	static const size_t len[2] = { BULK, BULK };
	struct sockaddr_storage sa;
	socklen_t size = sizeof(sa);
	int fd[2] = { client, -1 };

	assert_int_equal(netns_connect(client, &call->addr, call->port), 0);
	assert_true(netns_wait(listener, POLLIN, WAIT_MS));
	fd[1] = accept4(listener, (struct sockaddr *)&sa, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(fd[1] >= 0);
	assert_address(&sa, seen);
	assert_true(netns_bulk(fd, len, WAIT_MS));
	close(fd[1]);
}

static void udp_call(const struct call *call, int server, int client, const struct weir_addr *seen)
{
	struct sockaddr_storage sa;
	socklen_t size = sizeof(sa);
	char line[16];

	assert_int_equal(netns_connect(client, &call->addr, call->port), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(client, "hello", 5, 0), 5);
		assert_true(netns_wait(server, POLLIN, WAIT_MS));
		size = sizeof(sa);
		assert_int_equal(
			recvfrom(server, line, sizeof(line), 0, (struct sockaddr *)&sa, &size), 5);
		assert_address(&sa, seen);
		assert_int_equal(sendto(server, "well", 4, 0, (struct sockaddr *)&sa, size), 4);
		assert_true(netns_wait(client, POLLIN, WAIT_MS));
		assert_int_equal(recv(client, line, sizeof(line), 0), 4);
	}
}

static int client_socket(const struct netns_cluster *c, int family, int proto)
{
	return netns_socket_at(c, "world", &c->net.world_addr[family], proto, 0);
}

static void one_call(const struct netns_cluster *c, const struct call *call, bool sees_node)
{
	struct weir_addr client_addr = c->net.world_addr[call->family],
			 node = netns_end_addr("node", call->family);
	_cleanup_(fd_close) int server =
		netns_end_socket(c, call->to, call->family, call->proto, NETNS_PORT);
	_cleanup_(fd_close) int client = client_socket(c, call->family, call->proto);

	if (call->proto == IPPROTO_UDP) {
		udp_call(call, server, client, sees_node ? &node : &client_addr);
		return;
	}
	assert_int_equal(listen(server, 1), 0);
	tcp_call(call, server, client, sees_node ? &node : &client_addr);
}

static void every_call(struct netns_cluster *c, const char *to, enum kind kind, bool sees_node)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

	netns_ends_up(c, true);
	for (int family = 0; family < 2; family++)
		for (int i = 0; i < 2; i++) {
			struct call call = call_of(to, kind, family, protos[i]);

			one_call(c, &call, sees_node);
		}
}

static void np_30_a_pod_by_node_port_sees_the_client(void **state)
{
	every_call(*state, "a/pod", KIND_NODE_PORT, false);
}

static void np_30_a_pod_by_external_ip_sees_the_client(void **state)
{
	every_call(*state, "a/pod", KIND_EXTERNAL_IP, false);
}

static void svc_30_a_pod_by_cluster_ip_sees_the_node(void **state)
{
	every_call(*state, "a/pod", KIND_CLUSTER_IP, true);
}

static void svc_38_a_socket_of_the_node_sees_the_client(void **state)
{
	for (enum kind kind = 0; kind < _KIND_MAX; kind++)
		every_call(*state, "node", kind, false);
}

static void svc_80_a_backend_elsewhere_sees_the_node(void **state)
{
	for (enum kind kind = 0; kind < _KIND_MAX; kind++)
		every_call(*state, "world", kind, true);
}

/* The policy allows NETNS_PORT only: the pods' servers listen on another one. */
static void np_44_policies_judge_the_client(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	for (int family = 0; family < 2; family++)
		for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
			struct call call = call_of("a/pod", kind, family, IPPROTO_TCP);
			uint16_t port = kind == KIND_NODE_PORT ? call.port + 1 : NETNS_SERVER_PORT;

			assert_int_equal(
				netns_try(c, "world", IPPROTO_TCP, &call.addr, port, NULL, 0),
				-ETIMEDOUT);
		}
	netns_ends_up(c, false);
	for (int family = 0; family < 2; family++)
		for (enum kind kind = 0; kind < _KIND_MAX; kind++) {
			struct call call = call_of("a/pod", kind, family, IPPROTO_TCP);
			uint16_t port = kind == KIND_NODE_PORT ? call.port + 1 : NETNS_SERVER_PORT;

			assert_int_equal(
				netns_try(c, "world", IPPROTO_TCP, &call.addr, port, NULL, 0), 0);
		}
}

static void svc_64_an_undefined_port_of_a_cluster_ip_refuses(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_end_vip("a/pod", family);

		assert_int_equal(netns_try(c, "world", IPPROTO_TCP, &vip, 4711, NULL, 0),
				 -ECONNREFUSED);
		assert_int_equal(netns_try(c, "world", IPPROTO_UDP, &vip, 4711, NULL, 0),
				 -ECONNREFUSED);
	}
}

/* What is larger than the path carries comes back as an error, and TCP takes smaller segments. */
static void svc_96_the_path_to_a_backend_elsewhere_is_narrow(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	netns_node_command(c, "ip route replace 198.18.7.7 dev world mtu 1300 && "
			      "ip route replace 2001:db8:7::7 dev world mtu 1300");
	for (int family = 0; family < 2; family++) {
		struct call call = call_of("world", KIND_NODE_PORT, family, IPPROTO_TCP);

		one_call(c, &call, true);
	}
}

int main(void)
{
#define TEST(f) netns_test_needs(f, NETNS_DROP_FORWARD)
	static const struct CMUnitTest tests[] = {
		TEST(np_30_a_pod_by_node_port_sees_the_client),
		TEST(np_30_a_pod_by_external_ip_sees_the_client),
		TEST(svc_30_a_pod_by_cluster_ip_sees_the_node),
		TEST(svc_38_a_socket_of_the_node_sees_the_client),
		TEST(svc_80_a_backend_elsewhere_sees_the_node),
		TEST(np_44_policies_judge_the_client),
		TEST(svc_64_an_undefined_port_of_a_cluster_ip_refuses),
		TEST(svc_96_the_path_to_a_backend_elsewhere_is_narrow),
	};

	return netns_run("traffic_uplink", tests, ARRAY_SIZE(tests));
}
