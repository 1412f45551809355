// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * NAT of packets whose checksums a device is to complete. Between veths such a sum is neither
 * completed nor verified, so a wrong update goes unnoticed; a device without tx checksums completes
 * it: at the sender before the NAT, at the node after it. Bulk data makes the segments large.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_ends.h"

#define CLIENT_PORT 20000 /* below the ephemeral ports */
#define WAIT_MS 2000
#define BULK (1U << 20)

/* Exchanges between a/pod and `to`, which is "a/other" or "world". */
struct exchange {
	const struct netns_cluster *c;
	const char *to;
	int family, proto;
	int server; /* listens; on UDP the server's only socket */
};

/* ---- Data ---- */

static void assert_no_csum_errors(const struct exchange *x, const char *what)
{
	unsigned long at_client = netns_csum_errors(x->c, "a/pod"),
		      at_server = netns_csum_errors(x->c, x->to);

	if (at_client || at_server)
		fail_msg("%s, IPv%d protocol %d: %lu checksum errors at the client, %lu at %s",
			 what, x->family ? 6 : 4, x->proto, at_client, at_server, x->to);
}

static void assert_readable(const struct exchange *x, int fd)
{
	if (netns_wait(fd, POLLIN, WAIT_MS))
		return;
	assert_no_csum_errors(x, "nothing arrived");
	fail_msg("nothing arrived from or at %s, IPv%d protocol %d", x->to, x->family ? 6 : 4,
		 x->proto);
}

/* BULK bytes each way at the same time. */
static void bulk(const struct exchange *x, int client, int server)
{
	if (netns_bulk((int[]){ client, server }, (size_t[]){ BULK, BULK }, WAIT_MS))
		return;
	assert_no_csum_errors(x, "bulk data stopped");
	fail_msg("bulk data stopped");
}

/* Both exchanges return the client port that the server saw. */
static uint16_t tcp_exchange(const struct exchange *x, int client)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	_cleanup_(fd_close) int server = -1;
	uint16_t port;

	assert_readable(x, x->server);
	server = accept4(x->server, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(server >= 0);
	bulk(x, client, server);
	netns_sockaddr(&sa, &port);
	return port;
}

/* Odd and even lengths up to a full packet, there and back. */
static uint16_t udp_exchange(const struct exchange *x, int client)
{
	static const size_t sizes[] = { 1, 2, 3, 17, 512, 1399, 1452 };
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	uint8_t out[1452], in[2048];
	uint16_t port;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t k = 0; k < sizes[i]; k++)
			out[k] = netns_byte(i & 1, k);
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
	netns_sockaddr(&sa, &port);
	return port;
}

/*
 * Opens a connection from client_port (0: any) and exchanges data. Returns its socket; ret_seen is
 * the client port that the server saw.
 */
static int exchange(const struct exchange *x, const struct weir_addr *dst, uint16_t port,
		    uint16_t client_port, uint16_t *ret_seen)
{
	int client = netns_socket(x->c, "a/pod", x->family, x->proto, client_port);
	int r = netns_connect(client, dst, port);

	if (r) {
		assert_no_csum_errors(x, "no connection");
		fail_msg("no connection to %s, IPv%d: %s", x->to, x->family ? 6 : 4, strerror(-r));
	}
	*ret_seen = x->proto == IPPROTO_TCP ? tcp_exchange(x, client) : udp_exchange(x, client);
	return client;
}

/*
 * Through the cluster IP; and again from a client port that a direct connection uses, so that the
 * port is rewritten too.
 */
static void one_path(struct exchange *x)
{
	struct weir_addr vip = netns_end_vip(x->to, x->family),
			 direct = netns_end_addr(x->to, x->family);
	_cleanup_(fd_close) int server =
		netns_end_socket(x->c, x->to, x->family, x->proto, NETNS_PORT);
	_cleanup_(fd_close) int plain = -1, first = -1, second = -1;
	uint16_t seen;

	x->server = server;
	if (x->proto == IPPROTO_TCP)
		assert_int_equal(listen(server, 4), 0);
	plain = exchange(x, &vip, NETNS_VIP_PORT, 0, &seen);
	first = exchange(x, &direct, NETNS_PORT, CLIENT_PORT, &seen);
	assert_int_equal(seen, CLIENT_PORT);
	second = exchange(x, &vip, NETNS_VIP_PORT, CLIENT_PORT, &seen);
	assert_int_not_equal(seen, CLIENT_PORT);
	assert_no_csum_errors(x, "all data arrived");
}

static void every_path(const struct netns_cluster *c)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	static const char *const to[] = { "a/other", "world" };

	for (int i = 0; i < 8; i++) {
		struct exchange x = {
			.c = c, .to = to[i >> 2], .family = i >> 1 & 1, .proto = protos[i & 1]
		};

		one_path(&x);
	}
}

/* ---- Where checksums are computed ---- */

static void with_offloads(struct netns_cluster *c, bool sender, bool node, bool receiver)
{
	netns_ends_up(c, false);
	netns_offload(c, "a/pod", sender);
	netns_offload(c, "node", node);
	netns_offload(c, "a/other", receiver);
	netns_offload(c, "world", receiver);
	every_path(c);
}

static void nat_with_offloads_everywhere(void **state)
{
	with_offloads(*state, true, true, true);
}

static void nat_of_requests_with_complete_checksums(void **state)
{
	with_offloads(*state, false, true, true);
}

static void nat_of_replies_with_complete_checksums(void **state)
{
	with_offloads(*state, true, true, false);
}

static void nat_before_the_node_completes_the_checksums(void **state)
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
		netns_test_needs(nat_of_requests_with_complete_checksums, NETNS_DROP_FORWARD),
		netns_test_needs(nat_of_replies_with_complete_checksums, NETNS_DROP_FORWARD),
		netns_test_needs(nat_before_the_node_completes_the_checksums, NETNS_DROP_FORWARD),
		netns_test_needs(nat_without_any_offload, NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_offload", tests, ARRAY_SIZE(tests));
}
