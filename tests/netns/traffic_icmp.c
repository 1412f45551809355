// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ICMP errors and real sockets: path MTU discovery by TCP where the way goes from 1500 to 1400,
 * closed ports and expired lifetimes that the sender's socket hears of, in every row of
 * docs/flows.md. The world is two hops away here:
 *
 *   pods -- node -- router -- far
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#define VIP_LOCAL 30
#define VIP_FAR 31
#define PORT 7000
#define VIP_PORT 70
#define WAIT_MS 5000
#define BULK (1U << 20)
#define NARROW 1400

static const char *const node[] = { "192.0.2.10", "2001:db8:2::10" };
static const char *const router[] = { "198.18.8.2", "2001:db8:8::2" };

/* ---- The cluster ---- */

static void put_service(FILE *f, const char *name, unsigned int vip, const struct weir_addr ends[2])
{
	char text[ADDR_TEXT_MAX];

	fprintf(f,
		"---\napiVersion: v1\nkind: Service\nmetadata: {namespace: a, name: %s}\n"
		"spec: {clusterIP: 10.96.0.%u, clusterIPs: [10.96.0.%u, 'fd00:10:96::%x'], ipFamilies: [IPv4, IPv6], "
		"ipFamilyPolicy: RequireDualStack, ports: [{name: tcp, port: %d}, {name: udp, port: %d, protocol: UDP}]}\n",
		name, vip, vip, vip, VIP_PORT, VIP_PORT);
	for (int family = 0; family < 2; family++)
		fprintf(f,
			"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv%d\n"
			"metadata: {namespace: a, name: %s-%d, labels: {kubernetes.io/service-name: %s}}\n"
			"endpoints: [{addresses: ['%s']}]\n"
			"ports: [{name: tcp, protocol: TCP, port: %d}, {name: udp, protocol: UDP, port: %d}]\n",
			family ? 6 : 4, name, family, name, addr_text(&ends[family], text), PORT,
			PORT);
}

/* A namespace of the cluster: it goes with it. */
static void run(const struct netns_cluster *c, const char *commands)
{
	_cleanup_(mem_free) char *text = mem_printf("set -e; n=weir-%s; %s", c->name, commands);

	assert_int_equal(system(text), 0);
}

/*
 * Neighbours know each other from the start: a solicitation may be lost for a second, because the
 * kernel joins an address's multicast group some time after it was added.
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
	    "ip -n ${n}_node route add 198.18.7.7 via 198.18.8.2 src 192.0.2.10;"
	    "ip -n ${n}_node route add 2001:db8:7::7 via 2001:db8:8::2 src 2001:db8:2::10");
}

/* The router's links towards far and towards the pods become narrow. */
static void narrow_at_router(const struct netns_cluster *c)
{
	run(c, "ip -n ${n}_router route replace 198.18.7.7 via 198.18.9.2 mtu 1400;"
	       "ip -n ${n}_router route replace 2001:db8:7::7 via 2001:db8:9::2 mtu 1400;"
	       "ip -n ${n}_router route replace default via 198.18.8.1 mtu 1400;"
	       "ip -n ${n}_router route replace default via 2001:db8:8::1 mtu 1400");
}

/* This node's own link out does. */
static void narrow_at_node(const struct netns_cluster *c)
{
	run(c,
	    "ip -n ${n}_node route replace 198.18.7.7 via 198.18.8.2 src 192.0.2.10 mtu 1400;"
	    "ip -n ${n}_node route replace 2001:db8:7::7 via 2001:db8:8::2 src 2001:db8:2::10 mtu 1400");
}

/* All pods are isolated both ways, and allowed what the rows need. */
static void up(struct netns_cluster *c)
{
	struct weir_addr other[2] = { netns_pod_addr(OTHER, 0), netns_pod_addr(OTHER, 1) };
	struct weir_addr far[2] = { netns_outside_addr(0), netns_outside_addr(1) };
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

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
	put_service(f, "local", VIP_LOCAL, other);
	put_service(f, "outside", VIP_FAR, far);
	fclose(f);
	netns_cluster_up(c, text);
	add_router(c);
}

static struct weir_addr address_of(const char *where, int family)
{
	struct weir_addr a;

	if (!strcmp(where, "far"))
		return netns_outside_addr(family);
	if (strcmp(where, "node"))
		return netns_pod_addr(!strcmp(where, "a/other") ? OTHER : POD, family);
	assert_int_equal(addr_parse(node[family], &a), 0);
	return a;
}

static int socket_of(const struct netns_cluster *c, const char *where, int family, int proto,
		     uint16_t port)
{
	struct weir_addr a = address_of(where, family);

	return netns_socket_at(c, where, &a, proto, port);
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* ---- Path MTU ---- */

static uint32_t segment_size(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_snd_mss;
}

static uint8_t byte_at(size_t place)
{
	return (uint32_t)(place + 1) * 2654435761U >> 24;
}

/* BULK bytes from one socket to the other. */
static void transfer(int from, int to)
{
	static uint8_t buf[65536];
	struct pollfd p[2] = { { .fd = from }, { .fd = to, .events = POLLIN } };
	size_t sent = 0, got = 0;
	ssize_t n;

	while (got < BULK) {
		p[0].events = sent < BULK ? POLLOUT : 0;
		if (poll(p, 2, WAIT_MS) <= 0)
			fail_msg("stopped after %zu of %zu bytes sent", got, sent);
		if (p[0].revents & POLLOUT) {
			size_t len = BULK - sent < sizeof(buf) ? BULK - sent : sizeof(buf);

			for (size_t i = 0; i < len; i++)
				buf[i] = byte_at(sent + i);
			n = send(from, buf, len, MSG_NOSIGNAL);
			assert_true(n > 0 || errno == EAGAIN);
			sent += n > 0 ? n : 0;
		}
		if (p[1].revents & POLLIN) {
			n = recv(to, buf, sizeof(buf), 0);
			assert_true(n > 0);
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(buf[i], byte_at(got + i));
			got += n;
		}
	}
}

/*
 * Both directions of one connection; a side that must send less than 1400 bytes a packet has learnt
 * it.
 */
static void both_ways(const struct netns_cluster *c, const char *from, const char *to,
		      const struct weir_addr *dst, uint16_t port)
{
	int family = addr_family(dst);
	const uint32_t headers = (family ? 40 : 20) + 20;
	_cleanup_(fd_close) int listener = socket_of(c, to, family, IPPROTO_TCP, PORT);
	_cleanup_(fd_close) int client = socket_of(c, from, family, IPPROTO_TCP, 0);
	_cleanup_(fd_close) int server = -1;

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(netns_connect(client, dst, port), 0);
	wait_for(listener, POLLIN);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(server >= 0);
	assert_in_range(segment_size(client), NARROW - headers + 1,
			1500); /* or there is nothing to learn */
	transfer(client, server);
	assert_in_range(segment_size(client), 1000, NARROW - headers);
	transfer(server, client);
	assert_in_range(segment_size(server), 1000, NARROW - headers);
}

static void svc_96_path_mtu_discovery_through_a_cluster_ip(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	narrow_at_router(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP_FAR, family);

		both_ways(c, "a/pod", "far", &vip, VIP_PORT);
	}
}

/* The node's own errors; what comes back fits, so only the pod has something to learn. */
static void svc_96_path_mtu_discovery_where_the_node_is_the_narrow_place(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	narrow_at_node(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP_FAR, family);
		_cleanup_(fd_close) int listener = socket_of(c, "far", family, IPPROTO_TCP, PORT);
		_cleanup_(fd_close) int client = socket_of(c, "a/pod", family, IPPROTO_TCP, 0);
		_cleanup_(fd_close) int server = -1;

		assert_int_equal(listen(listener, 1), 0);
		assert_int_equal(netns_connect(client, &vip, VIP_PORT), 0);
		wait_for(listener, POLLIN);
		server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		transfer(client, server);
		assert_in_range(segment_size(client), 1000, NARROW - (family ? 60 : 40));
		transfer(server, client);
	}
}

static void path_mtu_discovery_without_a_service(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	narrow_at_router(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr far = netns_outside_addr(family),
				 pod = netns_pod_addr(POD, family);

		both_ways(c, "a/pod", "far", &far, PORT);
		/* what was learnt about far stays learnt: another pod answers */
		pod = netns_pod_addr(OTHER, family);
		both_ways(c, "far", "a/other", &pod, PORT);
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

/* A datagram to a port that nobody has opened; the sender's socket is told. */
static void call_a_closed_port(const struct netns_cluster *c, const char *from,
			       const struct weir_addr *dst, uint16_t port)
{
	_cleanup_(fd_close) int fd = socket_of(c, from, addr_family(dst), IPPROTO_UDP, 0);
	char text[ADDR_TEXT_MAX];

	assert_int_equal(netns_connect(fd, dst, port), 0);
	assert_int_equal(send(fd, "?", 1, 0), 1);
	assert_refused(fd, addr_text(dst, text));
}

/* The client closes before the answer comes; the server's socket is told. */
static void answer_a_closed_port(const struct netns_cluster *c, const char *from, const char *to,
				 const struct weir_addr *dst, uint16_t port)
{
	_cleanup_(fd_close) int server = socket_of(c, to, addr_family(dst), IPPROTO_UDP, PORT);
	int client = socket_of(c, from, addr_family(dst), IPPROTO_UDP, 0);
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
		struct weir_addr local = netns_service_addr(VIP_LOCAL, family),
				 far = netns_service_addr(VIP_FAR, family);

		call_a_closed_port(c, "a/pod", &local, VIP_PORT);
		call_a_closed_port(c, "a/pod", &far, VIP_PORT);
	}
}

static void svc_96_a_client_that_has_gone_refuses_the_answer(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr local = netns_service_addr(VIP_LOCAL, family),
				 far = netns_service_addr(VIP_FAR, family);

		answer_a_closed_port(c, "a/pod", "a/other", &local, VIP_PORT);
		answer_a_closed_port(c, "a/pod", "far", &far, VIP_PORT);
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
			struct weir_addr dst = address_of(rows[i][1], family);

			call_a_closed_port(c, rows[i][0], &dst, PORT);
			answer_a_closed_port(c, rows[i][0], rows[i][1], &dst, PORT);
		}
}

/* ---- Lifetimes ---- */

/* The error that a datagram with that lifetime brings: about whom the socket called, by whom. */
static void expire(const struct netns_cluster *c, const struct weir_addr *vip, int hops,
		   const struct weir_addr *by)
{
	int family = addr_family(vip), on = 1;
	_cleanup_(fd_close) int fd = socket_of(c, "a/pod", family, IPPROTO_UDP, 0);
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
	struct weir_addr a = {};

	assert_int_equal(setsockopt(fd, family ? IPPROTO_IPV6 : IPPROTO_IP,
				    family ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on)),
			 0);
	assert_int_equal(setsockopt(fd, family ? IPPROTO_IPV6 : IPPROTO_IP,
				    family ? IPV6_UNICAST_HOPS : IP_TTL, &hops, sizeof(hops)),
			 0);
	assert_int_equal(netns_connect(fd, vip, VIP_PORT), 0);
	assert_int_equal(send(fd, "?", 1, 0), 1);
	wait_for(fd, POLLERR);
	assert_true(recvmsg(fd, &msg, MSG_ERRQUEUE) >= 0);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	e = (const struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
	assert_int_equal(e->ee_errno, EHOSTUNREACH);
	memcpy(&offender, SO_EE_OFFENDER(e),
	       family ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	a = family ? (struct weir_addr){}
		   : weir_addr_from_v4(((struct sockaddr_in *)&offender)->sin_addr.s_addr);
	if (family)
		memcpy(a.b, &((struct sockaddr_in6 *)&offender)->sin6_addr, 16);
	assert_string_equal(addr_text(&a, got), addr_text(by, want));
	a = family ? (struct weir_addr){}
		   : weir_addr_from_v4(((struct sockaddr_in *)&about)->sin_addr.s_addr);
	if (family)
		memcpy(a.b, &((struct sockaddr_in6 *)&about)->sin6_addr, 16);
	assert_string_equal(addr_text(&a, got), addr_text(vip, want));
}

static void svc_96_a_trace_through_a_cluster_ip_shows_the_node_and_the_router(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP_FAR, family), by_node, by_router;

		assert_int_equal(addr_parse(node[family], &by_node), 0);
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
		netns_test_needs(svc_96_path_mtu_discovery_where_the_node_is_the_narrow_place,
				 NETNS_DROP_FORWARD),
		netns_test_needs(path_mtu_discovery_without_a_service, NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_a_closed_port_behind_a_cluster_ip_is_refused,
				 NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_a_client_that_has_gone_refuses_the_answer,
				 NETNS_DROP_FORWARD),
		netns_test_needs(closed_ports_are_refused_without_a_service, NETNS_DROP_FORWARD),
		netns_test_needs(svc_96_a_trace_through_a_cluster_ip_shows_the_node_and_the_router,
				 NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_icmp", tests, ARRAY_SIZE(tests));
}
