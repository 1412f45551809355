// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * NAT and checksums that a device is to complete. Between veths such a sum is never completed and
 * never verified, so a wrong update of it goes unseen; a device without tx checksums completes it:
 * before the NAT at the sender, behind it at the node. Bulk data makes the segments large.
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

#define CLIENT 10 /* host numbers of addresses */
#define OTHER 11
#define VIP_LOCAL 30
#define VIP_OUTSIDE 31
#define PORT 7000
#define VIP_PORT 70
#define CLIENT_PORT 20000 /* none that the kernel gives a client by itself */
#define WAIT_MS 2000
#define BULK (1U << 20)

/* One exchange between a/client and `to`, which is "a/other" or "world". */
struct exchange {
	const struct netns_cluster *c;
	const char *to;
	int family, proto;
	int server; /* listens; on UDP the server's only socket */
};

/* ---- The cluster ---- */

static void put_outside_service(FILE *f)
{
	char text[ADDR_TEXT_MAX];

	fprintf(f,
		"---\napiVersion: v1\nkind: Service\nmetadata: {namespace: a, name: outside}\n"
		"spec: {clusterIP: 10.96.0.%d, clusterIPs: [10.96.0.%d, 'fd00:10:96::%x'], ipFamilies: [IPv4, IPv6], "
		"ipFamilyPolicy: RequireDualStack, ports: [{name: tcp, port: %d}, {name: udp, port: %d, protocol: UDP}]}\n",
		VIP_OUTSIDE, VIP_OUTSIDE, VIP_OUTSIDE, VIP_PORT, VIP_PORT);
	for (int family = 0; family < 2; family++) {
		struct weir_addr a = netns_outside_addr(family);

		fprintf(f,
			"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv%d\n"
			"metadata: {namespace: a, name: v%d, labels: {kubernetes.io/service-name: outside}}\n"
			"endpoints: [{addresses: ['%s']}]\n"
			"ports: [{name: tcp, protocol: TCP, port: %d}, {name: udp, protocol: UDP, port: %d}]\n",
			family ? 6 : 4, family ? 6 : 4, addr_text(&a, text), PORT, PORT);
	}
}

static void up(struct netns_cluster *c)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "none:TCP:9");
	netns_pod(f, "a", "other", "other", OTHER, "none:TCP:9");
	netns_service(f, "a", "local", "other", VIP_LOCAL, "tcp:TCP:70:7000 udp:UDP:70:7000");
	put_outside_service(f);
	fclose(f);
	netns_cluster_up(c, text);
	netns_outside_add(c);
}

static struct weir_addr server_addr(const struct exchange *x)
{
	return strcmp(x->to, "world") ? netns_pod_addr(OTHER, x->family)
				      : netns_outside_addr(x->family);
}

static struct weir_addr vip_of(const struct exchange *x)
{
	return netns_service_addr(strcmp(x->to, "world") ? VIP_LOCAL : VIP_OUTSIDE, x->family);
}

/* ---- What is sent, and that it arrives ---- */

static void assert_no_csum_errors(const struct exchange *x, const char *what)
{
	unsigned long at_client = netns_csum_errors(x->c, "a/client"),
		      at_server = netns_csum_errors(x->c, x->to);

	if (at_client || at_server)
		fail_msg("%s, IPv%d protocol %d: %lu checksum errors at the client, %lu at %s",
			 what, x->family ? 6 : 4, x->proto, at_client, at_server, x->to);
}

static void assert_readable(const struct exchange *x, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, WAIT_MS) == 1)
		return;
	assert_no_csum_errors(x, "nothing arrived");
	fail_msg("nothing arrived from or at %s, IPv%d protocol %d", x->to, x->family ? 6 : 4,
		 x->proto);
}

/* Differs by place and by side, so that what is lost, doubled or swapped does not look the same. */
static uint8_t byte_at(int side, size_t place)
{
	return ((uint32_t)(place + 1) * 2654435761U >> 24) ^ (side ? 0x5a : 0);
}

static void send_some(int fd, int side, size_t *done)
{
	uint8_t buf[65536];
	size_t n = BULK - *done < sizeof(buf) ? BULK - *done : sizeof(buf);
	ssize_t sent;

	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(side, *done + i);
	sent = send(fd, buf, n, MSG_NOSIGNAL);
	assert_true(sent > 0 || errno == EAGAIN);
	if (sent > 0)
		*done += sent;
}

static void receive_some(int fd, int side, size_t *done)
{
	uint8_t buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	assert_true(n > 0);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != byte_at(side, *done + i))
			fail_msg("byte %zu is not the one that was sent", *done + i);
	*done += n;
}

/* BULK bytes each way at the same time. */
static void bulk(const struct exchange *x, int client, int server)
{
	struct pollfd p[2] = { { .fd = client }, { .fd = server } };
	size_t sent[2] = {}, got[2] = {};

	while (got[0] < BULK || got[1] < BULK) {
		for (int i = 0; i < 2; i++)
			p[i].events = POLLIN | (sent[i] < BULK ? POLLOUT : 0);
		if (poll(p, 2, WAIT_MS) <= 0) {
			assert_no_csum_errors(x, "bulk data stopped");
			fail_msg("bulk data stopped after %zu and %zu bytes", got[0], got[1]);
		}
		for (int i = 0; i < 2; i++) {
			if (p[i].revents & POLLOUT)
				send_some(p[i].fd, i, &sent[i]);
			if (p[i].revents & POLLIN)
				receive_some(p[i].fd, !i, &got[i]);
		}
	}
	assert_int_equal(got[0], BULK);
	assert_int_equal(got[1], BULK);
}

static uint16_t port_in(const struct sockaddr_storage *sa)
{
	return ntohs(sa->ss_family == AF_INET ? ((const struct sockaddr_in *)sa)->sin_port
					      : ((const struct sockaddr_in6 *)sa)->sin6_port);
}

static uint16_t tcp_exchange(const struct exchange *x, int client)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	_cleanup_(fd_close) int server = -1;

	assert_readable(x, x->server);
	server = accept4(x->server, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(server >= 0);
	bulk(x, client, server);
	return port_in(&sa);
}

/* Odd and even lengths up to a full packet, there and back. */
static uint16_t udp_exchange(const struct exchange *x, int client)
{
	static const size_t sizes[] = { 1, 2, 3, 17, 512, 1399, 1452 };
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	uint8_t out[1452], in[2048];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			out[k] = byte_at(i & 1, k);
		assert_int_equal(send(client, out, sizes[i], 0), sizes[i]);
		assert_readable(x, x->server);
		len = sizeof(sa);
		assert_int_equal(
			recvfrom(x->server, in, sizeof(in), 0, (struct sockaddr *)&sa, &len),
			sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
		assert_int_equal(sendto(x->server, in, sizes[i], 0, (struct sockaddr *)&sa, len),
				 sizes[i]);
		assert_readable(x, client);
		assert_int_equal(recv(client, in, sizeof(in), 0), sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
	}
	return port_in(&sa);
}

/*
 * Opens a connection from client_port (0: any) and uses it. Returns its socket and the client port
 * that `to` saw.
 */
static int exchange(const struct exchange *x, const struct weir_addr *dst, uint16_t port,
		    uint16_t client_port, uint16_t *ret_seen)
{
	int client = netns_socket(x->c, "a/client", x->family, x->proto, client_port);
	int r = netns_connect(client, dst, port);

	if (r) {
		assert_no_csum_errors(x, "no connection");
		fail_msg("no connection to %s, IPv%d: %s", x->to, x->family ? 6 : 4, strerror(-r));
	}
	*ret_seen = x->proto == IPPROTO_TCP ? tcp_exchange(x, client) : udp_exchange(x, client);
	return client;
}

/*
 * Through the cluster IP; and again with a client port that a direct connection has, so that it is
 * rewritten too.
 */
static void one_way(struct exchange *x)
{
	struct weir_addr vip = vip_of(x), direct = server_addr(x);
	_cleanup_(fd_close) int server = netns_socket_at(x->c, x->to, &direct, x->proto, PORT);
	_cleanup_(fd_close) int plain = -1, first = -1, second = -1;
	uint16_t seen;

	x->server = server;
	if (x->proto == IPPROTO_TCP)
		assert_int_equal(listen(server, 4), 0);
	plain = exchange(x, &vip, VIP_PORT, 0, &seen);
	first = exchange(x, &direct, PORT, CLIENT_PORT, &seen);
	assert_int_equal(seen, CLIENT_PORT);
	second = exchange(x, &vip, VIP_PORT, CLIENT_PORT, &seen);
	assert_int_not_equal(seen, CLIENT_PORT);
	assert_no_csum_errors(x, "all arrived");
}

static void every_way(const struct netns_cluster *c)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	static const char *const to[] = { "a/other", "world" };

	for (int i = 0; i < 8; i++) {
		struct exchange x = {
			.c = c, .to = to[i >> 2], .family = i >> 1 & 1, .proto = protos[i & 1]
		};

		one_way(&x);
	}
}

/* ---- Where the sums are computed ---- */

static void with_offloads(struct netns_cluster *c, bool sender, bool node, bool receiver)
{
	up(c);
	netns_offload(c, "a/client", sender);
	netns_offload(c, "node", node);
	netns_offload(c, "a/other", receiver);
	netns_offload(c, "world", receiver);
	every_way(c);
}

static void nat_with_offloads_everywhere(void **state)
{
	with_offloads(*state, true, true, true);
}

static void nat_of_requests_with_complete_sums(void **state)
{
	with_offloads(*state, false, true, true);
}

static void nat_of_replies_with_complete_sums(void **state)
{
	with_offloads(*state, true, true, false);
}

static void nat_before_the_node_completes_the_sums(void **state)
{
	with_offloads(*state, true, false, true);
}

static void nat_without_any_offload(void **state)
{
	with_offloads(*state, false, false, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(nat_with_offloads_everywhere, NETNS_DROP_FORWARD),
		netns_test_needs(nat_of_requests_with_complete_sums, NETNS_DROP_FORWARD),
		netns_test_needs(nat_of_replies_with_complete_sums, NETNS_DROP_FORWARD),
		netns_test_needs(nat_before_the_node_completes_the_sums, NETNS_DROP_FORWARD),
		netns_test_needs(nat_without_any_offload, NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_offload", tests, ARRAY_SIZE(tests));
}
