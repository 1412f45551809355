// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_cluster.h: sockets in the namespaces of a cluster. A socket stays in the namespace that
 * it was made in.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_cluster.h"
#include "sandbox/netns.h"

#define ANSWER_MS                                                                                \
	500 /* longer than any answer takes here, shorter than the first retransmission of a SYN \
	     */

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

static int socket_in(const struct netns_cluster *c, const char *where, int family, int type,
		     int proto)
{
	_cleanup_(fd_close) int ns = sandbox_netns(c->name, where, NULL);
	_cleanup_(netns_leave) int back = -1;
	int fd;

	if (ns < 0 || netns_enter(ns, &back, NULL))
		fail_msg("no namespace for %s", where);
	fd = socket(family ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
	if (fd < 0)
		fail_msg("socket in %s: %s", where, strerror(errno));
	return fd;
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

static int wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n = poll(&p, 1, timeout_ms);

	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

int netns_connect(int fd, const struct weir_addr *dst, uint16_t port)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(&sa, addr_family(dst), dst, port), size = sizeof(int);
	int error = 0, r;

	if (!connect(fd, (struct sockaddr *)&sa, len))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	r = wait_for(fd, POLLOUT, ANSWER_MS);
	if (r)
		return r;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return -error;
}

int netns_listen(int fd, int timeout_ms, char *line, size_t size)
{
	char buf[512];
	ssize_t n;
	int r = wait_for(fd, POLLIN, timeout_ms);

	if (r)
		return r;
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
	_cleanup_(fd_close) int ns = sandbox_netns(c->name, from, NULL);
	_cleanup_(netns_leave) int back = -1;

	if (ns < 0 || netns_enter(ns, &back, NULL) ||
	    netns_sysctl("ipv4/ping_group_range", "0 2147483647", NULL))
		fail_msg("no ping from %s", from);
	return socket_in(c, from, family, SOCK_DGRAM,
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
	int r;

	request[7] = 1; /* sequence; the kernel fills in the id and the checksum */
	if (bind(fd, (struct sockaddr *)&sa, len))
		return -errno;
	len = socket_address(&sa, family, dst, 0);
	if (sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&sa, len) < 0)
		return -errno;
	r = wait_for(fd, POLLIN, ANSWER_MS);
	if (r)
		return r;
	if (recv(fd, reply, sizeof(reply), 0) < 8)
		return -EIO;
	return reply[0] == (family ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ? 0 : -EPROTO;
}
