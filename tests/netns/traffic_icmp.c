// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ICMP errors and real sockets: path MTU discovery by TCP where a link goes from 1500 to 1400
 * bytes, closed ports and expired TTLs that the sender's socket is told of, in every row of
 * docs/flows.md. The world is two hops away here:
 *
 *   pods -- node -- router -- far
 */
#include <errno.h>
#include <time.h> /* for errqueue.h */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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

#define WAIT_MS 5000
#define BULK (1U << 20)
#define NARROW 1400

static const char *const router[] = { "198.18.8.2", "2001:db8:8::2" };

/* ---- The cluster ---- */

/* $n is the prefix of the cluster's namespaces; netns_cluster_down() removes those added to it. */
static void run(const struct netns_cluster *c, const char *commands)
{
	_cleanup_(mem_free) char *text = mem_printf("set -e; n=weir-%s; %s", c->name, commands);

	assert_int_equal(system(text), 0);
}

/*
 * With static neighbours: a solicitation can be lost for a second, because the kernel joins the
 * multicast group of an address some time after it was added. "far" takes the address over from
 * "world".
 */
static void add_router(const struct netns_cluster *c)
{
	run(c,
	    "for i in router far; do ip netns add ${n}_$i; ip -n ${n}_$i link set dev lo up; done;"
	    "link() { ip -n ${n}_$1 link set dev $2 address 02:00:00:00:0$3:0$4;"
	    " ip -n ${n}_$1 addr add 198.18.$3.$4/24 dev $2;"
	    " ip -n ${n}_$1 addr add 2001:db8:$3::$4/64 dev $2 nodad;"
	    " ip -n ${n}_$1 link set dev $2 up; o=$((3 - $4));"
	    " ip -n ${n}_$1 neigh replace 198.18.$3.$o lladdr 02:00:00:00:0$3:0$o dev $2 nud permanent;"
	    " ip -n ${n}_$1 neigh replace 2001:db8:$3::$o lladdr 02:00:00:00:0$3:0$o dev $2 nud permanent; };"
	    "ip -n ${n}_node link add rtr index 200 type veth peer name uplink netns ${n}_router;"
	    "ip -n ${n}_router link add downlink index 300 type veth peer name eth0 netns ${n}_far;"
	    "link node rtr 8 1; link router uplink 8 2; link router downlink 9 1; link far eth0 9 2;"
	    "nsenter --net=/run/netns/${n}_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
	    " net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0;"
	    "nsenter --net=/run/netns/${n}_node sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0;"
	    "ip -n ${n}_far addr add 198.18.7.7/32 dev lo; ip -n ${n}_far addr add 2001:db8:7::7/128 dev lo nodad;"
	    "ip -n ${n}_far route add default via 198.18.9.1; ip -n ${n}_far route add default via 2001:db8:9::1;"
	    "ip -n ${n}_router route add default via 198.18.8.1; ip -n ${n}_router route add default via 2001:db8:8::1;"
	    "ip -n ${n}_router route add 198.18.7.7 via 198.18.9.2;"
	    "ip -n ${n}_router route add 2001:db8:7::7 via 2001:db8:9::2;"
	    "ip -n ${n}_node route replace 198.18.7.7 via 198.18.8.2 src 192.0.2.10;"
	    "ip -n ${n}_node route replace 2001:db8:7::7 via 2001:db8:8::2 src 2001:db8:2::10");
}

/* An MTU of NARROW at the router, towards far and towards the pods. */
static void narrow_at_router(const struct netns_cluster *c)
{
	run(c, "ip -n ${n}_router route replace 198.18.7.7 via 198.18.9.2 mtu 1400;"
	       "ip -n ${n}_router route replace 2001:db8:7::7 via 2001:db8:9::2 mtu 1400;"
	       "ip -n ${n}_router route replace default via 198.18.8.1 mtu 1400;"
	       "ip -n ${n}_router route replace default via 2001:db8:8::1 mtu 1400");
}

/* An MTU of NARROW at the node, towards far. */
static void narrow_at_node(const struct netns_cluster *c)
{
	run(c,
	    "ip -n ${n}_node route replace 198.18.7.7 via 198.18.8.2 src 192.0.2.10 mtu 1400;"
	    "ip -n ${n}_node route replace 2001:db8:7::7 via 2001:db8:8::2 src 2001:db8:2::10 mtu 1400");
}

static void up(struct netns_cluster *c)
{
	netns_ends_up(c, true);
	add_router(c);
}

static void wait_for(int fd, short events)
{
	assert_true(netns_wait(fd, events, WAIT_MS));
}

/* ---- Path MTU ---- */

static uint32_t segment_size(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_snd_mss;
}

/* BULK bytes from one socket to the other. */
static void transfer(int from, int to)
{
	assert_true(netns_bulk((int[]){ from, to }, (size_t[]){ BULK, 0 }, WAIT_MS));
}

struct connection {
	int client, server;
};

static void connection_close(struct connection *conn)
{
	fd_close(&conn->client);
	fd_close(&conn->server);
}

static struct connection connect_tcp(const struct netns_cluster *c, const char *from,
				     const char *to, const struct weir_addr *dst, uint16_t port)
{
	int family = addr_family(dst);
	_cleanup_(fd_close) int listener = netns_end_socket(c, to, family, IPPROTO_TCP, NETNS_PORT);
	struct connection conn = { .client = netns_end_socket(c, from, family, IPPROTO_TCP, 0),
				   .server = -1 };

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(netns_connect(conn.client, dst, port), 0);
	wait_for(listener, POLLIN);
	conn.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(conn.server >= 0);
	return conn;
}

/* Bytes of TCP in a packet of NARROW bytes. */
static uint32_t narrow_segment(int family)
{
	return NARROW - (family ? 40 : 20) - 20;
}

/* In both directions of one connection the sender must learn the path MTU. */
static void both_ways(const struct netns_cluster *c, const char *from, const char *to,
		      const struct weir_addr *dst, uint16_t port)
{
	const uint32_t narrow = narrow_segment(addr_family(dst));
	_cleanup_(connection_close) struct connection conn = connect_tcp(c, from, to, dst, port);

	/* not yet learnt, or the test proves nothing */
	assert_in_range(segment_size(conn.client), narrow + 1, 1500);
	transfer(conn.client, conn.server);
	assert_in_range(segment_size(conn.client), 1000, narrow);
	transfer(conn.server, conn.client);
	assert_in_range(segment_size(conn.server), 1000, narrow);
}

static void svc_96_path_mtu_discovery_through_a_cluster_ip(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	narrow_at_router(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_end_vip("far", family);

		both_ways(c, "a/pod", "far", &vip, NETNS_VIP_PORT);
	}
}

/* Errors of the node itself. Packets from far fit, so only the pod learns. */
static void svc_96_path_mtu_discovery_where_the_node_has_the_narrow_link(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	narrow_at_node(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_end_vip("far", family);
		_cleanup_(connection_close) struct connection conn =
			connect_tcp(c, "a/pod", "far", &vip, NETNS_VIP_PORT);

		transfer(conn.client, conn.server);
		assert_in_range(segment_size(conn.client), 1000, narrow_segment(family));
		transfer(conn.server, conn.client);
	}
}

static void path_mtu_discovery_without_a_service(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	narrow_at_router(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr far = netns_end_addr("far", family),
				 other = netns_end_addr("a/other", family);

		both_ways(c, "a/pod", "far", &far, NETNS_PORT);
		/* another pod: far has learnt the path MTU to a/pod */
		both_ways(c, "far", "a/other", &other, NETNS_PORT);
	}
}

/* ---- Closed ports ---- */

static void assert_refused(int fd, const char *what)
{
	char buf[16];

	wait_for(fd, POLLIN);
	if (recv(fd, buf, sizeof(buf), 0) >= 0 || errno != ECONNREFUSED)
		fail_msg("%s: %s", what, strerror(errno));
}

/* A datagram to a closed port; the sender's socket is told. */
static void send_to_closed_port(const struct netns_cluster *c, const char *from,
				const struct weir_addr *dst, uint16_t port)
{
	_cleanup_(fd_close) int fd = netns_end_socket(c, from, addr_family(dst), IPPROTO_UDP, 0);
	char text[ADDR_TEXT_MAX];

	assert_int_equal(netns_connect(fd, dst, port), 0);
	assert_int_equal(send(fd, "?", 1, 0), 1);
	assert_refused(fd, addr_text(dst, text));
}

/* The client closes before the server answers; the server's socket is told. */
static void answer_to_closed_port(const struct netns_cluster *c, const char *from, const char *to,
				  const struct weir_addr *dst, uint16_t port)
{
	_cleanup_(fd_close) int server =
		netns_end_socket(c, to, addr_family(dst), IPPROTO_UDP, NETNS_PORT);
	int client = netns_end_socket(c, from, addr_family(dst), IPPROTO_UDP, 0);
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char text[ADDR_TEXT_MAX], buf[16];

	assert_int_equal(netns_connect(client, dst, port), 0);
	assert_int_equal(send(client, "?", 1, 0), 1);
	wait_for(server, POLLIN);
	assert_int_equal(recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&sa, &len), 1);
	close(client);
	assert_int_equal(connect(server, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(send(server, "!", 1, 0), 1);
	assert_refused(server, addr_text(dst, text));
}

static void svc_96_a_closed_port_behind_a_cluster_ip_is_refused(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr local = netns_end_vip("a/other", family),
				 far = netns_end_vip("far", family);

		send_to_closed_port(c, "a/pod", &local, NETNS_VIP_PORT);
		send_to_closed_port(c, "a/pod", &far, NETNS_VIP_PORT);
	}
}

static void svc_96_an_answer_to_a_closed_client_is_refused(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr local = netns_end_vip("a/other", family),
				 far = netns_end_vip("far", family);

		answer_to_closed_port(c, "a/pod", "a/other", &local, NETNS_VIP_PORT);
		answer_to_closed_port(c, "a/pod", "far", &far, NETNS_VIP_PORT);
	}
}

static void closed_ports_are_refused_without_a_service(void **state)
{
	static const char *const rows[][2] = { { "a/pod", "a/other" },
					       { "a/pod", "far" },
					       { "a/pod", "node" },
					       { "far", "a/pod" },
					       { "node", "a/pod" } };
	struct netns_cluster *c = *state;

	up(c);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int family = 0; family < 2; family++) {
			struct weir_addr dst = netns_end_addr(rows[i][1], family);

			send_to_closed_port(c, rows[i][0], &dst, NETNS_PORT);
			answer_to_closed_port(c, rows[i][0], rows[i][1], &dst, NETNS_PORT);
		}
}

/* ---- TTLs ---- */

/*
 * Sends a datagram with that TTL to the cluster IP. Its socket gets an error about the cluster IP,
 * sent by `by`.
 */
static void expire(const struct netns_cluster *c, const struct weir_addr *vip, int ttl,
		   const struct weir_addr *by)
{
	int family = addr_family(vip), on = 1;
	_cleanup_(fd_close) int fd = netns_end_socket(c, "a/pod", family, IPPROTO_UDP, 0);
	struct sockaddr_storage about = {}, offender = {};
	char control[512], data[16], got[ADDR_TEXT_MAX], want[ADDR_TEXT_MAX];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_name = &about,
			      .msg_namelen = sizeof(about),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	const struct sock_extended_err *e;
	struct weir_addr a;

	assert_int_equal(setsockopt(fd, family ? IPPROTO_IPV6 : IPPROTO_IP,
				    family ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on)),
			 0);
	assert_int_equal(setsockopt(fd, family ? IPPROTO_IPV6 : IPPROTO_IP,
				    family ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl)),
			 0);
	assert_int_equal(netns_connect(fd, vip, NETNS_VIP_PORT), 0);
	assert_int_equal(send(fd, "?", 1, 0), 1);
	wait_for(fd, POLLERR);
	assert_true(recvmsg(fd, &msg, MSG_ERRQUEUE) >= 0);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	e = (const struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	assert_int_equal(e->ee_errno, EHOSTUNREACH);
	memcpy(&offender, SO_EE_OFFENDER(e),
	       family ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	a = netns_sockaddr(&offender, NULL);
	assert_string_equal(addr_text(&a, got), addr_text(by, want));
	a = netns_sockaddr(&about, NULL);
	assert_string_equal(addr_text(&a, got), addr_text(vip, want));
}

static void svc_96_a_trace_through_a_cluster_ip_shows_the_node_and_the_router(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_end_vip("far", family),
				 by_node = netns_end_addr("node", family), by_router;

		assert_int_equal(addr_parse(router[family], &by_router), 0);
		expire(c, &vip, 1, &by_node);
		expire(c, &vip, 2, &by_router);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(svc_96_path_mtu_discovery_through_a_cluster_ip,
				 NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_path_mtu_discovery_where_the_node_has_the_narrow_link,
				 NETNS_DROP_FORWARD),
		netns_test_needs(path_mtu_discovery_without_a_service, NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_a_closed_port_behind_a_cluster_ip_is_refused,
				 NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_an_answer_to_a_closed_client_is_refused,
				 NETNS_DROP_FORWARD),
		netns_test_needs(closed_ports_are_refused_without_a_service, NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_a_trace_through_a_cluster_ip_shows_the_node_and_the_router,
				 NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_icmp", tests, ARRAY_SIZE(tests));
}
