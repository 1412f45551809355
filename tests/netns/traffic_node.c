// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The node's own processes as clients of Services, with real sockets: TCP, connected and
 * unconnected UDP, both families, and IPv4 on AF_INET6 sockets. What they see is the frontend; what
 * the server sees is an address of the node. Changes of backends follow SVC-90 to SVC-93. The test
 * itself is the process: it joins the cluster's cgroup.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/cgroup_calls.h"
#include "lib/netns_ends.h"

#define CLIENT 9
#define FIRST 10 /* backends */
#define VIP 50
#define ANSWER_MS 2000
#define ABORTED_MS 2000
#define FAMILIES 3 /* IPv4, IPv6, IPv4 on an AF_INET6 socket */

static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
static const char *const node_addr[] = { "192.0.2.10", "2001:db8:2::10" };

/* ---- The cluster ---- */

static void join(const struct netns_cluster *c)
{
	struct weir_err err = {};

	if (sandbox_join(c->name, &err))
		fail_msg("%s", err.text);
}

static void put_node(FILE *f)
{
	fprintf(f,
		"apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
		"status: {addresses: [{type: InternalIP, address: %s}, {type: InternalIP, address: '%s'}]}\n",
		node_addr[0], node_addr[1]);
}

/*
 * A pod "a/client", backends "a/b0" … "a/b2" and Services before them. backends: a letter each, R:
 * ready, U: running but not ready, -: no such pod. n_services: with the same backends, on VIP,
 * VIP + 1, …
 */
static void up_services(struct netns_cluster *c, const char *backends, unsigned int n_services)
{
	static const char ports[] = "http:TCP:8080 dns:UDP:5353";
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	put_node(f);
	netns_pod(f, "a", "client", "client", CLIENT, "http:TCP:80");
	for (unsigned int i = 0; i < 3; i++) {
		_cleanup_(mem_free) char *name = mem_printf("b%u", i);

		if (backends[i] == 'R')
			netns_pod(f, "a", name, "backend", FIRST + i, ports);
		else if (backends[i] == 'U')
			netns_pod_unready(f, "a", name, "backend", FIRST + i, ports);
	}
	for (unsigned int i = 0; i < n_services; i++) {
		_cleanup_(mem_free) char *name = mem_printf("service-%u", i);

		netns_service(f, "a", name, "backend", VIP + i, "web:TCP:80:http names:UDP:53:dns");
	}
	/* the node needs no rule (NP-41) */
	netns_policy(f, "a", "isolated", "", "policyTypes: [Ingress, Egress]");
	fclose(f);
	netns_cluster_up(c, text);
	join(c);
}

static void up(struct netns_cluster *c, const char *backends)
{
	up_services(c, backends, 1);
}

/* Calls of the node's processes that were given a backend. */
static uint64_t translated(const struct netns_cluster *c)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_err err = {};

	if (node_open(c->name, NODE_READ, NULL, &n, &err))
		fail_msg("%s", err.text);
	return calls_counted(n, WEIR_SOCKET);
}

/* ---- Sockets of the node; family 2: IPv4 on an AF_INET6 socket ---- */

static struct weir_addr service_addr(int family, unsigned int i)
{
	return netns_service_addr(VIP + i, family == 1);
}

static uint16_t service_port(int proto)
{
	return proto == IPPROTO_TCP ? 80 : 53;
}

static socklen_t address(int family, const struct weir_addr *a, uint16_t port,
			 struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *v6 = (void *)sa;
	struct sockaddr_in *v4 = (void *)sa;

	memset(sa, 0, sizeof(*sa));
	if (!family) {
		*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		v4->sin_addr.s_addr = a->w[3];
		return sizeof(*v4);
	}
	*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	memcpy(&v6->sin6_addr, a->b, sizeof(a->b));
	return sizeof(*v6);
}

static int open_at(const struct netns_cluster *c, const char *where, int family, int proto)
{
	return netns_socket(c, where, family != 0, proto, 0);
}

/* 0 or -errno, TCP when it is connected. */
static int connect_to(int fd, int family, const struct weir_addr *a, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = address(family, a, port, &sa), size = sizeof(int);
	int error = 0;

	if (!connect(fd, (void *)&sa, len))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (!netns_wait(fd, POLLOUT, ANSWER_MS))
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

/* A connected socket of the node, or the test fails. */
static int connected(struct netns_cluster *c, int family, int proto)
{
	struct weir_addr vip = service_addr(family, 0);
	int fd = open_at(c, "node", family, proto);

	assert_int_equal(connect_to(fd, family, &vip, service_port(proto)), 0);
	return fd;
}

static int send_datagram(int fd, int family, const struct weir_addr *a, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = address(family, a, port, &sa);

	return sendto(fd, "?\n", 2, 0, (void *)&sa, len) == 2 ? 0 : -errno;
}

/* Waits for an answer; its sender is put into ret_from and ret_port. */
static int receive(int fd, char *line, size_t size, struct weir_addr *ret_from, uint16_t *ret_port)
{
	struct sockaddr_storage sa = {};
	socklen_t len = sizeof(sa);
	ssize_t n;

	if (!netns_wait(fd, POLLIN, ANSWER_MS))
		return -ETIMEDOUT;
	n = recvfrom(fd, line, size - 1, 0, (void *)&sa, &len);
	if (n < 0)
		return -errno;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	*ret_from = netns_sockaddr(&sa, ret_port);
	return 0;
}

/* One datagram to the i-th Service and its answer, which comes from the Service. */
static int exchange(int fd, int family, unsigned int i, char *line, size_t size)
{
	struct weir_addr vip = service_addr(family, i), from;
	uint16_t port;
	int r = send_datagram(fd, family, &vip, 53);

	if (!r)
		r = receive(fd, line, size, &from, &port);
	if (r)
		return r;
	assert_true(weir_addr_equal(&from, &vip));
	assert_int_equal(port, 53);
	return 0;
}

static int backend_of(const char *line)
{
	assert_int_equal(strncmp(line, "a/b", 3), 0);
	return line[3] - '0';
}

static void assert_peer(int fd, const struct weir_addr *want, uint16_t want_port)
{
	struct sockaddr_storage sa = {};
	socklen_t len = sizeof(sa);
	struct weir_addr peer;
	uint16_t port;

	assert_int_equal(getpeername(fd, (void *)&sa, &len), 0);
	peer = netns_sockaddr(&sa, &port);
	assert_true(weir_addr_equal(&peer, want));
	assert_int_equal(port, want_port);
}

/* ---- What both ends see ---- */

static void svc_33_np_41_a_process_of_the_node_reaches_a_pod_by_its_service(void **state)
{
	struct netns_cluster *c = *state;
	char line[128], expected[128];

	up(c, "R--");
	for (int family = 0; family < FAMILIES; family++)
		for (int p = 0; p < 2; p++) {
			struct weir_addr vip = service_addr(family, 0), from;
			_cleanup_(fd_close) int fd = connected(c, family, protos[p]);
			uint16_t port;

			assert_peer(fd, &vip, service_port(protos[p]));
			assert_int_equal(send(fd, "?\n", 2, 0), 2);
			if (protos[p] == IPPROTO_TCP) {
				assert_int_equal(netns_listen(fd, ANSWER_MS, line, sizeof(line)),
						 0);
			} else {
				assert_int_equal(receive(fd, line, sizeof(line), &from, &port), 0);
				assert_true(weir_addr_equal(&from, &vip));
				assert_int_equal(port, 53);
			}
			snprintf(expected, sizeof(expected), "a/b0 %u %s ", p ? 5353 : 8080,
				 node_addr[family == 1]);
			assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
		}
}

static void svc_33_datagrams_of_an_unconnected_socket(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up(c, "RRR");
	for (int family = 0; family < FAMILIES; family++) {
		_cleanup_(fd_close) int fd = open_at(c, "node", family, IPPROTO_UDP);
		int first;

		assert_int_equal(exchange(fd, family, 0, line, sizeof(line)), 0);
		first = backend_of(line);
		for (int i = 0; i < 5; i++) { /* they are one flow */
			assert_int_equal(exchange(fd, family, 0, line, sizeof(line)), 0);
			assert_int_equal(backend_of(line), first);
		}
	}
}

/* A connected socket may still send elsewhere. */
static void svc_33_a_datagram_of_a_connected_socket_to_another_service(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up_services(c, "R--", 2);
	for (int family = 0; family < FAMILIES; family++) {
		_cleanup_(fd_close) int fd = connected(c, family, IPPROTO_UDP);
		struct weir_addr vip = service_addr(family, 1), first = service_addr(family, 0);

		assert_int_equal(send_datagram(fd, family, &vip, 53), 0);
		assert_int_equal(netns_listen(fd, ANSWER_MS, line, sizeof(line)), 0);
		assert_int_equal(backend_of(line), 0);
		assert_peer(fd, &first, 53);
	}
}

static void svc_29_connections_are_spread_over_all_backends(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up(c, "RRR");
	for (int p = 0; p < 2; p++) {
		unsigned int seen[3] = {};

		for (int i = 0; i < 60; i++) {
			_cleanup_(fd_close) int fd = connected(c, i % FAMILIES, protos[p]);

			assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
			seen[backend_of(line)]++;
		}
		/* 20 expected of each; 4 or fewer: once in a million runs */
		for (int i = 0; i < 3; i++)
			assert_in_range(seen[i], 5, 55);
	}
}

/* An end's own socket answers: the node's (a pod of its network), and one outside. */
static void reaches(struct netns_cluster *c, const char *end)
{
	for (int family = 0; family < FAMILIES; family++) {
		int f = family == 1;
		struct weir_addr vip = netns_end_vip(end, f);
		_cleanup_(fd_close) int server =
			netns_end_socket(c, end, f, IPPROTO_TCP, NETNS_PORT);
		_cleanup_(fd_close) int udp = netns_end_socket(c, end, f, IPPROTO_UDP, NETNS_PORT);
		_cleanup_(fd_close) int fd = open_at(c, "node", family, IPPROTO_TCP);
		_cleanup_(fd_close) int sender = open_at(c, "node", family, IPPROTO_UDP);
		_cleanup_(fd_close) int accepted = -1;
		struct sockaddr_storage client = {};
		socklen_t len = sizeof(client);
		struct weir_addr from;
		char line[8];
		uint16_t port;

		assert_int_equal(listen(server, 1), 0);
		assert_int_equal(connect_to(fd, family, &vip, NETNS_VIP_PORT), 0);
		assert_peer(fd, &vip, NETNS_VIP_PORT);
		assert_true(netns_wait(server, POLLIN, ANSWER_MS));
		accepted = accept(server, NULL, NULL);
		assert_int_equal(send(accepted, "!", 1, 0), 1);
		assert_int_equal(netns_listen(fd, ANSWER_MS, line, sizeof(line)), 0);

		assert_int_equal(send_datagram(sender, family, &vip, NETNS_VIP_PORT), 0);
		assert_true(netns_wait(udp, POLLIN, ANSWER_MS));
		assert_int_equal(recvfrom(udp, line, sizeof(line), 0, (void *)&client, &len), 2);
		assert_int_equal(sendto(udp, "!", 1, 0, (void *)&client, len), 1);
		assert_int_equal(receive(sender, line, sizeof(line), &from, &port), 0);
		assert_true(weir_addr_equal(&from, &vip));
		assert_int_equal(port, NETNS_VIP_PORT);
	}
}

static void svc_33_a_process_reaches_an_endpoint_of_its_own_node(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	join(c);
	reaches(c, "node");
}

static void svc_19_a_process_reaches_an_endpoint_outside(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	join(c);
	reaches(c, "world");
}

/* Its process is in the same cgroup; its packets are translated at its veth (MESH-1). */
static void mesh_1_a_pods_socket_is_not_translated(void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr vip = netns_end_vip("a/other", 0);
	uint64_t before;

	netns_ends_up(c, false);
	join(c);
	before = translated(c);
	assert_int_equal(netns_try(c, "a/pod", IPPROTO_TCP, &vip, NETNS_SERVER_PORT, NULL, 0), 0);
	assert_int_equal(netns_try(c, "a/pod", IPPROTO_UDP, &vip, NETNS_SERVER_PORT, NULL, 0), 0);
	assert_int_equal(translated(c), before);
	assert_int_equal(netns_try(c, "node", IPPROTO_TCP, &vip, NETNS_SERVER_PORT, NULL, 0), 0);
	assert_int_equal(translated(c), before + 1);
}

static void svc_60_a_service_without_endpoints_refuses(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up(c, "U--");
	for (int family = 0; family < FAMILIES; family++) {
		struct weir_addr vip = service_addr(family, 0);
		_cleanup_(fd_close) int tcp = open_at(c, "node", family, IPPROTO_TCP);
		_cleanup_(fd_close) int udp = open_at(c, "node", family, IPPROTO_UDP);

		assert_int_equal(connect_to(tcp, family, &vip, 80), -ECONNREFUSED);
		assert_int_equal(connect_to(udp, family, &vip, 53), -ECONNREFUSED);
		assert_int_equal(exchange(udp, family, 0, line, sizeof(line)), -ECONNREFUSED);
	}
}

/* ---- Sockets that are used again ---- */

static void a_socket_that_is_connected_elsewhere_shows_that_peer(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "RR-");
	for (int family = 0; family < FAMILIES; family++) {
		_cleanup_(fd_close) int fd = connected(c, family, IPPROTO_UDP);
		struct weir_addr vip = service_addr(family, 0);

		for (unsigned int i = 0; i < 2; i++) { /* one of both was the backend */
			struct weir_addr pod = netns_pod_addr(FIRST + i, family == 1);

			assert_int_equal(connect_to(fd, family, &pod, 5353), 0);
			assert_peer(fd, &pod, 5353);
			assert_int_equal(netns_ask(fd, NULL, 0), 0);
		}
		assert_int_equal(connect_to(fd, family, &vip, 53), 0);
		assert_peer(fd, &vip, 53);
	}
}

/* More frontends than a socket remembers: the least recently used one is forgotten. */
static void svc_33_more_frontends_than_a_socket_remembers(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up_services(c, "R--", WEIR_SOCKET_DATAGRAMS + 1);
	for (int family = 0; family < FAMILIES; family++) {
		_cleanup_(fd_close) int fd = open_at(c, "node", family, IPPROTO_UDP);

		for (int round = 0; round < 2; round++)
			for (unsigned int i = 0; i <= WEIR_SOCKET_DATAGRAMS; i++)
				assert_int_equal(exchange(fd, family, i, line, sizeof(line)), 0);
	}
}

/* ---- Backends that change ---- */

/* The process hears of it; no answer of the old backend comes. */
static void assert_ended(int fd)
{
	char line[128];

	assert_int_equal(netns_listen(fd, ABORTED_MS, line, sizeof(line)), -ECONNABORTED);
	assert_int_equal(send(fd, "?\n", 2, 0), -1);
	assert_int_equal(errno, EDESTADDRREQ);
}

static void moves(struct netns_cluster *c, const char *after, int want)
{
	for (int family = 0; family < FAMILIES; family++) {
		_cleanup_(fd_close) int old = -1, new = -1, loose = -1, tcp = -1;
		char line[128];

		up(c, "R--");
		old = connected(c, family, IPPROTO_UDP);
		tcp = connected(c, family, IPPROTO_TCP);
		loose = open_at(c, "node", family, IPPROTO_UDP);
		assert_int_equal(netns_ask(old, line, sizeof(line)), 0);
		assert_int_equal(netns_ask(tcp, line, sizeof(line)), 0);
		assert_int_equal(exchange(loose, family, 0, line, sizeof(line)), 0);
		up(c, after);
		assert_ended(old);
		if (after[0] == 'U') { /* SVC-90 */
			assert_int_equal(netns_ask(tcp, line, sizeof(line)), 0);
			assert_int_equal(backend_of(line), 0);
		}
		assert_int_equal(exchange(loose, family, 0, line, sizeof(line)),
				 want < 0 ? -ECONNREFUSED : 0);
		if (want < 0)
			continue;
		assert_int_equal(backend_of(line), want);
		new = connected(c, family, IPPROTO_UDP);
		assert_int_equal(netns_ask(new, line, sizeof(line)), 0);
		assert_int_equal(backend_of(line), want);
	}
}

static void svc_91_a_connected_socket_of_a_removed_backend_ends(void **state)
{
	moves(*state, "-R-", 1);
}

static void svc_90_svc_91_a_connected_socket_of_a_backend_that_stops_serving_ends(void **state)
{
	moves(*state, "UR-", 1);
}

static void svc_92_a_connected_socket_ends_without_another_backend_too(void **state)
{
	moves(*state, "U--", -1);
}

static void svc_92_a_deleted_service_ends_its_sockets(void **state)
{
	struct netns_cluster *c = *state;

	for (int family = 0; family < FAMILIES; family++) {
		_cleanup_(fd_close) int fd = -1;

		up(c, "R--");
		fd = connected(c, family, IPPROTO_UDP);
		assert_int_equal(netns_ask(fd, NULL, 0), 0);
		up_services(c, "R--", 0);
		assert_ended(fd);
	}
}

/* Only sockets that were given their backend, and only while it does not serve. */
static void svc_91_svc_93_other_sockets_are_left_alone(void **state)
{
	struct netns_cluster *c = *state;

	for (int family = 0; family < FAMILIES; family++) {
		struct weir_addr pod = netns_pod_addr(FIRST, family == 1);
		_cleanup_(fd_close) int direct = -1, stays = -1;

		up(c, "R--");
		direct = open_at(c, "node", family, IPPROTO_UDP);
		assert_int_equal(connect_to(direct, family, &pod, 5353), 0);
		stays = connected(c, family, IPPROTO_UDP);
		up(c, "RU-");
		assert_int_equal(netns_ask(stays, NULL, 0), 0);
		up(c, "UR-");
		assert_int_equal(netns_ask(direct, NULL, 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(svc_33_np_41_a_process_of_the_node_reaches_a_pod_by_its_service),
		netns_test(svc_33_datagrams_of_an_unconnected_socket),
		netns_test(svc_33_a_datagram_of_a_connected_socket_to_another_service),
		netns_test(svc_29_connections_are_spread_over_all_backends),
		netns_test(svc_33_a_process_reaches_an_endpoint_of_its_own_node),
		netns_test(svc_19_a_process_reaches_an_endpoint_outside),
		netns_test(mesh_1_a_pods_socket_is_not_translated),
		netns_test(svc_60_a_service_without_endpoints_refuses),
		netns_test(a_socket_that_is_connected_elsewhere_shows_that_peer),
		netns_test(svc_33_more_frontends_than_a_socket_remembers),
		netns_test(svc_91_a_connected_socket_of_a_removed_backend_ends),
		netns_test(svc_90_svc_91_a_connected_socket_of_a_backend_that_stops_serving_ends),
		netns_test(svc_92_a_connected_socket_ends_without_another_backend_too),
		netns_test(svc_92_a_deleted_service_ends_its_sockets),
		netns_test(svc_91_svc_93_other_sockets_are_left_alone),
	};

	return netns_run("traffic_node", tests, ARRAY_SIZE(tests));
}
