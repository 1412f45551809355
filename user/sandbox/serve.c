// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The loop of a server: one epoll, dual-stack sockets, no state but a socket's port. Answers name
 * the pod, the port and the client's address as seen here, so that tests can check translation from
 * either side. Must never block on a client.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/mem.h"
#include "sandbox/serve.h"

enum role {
	LISTENER,
	DATAGRAMS,
	CONNECTION,
};

/* User data of an epoll event. */
union tag {
	uint64_t word;
	struct {
		uint32_t fd;
		uint16_t port;
		uint16_t role;
	};
};

static int loop_fd = -1;

static int watch(int fd, uint16_t port, enum role role)
{
	union tag tag = { .fd = fd, .port = port, .role = role };
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag.word };

	return epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_port(const struct server_port *p)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(p->port) };
	bool stream = p->proto == IPPROTO_TCP;
	int on = 1, off = 0, r;
	int fd = socket(AF_INET6,
			(stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (stream)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || (stream && listen(fd, 256)))
		r = -errno;
	else
		r = watch(fd, p->port, stream ? LISTENER : DATAGRAMS);
	if (r)
		close(fd);
	return r;
}

int serve_open(const struct server_spec *spec)
{
	int r = 0;

	loop_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop_fd < 0)
		return -errno;
	for (size_t i = 0; i < spec->n_ports && !r; i++) {
		r = open_port(&spec->ports[i]);
		if (r == -EADDRINUSE && spec->temporary)
			r = 0;
	}
	return r;
}

static int describe(char *buf, size_t size, const char *label, uint16_t port,
		    const struct sockaddr_in6 *client)
{
	struct weir_addr from;
	char text[ADDR_TEXT_MAX];

	memcpy(from.b, &client->sin6_addr, sizeof(from.b));
	return snprintf(buf, size, "%s %u %s %u\n", label, port, addr_text(&from, text),
			ntohs(client->sin6_port));
}

static void answer_datagram(const char *label, const union tag *tag)
{
	struct sockaddr_in6 client = {};
	socklen_t len = sizeof(client);
	char buf[2048];
	int n;

	if (recvfrom(tag->fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&client, &len) < 0)
		return;
	n = describe(buf, sizeof(buf), label, tag->port, &client);
	sendto(tag->fd, buf, n, MSG_DONTWAIT, (struct sockaddr *)&client, len);
}

static void answer_stream(const char *label, const union tag *tag)
{
	struct sockaddr_in6 client = {};
	socklen_t len = sizeof(client);
	char buf[4096], line[512], http[1024];
	ssize_t n = recv(tag->fd, buf, sizeof(buf), MSG_DONTWAIT);
	bool is_http = n >= 4 && !memcmp(buf, "GET ", 4);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !getpeername(tag->fd, (struct sockaddr *)&client, &len)) {
		n = describe(line, sizeof(line), label, tag->port, &client);
		if (is_http)
			n = snprintf(http, sizeof(http),
				     "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
				     "Content-Length: %zd\r\nConnection: close\r\n\r\n%s",
				     n, line);
		if (send(tag->fd, is_http ? http : line, n, MSG_DONTWAIT | MSG_NOSIGNAL) == n &&
		    !is_http)
			return;
	}
	close(tag->fd);
}

static void accept_client(const union tag *tag)
{
	int fd = accept4(tag->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && watch(fd, tag->port, CONNECTION))
		close(fd);
}

void serve_loop(const char *label)
{
	struct epoll_event events[64];

	for (;;) {
		int n = epoll_wait(loop_fd, events, ARRAY_SIZE(events), -1);

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++) {
			union tag tag = { .word = events[i].data.u64 };

			if (tag.role == LISTENER)
				accept_client(&tag);
			else if (tag.role == DATAGRAMS)
				answer_datagram(label, &tag);
			else
				answer_stream(label, &tag);
		}
	}
}
