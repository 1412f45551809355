// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Datagrams larger than the MTU between real sockets, through a cluster IP, direct and under
 * policy; and frames with a VLAN tag, which real hardware moves out of the packet before any
 * program sees it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
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
#include "lib/packet.h"
#include "sandbox/netns.h"

#define POD 10 /* host numbers of addresses */
#define OTHER 11
#define VIP_LOCAL 30
#define VIP_OUTSIDE 31
#define PORT 7000
#define CLOSED 7001 /* no policy allows it */
#define VIP_PORT 70
#define WAIT_MS 5000
#define NOTHING_MS 300
#define LARGEST 60000

static const char *const node[] = { "192.0.2.10", "2001:db8:2::10" };

static void put_service(FILE *f, const char *name, unsigned int vip, const struct weir_addr ends[2])
{
	char text[ADDR_TEXT_MAX];

	fprintf(f,
		"---\napiVersion: v1\nkind: Service\nmetadata: {namespace: a, name: %s}\n"
		"spec: {clusterIP: 10.96.0.%u, clusterIPs: [10.96.0.%u, 'fd00:10:96::%x'], ipFamilies: [IPv4, IPv6], "
		"ipFamilyPolicy: RequireDualStack, ports: [{name: udp, port: %d, protocol: UDP}]}\n",
		name, vip, vip, vip, VIP_PORT);
	for (int family = 0; family < 2; family++)
		fprintf(f,
			"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv%d\n"
			"metadata: {namespace: a, name: %s-%d, labels: {kubernetes.io/service-name: %s}}\n"
			"endpoints: [{addresses: ['%s']}]\nports: [{name: udp, protocol: UDP, port: %d}]\n",
			family ? 6 : 4, name, family, name, addr_text(&ends[family], text), PORT);
}

static void up(struct netns_cluster *c)
{
	struct weir_addr other[2] = { netns_pod_addr(OTHER, 0), netns_pod_addr(OTHER, 1) };
	struct weir_addr outside[2] = { netns_outside_addr(0), netns_outside_addr(1) };
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
		"policyTypes: [Ingress, Egress], ingress: [{ports: [{port: 7000, protocol: UDP}]}], "
		"egress: [{ports: [{port: 7000, protocol: UDP}]}]");
	put_service(f, "local", VIP_LOCAL, other);
	put_service(f, "outside", VIP_OUTSIDE, outside);
	fclose(f);
	netns_cluster_up(c, text);
	netns_outside_add(c);
}

static struct weir_addr address_of(const char *where, int family)
{
	struct weir_addr a;

	if (!strcmp(where, "world"))
		return netns_outside_addr(family);
	if (strcmp(where, "node"))
		return netns_pod_addr(!strcmp(where, "a/other") ? OTHER : POD, family);
	assert_int_equal(addr_parse(node[family], &a), 0);
	return a;
}

static int socket_of(const struct netns_cluster *c, const char *where, int family, uint16_t port)
{
	struct weir_addr a = address_of(where, family);

	return netns_socket_at(c, where, &a, IPPROTO_UDP, port);
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

/*
 * There and back, every byte. Larger than the MTU by little, by one fragment, and as large as
 * datagrams get.
 */
static void exchange(const struct netns_cluster *c, const char *from, const char *to,
		     const struct weir_addr *dst, uint16_t port)
{
	static const size_t sizes[] = { 1473, 3000, 9001, LARGEST };
	static uint8_t out[LARGEST], in[LARGEST + 1];
	_cleanup_(fd_close) int server = socket_of(c, to, addr_family(dst), PORT);
	_cleanup_(fd_close) int client = socket_of(c, from, addr_family(dst), 0);
	struct sockaddr_storage sa;
	char text[ADDR_TEXT_MAX];

	assert_int_equal(netns_connect(client, dst, port), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		socklen_t len = sizeof(sa);

		for (size_t k = 0; k < sizes[i]; k++)
			out[k] = (k + i) * 2654435761U >> 24;
		assert_int_equal(send(client, out, sizes[i], 0), sizes[i]);
		if (!readable(server, WAIT_MS))
			fail_msg("%zu bytes to %s did not arrive", sizes[i], addr_text(dst, text));
		assert_int_equal(recvfrom(server, in, sizeof(in), 0, (struct sockaddr *)&sa, &len),
				 sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
		assert_int_equal(sendto(server, out, sizes[i], 0, (struct sockaddr *)&sa, len),
				 sizes[i]);
		if (!readable(client, WAIT_MS))
			fail_msg("%zu bytes from %s did not arrive", sizes[i],
				 addr_text(dst, text));
		assert_int_equal(recv(client, in, sizeof(in), 0), sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
	}
}

static void svc_97_large_datagrams_through_a_cluster_ip(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		struct weir_addr local = netns_service_addr(VIP_LOCAL, family),
				 outside = netns_service_addr(VIP_OUTSIDE, family);

		exchange(c, "a/pod", "a/other", &local, VIP_PORT);
		exchange(c, "a/pod", "world", &outside, VIP_PORT);
	}
	assert_int_equal(netns_csum_errors(c, "a/pod") + netns_csum_errors(c, "a/other"), 0);
	assert_int_equal(netns_csum_errors(c, "world"), 0);
}

static void large_datagrams_under_policy(void **state)
{
	static const char *const rows[][2] = { { "a/pod", "a/other" },
					       { "a/pod", "world" },
					       { "a/pod", "node" },
					       { "world", "a/pod" },
					       { "node", "a/pod" } };
	struct netns_cluster *c = *state;

	up(c);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int family = 0; family < 2; family++) {
			struct weir_addr dst = address_of(rows[i][1], family);

			exchange(c, rows[i][0], rows[i][1], &dst, PORT);
		}
}

/*
 * What the receiver's stack waits for in vain would show as a reassembly that failed; it must see
 * nothing at all.
 */
static void no_fragment_of_a_denied_datagram_passes(void **state)
{
	static const char *const rows[][2] = { { "a/pod", "a/other" }, { "world", "a/pod" } };
	struct netns_cluster *c = *state;
	static uint8_t out[5000];

	up(c);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int family = 0; family < 2; family++) {
			struct weir_addr dst = address_of(rows[i][1], family);
			_cleanup_(fd_close) int server = socket_of(c, rows[i][1], family, CLOSED);
			_cleanup_(fd_close) int client = socket_of(c, rows[i][0], family, 0);

			assert_int_equal(netns_connect(client, &dst, CLOSED), 0);
			assert_int_equal(send(client, out, sizeof(out), 0), sizeof(out));
			assert_false(readable(server, NOTHING_MS));
			assert_int_equal(netns_fragments_seen(c, rows[i][1]), 0);
		}
}

/* ---- VLAN tags ---- */

/* A frame as it is, out of the pod's device. */
static void send_frame(const struct netns_cluster *c, const struct packet *packet)
{
	_cleanup_(fd_close) int ns = sandbox_netns(c->name, "a/pod", NULL);
	_cleanup_(netns_leave) int back = -1;
	_cleanup_(fd_close) int fd = -1;
	struct sockaddr_ll to = { .sll_family = AF_PACKET };

	assert_true(ns >= 0);
	assert_int_equal(netns_enter(ns, &back, NULL), 0);
	to.sll_ifindex = if_nametoindex("eth0");
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0 && to.sll_ifindex);
	assert_int_equal(
		sendto(fd, packet->data, packet->len, 0, (struct sockaddr *)&to, sizeof(to)),
		packet->len);
}

static void a_vlan_tag_takes_nothing_past_the_policy(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int server = socket_of(c, "a/other", family, PORT);
		struct packet_spec spec = { .src = netns_pod_addr(POD, family),
					    .dst = netns_pod_addr(OTHER, family),
					    .proto = IPPROTO_UDP,
					    .sport = 4000,
					    .dport = PORT,
					    .payload = 8,
					    .src_mac = { 2 },
					    .dst_mac = { 2, 0, 0, 0, 0, 0xfe } };
		struct packet plain = packet_build(&spec), tagged;
		char buf[16];

		spec.vlan = 7;
		tagged = packet_build(&spec);
		send_frame(c, &tagged);
		assert_false(readable(server, NOTHING_MS));
		send_frame(c, &plain); /* the tag was all that was wrong */
		assert_true(readable(server, WAIT_MS));
		assert_int_equal(recv(server, buf, sizeof(buf), 0), 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(svc_97_large_datagrams_through_a_cluster_ip, NETNS_DROP_FORWARD),
		netns_test_needs(large_datagrams_under_policy, NETNS_DROP_FORWARD),
		netns_test(no_fragment_of_a_denied_datagram_passes),
		netns_test(a_vlan_tag_takes_nothing_past_the_policy),
	};

	return netns_run("traffic_fragment", tests, ARRAY_SIZE(tests));
}
