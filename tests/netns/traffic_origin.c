// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which packets are the node's own (NP-41): those of its sockets, also where a device cuts them
 * into segments; and none that come from outside with the node's address as their source, whole or
 * in fragments, alone or as part of a flow that the node began.
 *
 * Conntrack reassembles the fragments from outside. With headers of unequal length the kernel
 * cannot send them on as they came: it makes new ones, which have no input device.
 */
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
#include "lib/packet.h"

#define CLOSED 7001 /* no policy allows it */
#define CLIENT_PORT 20000
#define WAIT_MS 5000
#define NOTHING_MS 300
#define PAYLOAD 1200
#define FIRST 800 /* bytes of the datagram in the first fragment */
#define BULK (4U << 20)

/* The node tracks connections, and takes its own address as a source from outside. */
static void careless_node(const struct netns_cluster *c)
{
	netns_node_command(
		c,
		"nft 'table inet tracked { chain forward { type filter hook forward priority 0; ct state new counter; }; }'");
	netns_node_command(c, "for d in /proc/sys/net/ipv4/conf/*; do"
			      " echo 1 >$d/accept_local; echo 0 >$d/rp_filter; done");
}

/* ---- Packets from outside ---- */

/* A datagram that says to come from the node. */
static struct packet forged(const char *to, int family, uint16_t sport, uint16_t dport)
{
	struct packet_spec spec = { .src = netns_end_addr("node", family),
				    .dst = netns_end_addr(to, family),
				    .proto = IPPROTO_UDP,
				    .sport = sport,
				    .dport = dport,
				    .payload = PAYLOAD };

	return packet_build(&spec);
}

/* Puts a header of 8 bytes without meaning behind the fixed one. */
static void widen(struct packet *p, int family)
{
	static const uint8_t v6_options[8] = { IPPROTO_FRAGMENT, 0, 1, 4 },
			     v4_options[8] = { 1, 1 };
	uint8_t *ip = p->data + PACKET_L3;
	unsigned int head = family ? 40 : 20;

	memmove(ip + head + 8, ip + head, p->len - PACKET_L3 - head);
	memcpy(ip + head, family ? v6_options : v4_options, 8);
	p->len += 8;
	if (family) {
		ip[6] = IPPROTO_DSTOPTS;
		ip[5] += 8; /* no carry: the length is FIRST and some bytes */
	} else {
		ip[0] += 2; /* the kernel fills in the length and the sum */
	}
}

static void send_outside(int fd, const struct packet *p, int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	const uint8_t *ip = p->data + PACKET_L3;

	memcpy(&v6.sin6_addr, ip + 24, 16);
	memcpy(&v4.sin_addr, ip + 16, 4);
	assert_int_equal(sendto(fd, ip, p->len - PACKET_L3, 0,
				family ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
				family ? sizeof(v6) : sizeof(v4)),
			 p->len - PACKET_L3);
}

static void send_in_fragments(int fd, const struct packet *whole, int family)
{
	struct packet first = packet_fragment(whole, 0, FIRST, 77),
		      second = packet_fragment(whole, FIRST, 0, 77);

	widen(&first, family);
	send_outside(fd, &first, family);
	send_outside(fd, &second, family);
}

/* Sends the datagram whole and in fragments; returns how many arrive, of two. */
static int arrive(const struct netns_cluster *c, int receiver, const struct packet *p, int family)
{
	_cleanup_(fd_close) int fd = netns_raw_socket(c, "world", family, IPPROTO_RAW);
	uint8_t buf[PAYLOAD];
	int n = 0;

	send_outside(fd, p, family);
	send_in_fragments(fd, p, family);
	for (int i = 0; i < 2 && netns_wait(receiver, POLLIN, n ? WAIT_MS : NOTHING_MS); i++)
		n += recv(receiver, buf, sizeof(buf), 0) == PAYLOAD;
	return n;
}

static void np_41_a_packet_from_outside_is_not_the_nodes(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	careless_node(c);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int closed =
			netns_end_socket(c, "a/pod", family, IPPROTO_UDP, CLOSED);
		_cleanup_(fd_close) int open =
			netns_end_socket(c, "a/pod", family, IPPROTO_UDP, NETNS_PORT);
		struct packet denied = forged("a/pod", family, CLIENT_PORT, CLOSED),
			      allowed = forged("a/pod", family, CLIENT_PORT, NETNS_PORT);

		assert_int_equal(arrive(c, closed, &denied, family), 0);
		assert_int_equal(arrive(c, open, &allowed, family), 2); /* by policy */
	}
}

static void np_41_a_packet_from_outside_does_not_continue_a_flow_of_the_node(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	careless_node(c);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int server =
			netns_end_socket(c, "a/pod", family, IPPROTO_UDP, CLOSED);
		_cleanup_(fd_close) int client =
			netns_end_socket(c, "node", family, IPPROTO_UDP, CLIENT_PORT);
		struct weir_addr pod = netns_end_addr("a/pod", family);
		struct packet p = forged("a/pod", family, CLIENT_PORT, CLOSED);
		char byte = 0;

		assert_int_equal(netns_connect(client, &pod, CLOSED), 0);
		assert_int_equal(send(client, &byte, 1, 0), 1);
		assert_true(netns_wait(server, POLLIN, WAIT_MS));
		assert_int_equal(recv(server, &byte, 1, 0), 1);
		assert_int_equal(arrive(c, server, &p, family), 0);
		assert_int_equal(send(client, &byte, 1, 0), 1); /* the flow goes on */
		assert_true(netns_wait(server, POLLIN, WAIT_MS));
	}
}

/* A SYN, which leaves an entry in the host's conntrack, and a segment of that connection. */
static void send_segments(const struct netns_cluster *c, int family, uint16_t dport)
{
	_cleanup_(fd_close) int fd = netns_raw_socket(c, "world", family, IPPROTO_RAW);
	struct packet_spec spec = { .src = netns_end_addr("node", family),
				    .dst = netns_end_addr("a/pod", family),
				    .proto = IPPROTO_TCP,
				    .sport = CLIENT_PORT,
				    .dport = dport };
	static const uint8_t flags[] = { SYN, ACK };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct packet p;

		spec.tcp_flags = flags[i];
		p = packet_build(&spec);
		send_outside(fd, &p, family);
	}
}

static void np_41_a_packet_from_outside_is_not_the_nodes_for_an_adopted_pod(void **state)
{
	struct netns_cluster *c = *state;

	c->bare = true;
	netns_ends_up(c, true);
	c->bare = false;
	netns_ends_up(c, true);
	careless_node(c);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int pod = netns_raw_socket(c, "a/pod", family, IPPROTO_TCP);

		send_segments(c, family, CLOSED);
		assert_false(netns_wait(pod, POLLIN, NOTHING_MS));
		send_segments(c, family, NETNS_PORT); /* allowed by policy */
		assert_true(netns_wait(pod, POLLIN, WAIT_MS));
	}
}

/* ---- Segments ---- */

/* The stack makes large segments, and the node's devices cut them: all but the last lose their
 * socket.
 */
static void np_41_segments_of_the_nodes_packets_arrive(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	netns_segments_by_software(c, "node");
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int listener =
			netns_end_socket(c, "a/pod", family, IPPROTO_TCP, CLOSED);
		_cleanup_(fd_close) int client =
			netns_end_socket(c, "node", family, IPPROTO_TCP, 0);
		struct weir_addr pod = netns_end_addr("a/pod", family);
		_cleanup_(fd_close) int server = -1;

		assert_int_equal(listen(listener, 1), 0);
		assert_int_equal(netns_connect(client, &pod, CLOSED), 0);
		assert_true(netns_wait(listener, POLLIN, WAIT_MS));
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		assert_true(server >= 0);
		assert_true(
			netns_bulk((int[]){ client, server }, (size_t[]){ BULK, BULK }, WAIT_MS));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(np_41_a_packet_from_outside_is_not_the_nodes, NETNS_DROP_FORWARD),
		netns_test_needs(np_41_a_packet_from_outside_does_not_continue_a_flow_of_the_node,
				 NETNS_DROP_FORWARD),
		netns_test_needs(np_41_a_packet_from_outside_is_not_the_nodes_for_an_adopted_pod,
				 NETNS_DROP_FORWARD),
		netns_test(np_41_segments_of_the_nodes_packets_arrive),
	};

	return netns_run("traffic_origin", tests, ARRAY_SIZE(tests));
}
