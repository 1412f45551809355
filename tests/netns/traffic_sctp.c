// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * SCTP through a cluster IP: packets by raw sockets, because kernels may lack SCTP sockets. In both
 * directions the packet arrives with the right addresses and ports, and with the CRC32c that the
 * test computes over all of it.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/netns_socket.h"
#include "lib/packet.h"

#define CLIENT 9
#define SERVER 10
#define VIP 50
#define CLIENT_PORT 20000 /* below the ephemeral ports */
#define PORT 9000
#define VIP_PORT 90
#define HEADER 16 /* common header and chunk header */
#define LEN_MAX 1400
#define WAIT_MS 2000
#define INIT 1
#define INIT_ACK 2

struct message {
	struct weir_addr from;
	uint8_t bytes[2048];
	size_t len;
};

static void up(struct netns_cluster *c, const char *policy)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "s:SCTP:1");
	netns_pod(f, "a", "server", "server", SERVER, "assoc:SCTP:9000");
	netns_service(f, "a", "service", "server", VIP, "assoc:SCTP:90:assoc");
	if (policy)
		netns_policy(f, "a", "policy", "server", policy);
	fclose(f);
	netns_cluster_up(c, text);
}

static int raw_socket(const struct netns_cluster *c, const char *where, int family)
{
	return netns_raw_socket(c, where, family, IPPROTO_SCTP);
}

static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static bool crc_is_right(const struct message *m)
{
	uint8_t copy[sizeof(m->bytes)];
	uint32_t crc;

	memcpy(copy, m->bytes, m->len);
	memset(copy + 8, 0, 4);
	crc = crc32c(copy, m->len);
	return !memcmp(&crc, m->bytes + 8, 4);
}

static void send_message(int fd, const struct weir_addr *to, uint16_t sport, uint16_t dport,
			 uint8_t chunk, size_t len)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = to->w[3] };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	uint16_t ports[2] = { htons(sport), htons(dport) };
	uint8_t bytes[LEN_MAX] = {};
	uint32_t crc;

	for (size_t i = HEADER; i < len; i++)
		bytes[i] = i * 7;
	memcpy(bytes, ports, sizeof(ports));
	bytes[12] = chunk;
	bytes[14] = (len - 12) >> 8;
	bytes[15] = (len - 12) & 0xff;
	crc = crc32c(bytes, len);
	memcpy(bytes + 8, &crc, sizeof(crc));
	memcpy(&v6.sin6_addr, to->b, 16);
	if (weir_addr_is_v4(to))
		assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&v4, sizeof(v4)),
				 len);
	else
		assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&v6, sizeof(v6)),
				 len);
}

static bool receive(int fd, int wait_ms, struct message *ret)
{
	struct sockaddr_storage sa;
	socklen_t sa_len = sizeof(sa);
	ssize_t n;

	if (!netns_wait(fd, POLLIN, wait_ms))
		return false;
	n = recvfrom(fd, ret->bytes, sizeof(ret->bytes), 0, (struct sockaddr *)&sa, &sa_len);
	assert_true(n > 0);
	ret->len = n;
	ret->from = netns_sockaddr(&sa, NULL);
	if (sa.ss_family == AF_INET) {
		size_t header = (ret->bytes[0] & 0xf) * 4;

		ret->len -= header;
		memmove(ret->bytes, ret->bytes + header, ret->len);
	}
	return true;
}

static void assert_message(int fd, const struct weir_addr *from, uint16_t sport, uint16_t dport,
			   uint8_t chunk, size_t len)
{
	struct message m;

	assert_true(receive(fd, WAIT_MS, &m));
	assert_int_equal(m.len, len);
	assert_true(weir_addr_equal(&m.from, from));
	assert_int_equal(m.bytes[0] << 8 | m.bytes[1], sport);
	assert_int_equal(m.bytes[2] << 8 | m.bytes[3], dport);
	assert_int_equal(m.bytes[12], chunk);
	assert_true(crc_is_right(&m));
}

static void exchange(const struct netns_cluster *c, int family, uint16_t client_port, size_t len)
{
	_cleanup_(fd_close) int client = raw_socket(c, "a/client", family),
				server = raw_socket(c, "a/server", family);
	struct weir_addr vip = netns_service_addr(VIP, family), me = netns_pod_addr(CLIENT, family);

	send_message(client, &vip, client_port, VIP_PORT, INIT, len);
	assert_message(server, &me, client_port, PORT, INIT, len);
	send_message(server, &me, PORT, client_port, INIT_ACK, len);
	assert_message(client, &vip, VIP_PORT, client_port, INIT_ACK, len);
}

static void sctp_goes_through_a_cluster_ip_and_back(void **state)
{
	static const size_t lengths[] = { HEADER, 17, 36, 255, 256, 1023, LEN_MAX };
	struct netns_cluster *c = *state;

	up(c, NULL);
	for (int offload = 1; offload >= 0; offload--) {
		netns_offload(c, "a/client", offload);
		netns_offload(c, "a/server", offload);
		for (int family = 0; family < 2; family++)
			for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
				exchange(c, family, CLIENT_PORT + i, lengths[i]);
	}
}

/*
 * A frame whose CRC32c the device is to complete (CHECKSUM_PARTIAL), as kernels with SCTP send it:
 * the field is 0.
 */
static void send_partial(const struct netns_cluster *c, int family, uint16_t client_port)
{
	struct packet_spec spec = {
		.src = netns_pod_addr(CLIENT, family),
		.dst = netns_service_addr(VIP, family),
		.proto = IPPROTO_SCTP,
		.sport = client_port,
		.dport = VIP_PORT,
		.sctp_chunk = INIT,
		.payload = 20,
		.dst_mac = { 2, 2 },
	};
	struct packet p;
	unsigned int l4;
	struct virtio_net_hdr vnet = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_offset = 8 };
	_cleanup_(fd_close) int fd = netns_packet_socket(c, "a/client");
	uint8_t frame[sizeof(vnet) + PACKET_MAX];
	int on = 1;

	netns_mac(c, "a/client", spec.src_mac);
	p = packet_build(&spec);
	l4 = vnet.csum_start = packet_l4_offset(&p);
	memset(p.data + l4 + 8, 0, 4);
	memcpy(frame, &vnet, sizeof(vnet));
	memcpy(frame + sizeof(vnet), p.data, p.len);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	assert_int_equal(send(fd, frame, sizeof(vnet) + p.len, 0), sizeof(vnet) + p.len);
}

static void a_crc32c_that_a_device_completes_is_left_to_it(void **state)
{
	struct netns_cluster *c = *state;
	struct message m;

	up(c, NULL);
	netns_offload(c, "a/client", true); /* else the kernel computes the CRC32c */
	netns_offload(c, "node", true);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int server = raw_socket(c, "a/server", family);

		send_partial(c, family, CLIENT_PORT);
		assert_true(receive(server, WAIT_MS, &m));
		assert_int_equal(m.bytes[2] << 8 | m.bytes[3], PORT);
		assert_memory_equal(m.bytes + 8, "\0\0\0\0", 4);
	}
}

static void np_46_a_policy_sees_the_backends_sctp_port(void **state)
{
	struct netns_cluster *c = *state;
	struct message m;

	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int client = -1, server = -1;
		struct weir_addr vip = netns_service_addr(VIP, family);

		up(c, "ingress: [{ports: [{port: 9000, protocol: SCTP}]}]");
		exchange(c, family, CLIENT_PORT, 40);
		up(c, "ingress: [{ports: [{port: 90, protocol: SCTP}, {port: 9000}]}]");
		client = raw_socket(c, "a/client", family);
		server = raw_socket(c, "a/server", family);
		send_message(client, &vip, CLIENT_PORT + 1, VIP_PORT, INIT, 40);
		assert_false(receive(server, 300, &m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(sctp_goes_through_a_cluster_ip_and_back),
		netns_test(a_crc32c_that_a_device_completes_is_left_to_it),
		netns_test(np_46_a_policy_sees_the_backends_sctp_port),
	};

	return netns_run("traffic_sctp", tests, ARRAY_SIZE(tests));
}
