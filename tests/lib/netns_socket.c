// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See netns_socket.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_socket.h"
#include "sandbox/netns.h"

/* Longer than any answer takes, shorter than the first retransmission of a SYN. */
#define ANSWER_MS 500

static socklen_t socket_address(struct sockaddr_storage *sa, int family, const struct weir_addr *a,
				uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	if (!family) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		if (a)
			v4->sin_addr.s_addr = a->w[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	if (a)
		memcpy(&v6->sin6_addr, a->b, 16);
	return sizeof(*v6);
}

struct weir_addr netns_sockaddr(const struct sockaddr_storage *sa, uint16_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	struct weir_addr a;

	if (ret_port)
		*ret_port = ntohs(sa->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
	if (sa->ss_family == AF_INET)
		return weir_addr_from_v4(v4->sin_addr.s_addr);
	memcpy(a.b, &v6->sin6_addr, sizeof(a.b));
	return a;
}

static int open_socket(const char *where, int domain, int type, int proto)
{
	int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);

	if (fd < 0)
		fail_msg("socket in %s: %s", where, strerror(errno));
	return fd;
}

static int socket_in(const struct netns_cluster *c, const char *where, int family, int type,
		     int proto)
{
	_cleanup_(netns_leave) int back = -1;

	netns_cluster_enter(c, where, &back);
	return open_socket(where, family ? AF_INET6 : AF_INET, type, proto);
}

int netns_raw_socket(const struct netns_cluster *c, const char *where, int family, int proto)
{
	return socket_in(c, where, family, SOCK_RAW, proto);
}

int netns_packet_socket(const struct netns_cluster *c, const char *where)
{
	_cleanup_(netns_leave) int back = -1;
	struct sockaddr_ll device = { .sll_family = AF_PACKET };
	int fd;

	netns_cluster_enter(c, where, &back);
	fd = open_socket(where, AF_PACKET, SOCK_RAW, 0);
	device.sll_ifindex = if_nametoindex("eth0");
	if (!device.sll_ifindex || bind(fd, (struct sockaddr *)&device, sizeof(device)))
		fail_msg("packet socket on eth0 of %s: %s", where, strerror(errno));
	return fd;
}

void netns_mac(const struct netns_cluster *c, const char *where, uint8_t ret_mac[6])
{
	_cleanup_(fd_close) int fd = socket_in(c, where, 0, SOCK_DGRAM, 0);
	struct ifreq request = { .ifr_name = "eth0" };

	if (ioctl(fd, SIOCGIFHWADDR, &request))
		fail_msg("MAC of eth0 of %s: %s", where, strerror(errno));
	memcpy(ret_mac, request.ifr_hwaddr.sa_data, 6);
}

static int bound_socket(const struct netns_cluster *c, const char *where, int proto,
			const struct sockaddr_storage *sa, socklen_t len)
{
	int on = 1, fd = socket_in(c, where, sa->ss_family == AF_INET6,
				   proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (len && bind(fd, (const struct sockaddr *)sa, len))
		fail_msg("bind in %s: %s", where, strerror(errno));
	return fd;
}

int netns_socket(const struct netns_cluster *c, const char *where, int family, int proto,
		 uint16_t local_port)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&sa, family, NULL, local_port);

	return bound_socket(c, where, proto, &sa, local_port ? len : 0);
}

int netns_socket_at(const struct netns_cluster *c, const char *where, const struct weir_addr *local,
		    int proto, uint16_t local_port)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&sa, addr_family(local), local, local_port);

	return bound_socket(c, where, proto, &sa, len);
}

bool netns_wait(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, timeout_ms) == 1;
}

int netns_connect(int fd, const struct weir_addr *dst, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&sa, addr_family(dst), dst, port), size = sizeof(int);
	int error = 0;

	if (!connect(fd, (struct sockaddr *)&sa, len))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (!netns_wait(fd, POLLOUT, ANSWER_MS))
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

int netns_listen(int fd, int timeout_ms, char *line, size_t size)
{
	char buf[512];
	ssize_t n;

	if (!netns_wait(fd, POLLIN, timeout_ms))
		return -ETIMEDOUT;
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	if (line)
		snprintf(line, size, "%s", buf);
	return 0;
}

int netns_ask(int fd, char *line, size_t size)
{
	if (send(fd, "?\n", 2, MSG_NOSIGNAL) != 2)
		return -errno;
	return netns_listen(fd, ANSWER_MS, line, size);
}

int netns_try(const struct netns_cluster *c, const char *from, int proto,
	      const struct weir_addr *dst, uint16_t port, char *line, size_t size)
{
	_cleanup_(fd_close) int fd = netns_socket(c, from, addr_family(dst), proto, 0);
	int r = netns_connect(fd, dst, port);

	return r ? r : netns_ask(fd, line, size);
}

static int ping_socket(const struct netns_cluster *c, const char *from, int family)
{
	_cleanup_(netns_leave) int back = -1;

	netns_cluster_enter(c, from, &back);
	if (netns_sysctl("ipv4/ping_group_range", "0 2147483647", NULL))
		fail_msg("no ping from %s", from);
	return open_socket(from, family ? AF_INET6 : AF_INET, SOCK_DGRAM,
			   family ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
}

int netns_ping(const struct netns_cluster *c, const char *from, const struct weir_addr *dst,
	       uint16_t id)
{
	int family = addr_family(dst);
	_cleanup_(fd_close) int fd = ping_socket(c, from, family);
	unsigned char request[8] = { family ? ICMP6_ECHO_REQUEST : ICMP_ECHO }, reply[64];
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&sa, family, NULL, id);

	request[7] = 1; /* sequence; the kernel fills in the id and the checksum */
	if (bind(fd, (struct sockaddr *)&sa, len))
		return -errno;
	len = socket_address(&sa, family, dst, 0);
	if (sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&sa, len) < 0)
		return -errno;
	if (!netns_wait(fd, POLLIN, ANSWER_MS))
		return -ETIMEDOUT;
	if (recv(fd, reply, sizeof(reply), 0) < 8)
		return -EIO;
	return reply[0] == (family ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ? 0 : -EPROTO;
}

/* ---- Bytes ---- */

uint8_t netns_byte(int side, size_t offset)
{
	return ((uint32_t)(offset + 1) * 2654435761U >> 24) ^ (side ? 0x5a : 0);
}

static void send_some(int fd, int side, size_t len, size_t *done)
{
	static uint8_t buf[65536];
	size_t n = len - *done < sizeof(buf) ? len - *done : sizeof(buf);
	ssize_t sent;

	for (size_t i = 0; i < n; i++)
		buf[i] = netns_byte(side, *done + i);
	sent = send(fd, buf, n, MSG_NOSIGNAL);
	assert_true(sent > 0 || errno == EAGAIN);
	if (sent > 0)
		*done += sent;
}

static void receive_some(int fd, int side, size_t *done)
{
	static uint8_t buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	assert_true(n > 0);
	for (ssize_t i = 0; i < n; i++)
		if (buf[i] != netns_byte(side, *done + i))
			fail_msg("byte %zu is not the one that was sent", *done + i);
	*done += n;
}

bool netns_bulk(const int fd[2], const size_t len[2], int timeout_ms)
{
	struct pollfd p[2] = { { .fd = fd[0] }, { .fd = fd[1] } };
	size_t sent[2] = {}, got[2] = {}; /* by side that sends */

	while (got[0] < len[0] || got[1] < len[1]) {
		for (int i = 0; i < 2; i++)
			p[i].events = POLLIN | (sent[i] < len[i] ? POLLOUT : 0);
		if (poll(p, 2, timeout_ms) <= 0) {
			print_message(
				"# bulk data stopped: %zu of %zu bytes there, %zu of %zu back\n",
				got[0], len[0], got[1], len[1]);
			return false;
		}
		for (int i = 0; i < 2; i++) {
			if (p[i].revents & POLLOUT)
				send_some(p[i].fd, i, len[i], &sent[i]);
			if (p[i].revents & POLLIN)
				receive_some(p[i].fd, !i, &got[!i]);
		}
	}
	assert_true(got[0] == len[0] && got[1] == len[1]);
	return true;
}
