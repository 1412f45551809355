// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Datagrams larger than the MTU between real sockets, through a cluster IP, direct and under
 * policy; and frames with a VLAN tag, which devices move out of the packet before a program sees
 * it.
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
#define WAIT_MS 5000
#define NOTHING_MS 300
#define LARGEST 60000

/*
 * Datagrams there and back, every byte compared: just over the MTU, by one fragment more, and
 * nearly as large as a datagram can be.
 */
static void exchange(const struct netns_cluster *c, const char *from, const char *to,
		     const struct weir_addr *dst, uint16_t port)
{
	static const size_t sizes[] = { 1473, 3000, 9001, LARGEST };
	static uint8_t out[LARGEST], in[LARGEST + 1];
	_cleanup_(fd_close) int server =
		netns_end_socket(c, to, addr_family(dst), IPPROTO_UDP, NETNS_PORT);
	_cleanup_(fd_close) int client =
		netns_end_socket(c, from, addr_family(dst), IPPROTO_UDP, 0);
	struct sockaddr_storage sa;
	char text[ADDR_TEXT_MAX];

	assert_int_equal(netns_connect(client, dst, port), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		socklen_t len = sizeof(sa);

		for (size_t k = 0; k < sizes[i]; k++)
			out[k] = netns_byte(i & 1, k);
		assert_int_equal(send(client, out, sizes[i], 0), sizes[i]);
		if (!netns_wait(server, POLLIN, WAIT_MS))
			fail_msg("%zu bytes to %s did not arrive", sizes[i], addr_text(dst, text));
		assert_int_equal(recvfrom(server, in, sizeof(in), 0, (struct sockaddr *)&sa, &len),
				 sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
		assert_int_equal(sendto(server, out, sizes[i], 0, (struct sockaddr *)&sa, len),
				 sizes[i]);
		if (!netns_wait(client, POLLIN, WAIT_MS))
			fail_msg("%zu bytes from %s did not arrive", sizes[i],
				 addr_text(dst, text));
		assert_int_equal(recv(client, in, sizeof(in), 0), sizes[i]);
		assert_memory_equal(in, out, sizes[i]);
	}
}

static void svc_97_large_datagrams_through_a_cluster_ip(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	for (int family = 0; family < 2; family++) {
		struct weir_addr local = netns_end_vip("a/other", family),
				 outside = netns_end_vip("world", family);

		exchange(c, "a/pod", "a/other", &local, NETNS_VIP_PORT);
		exchange(c, "a/pod", "world", &outside, NETNS_VIP_PORT);
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

	netns_ends_up(c, true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int family = 0; family < 2; family++) {
			struct weir_addr dst = netns_end_addr(rows[i][1], family);

			exchange(c, rows[i][0], rows[i][1], &dst, NETNS_PORT);
		}
}

/* Every fragment that arrives counts as a reassembly request: there must be none. */
static void no_fragment_of_a_denied_datagram_passes(void **state)
{
	static const char *const rows[][2] = { { "a/pod", "a/other" }, { "world", "a/pod" } };
	struct netns_cluster *c = *state;
	static uint8_t out[5000];

	netns_ends_up(c, true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int family = 0; family < 2; family++) {
			struct weir_addr dst = netns_end_addr(rows[i][1], family);
			_cleanup_(fd_close) int server =
				netns_end_socket(c, rows[i][1], family, IPPROTO_UDP, CLOSED);
			_cleanup_(fd_close) int client =
				netns_end_socket(c, rows[i][0], family, IPPROTO_UDP, 0);

			assert_int_equal(netns_connect(client, &dst, CLOSED), 0);
			assert_int_equal(send(client, out, sizeof(out), 0), sizeof(out));
			assert_false(netns_wait(server, POLLIN, NOTHING_MS));
			assert_int_equal(netns_fragments_seen(c, rows[i][1]), 0);
		}
}

/* ---- VLAN tags ---- */

static void a_vlan_tagged_packet_does_not_bypass_policy(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, true);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int server =
			netns_end_socket(c, "a/other", family, IPPROTO_UDP, NETNS_PORT);
		_cleanup_(fd_close) int pod = netns_packet_socket(c, "a/pod");
		struct packet_spec spec = { .src = netns_end_addr("a/pod", family),
					    .dst = netns_end_addr("a/other", family),
					    .proto = IPPROTO_UDP,
					    .sport = 4000,
					    .dport = NETNS_PORT,
					    .payload = 8,
					    .dst_mac = { 2, 0, 0, 0, 0, 0xfe } };
		struct packet plain, tagged;
		char buf[16];

		netns_mac(c, "a/pod", spec.src_mac);
		plain = packet_build(&spec);
		spec.vlan = 7;
		tagged = packet_build(&spec);
		assert_int_equal(send(pod, tagged.data, tagged.len, 0), tagged.len);
		assert_false(netns_wait(server, POLLIN, NOTHING_MS));
		/* without the tag the same packet passes */
		assert_int_equal(send(pod, plain.data, plain.len, 0), plain.len);
		assert_true(netns_wait(server, POLLIN, WAIT_MS));
		assert_int_equal(recv(server, buf, sizeof(buf), 0), 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(svc_97_large_datagrams_through_a_cluster_ip, NETNS_DROP_FORWARD),
		netns_test_needs(large_datagrams_under_policy, NETNS_DROP_FORWARD),
		netns_test(no_fragment_of_a_denied_datagram_passes),
		netns_test(a_vlan_tagged_packet_does_not_bypass_policy),
	};

	return netns_run("traffic_fragment", tests, ARRAY_SIZE(tests));
}
