// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One exchange for each probe: connect, send a line, read a line. A bounded number runs at a time,
 * each with its own deadline, so that a matrix of denials costs one timeout per batch, not per
 * cell.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/connect.h"

#define ATTEMPTS_MAX 256

struct attempt {
	struct sandbox_probe *probe;
	uint64_t begun_us;
	bool connected;
};

struct batch {
	struct pollfd fds[ATTEMPTS_MAX];
	struct attempt attempts[ATTEMPTS_MAX];
	size_t n;
	unsigned int timeout_ms;
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static socklen_t socket_address(const struct sandbox_probe *p, struct sockaddr_storage *sa)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;

	memset(sa, 0, sizeof(*sa));
	if (weir_addr_is_v4(&p->dst)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(p->port);
		v4->sin_addr.s_addr = p->dst.w[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(p->port);
	memcpy(&v6->sin6_addr, p->dst.b, 16);
	return sizeof(*v6);
}

/*
 * These errors mean that a RST or an ICMP error arrived: a dropped packet gives a timeout. Other
 * errors mean that nothing was sent.
 */
static enum sandbox_measured measured_of_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EACCES:
	case EPERM:
	case EPIPE:
		return SANDBOX_REFUSED;
	case ETIMEDOUT:
		return SANDBOX_DENY;
	default:
		return SANDBOX_UNKNOWN;
	}
}

static void finish(struct batch *b, size_t i, enum sandbox_measured measured)
{
	struct attempt *a = &b->attempts[i];

	a->probe->measured = measured;
	a->probe->us = now_us() - a->begun_us;
	close(b->fds[i].fd);
	b->n--;
	b->fds[i] = b->fds[b->n];
	b->attempts[i] = b->attempts[b->n];
}

/* Of a TCP socket: once it is connected. */
static int send_request(struct batch *b, size_t i)
{
	if (send(b->fds[i].fd, "?\n", 2, MSG_NOSIGNAL) != 2)
		return -errno;
	b->attempts[i].connected = true;
	b->fds[i].events = POLLIN;
	return 0;
}

static int begin(struct batch *b, struct sandbox_probe *p)
{
	struct sockaddr_storage sa;
	socklen_t len = socket_address(p, &sa);
	bool stream = p->proto == IPPROTO_TCP;
	int fd = socket(sa.ss_family,
			(stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	b->fds[b->n] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	b->attempts[b->n] = (struct attempt){ .probe = p, .begun_us = now_us() };
	b->n++;
	if (connect(fd, (struct sockaddr *)&sa, len) && errno != EINPROGRESS)
		r = -errno;
	if (!r && !stream)
		r = send_request(b, b->n - 1);
	if (r)
		finish(b, b->n - 1, measured_of_error(-r));
	return 0;
}

/* The answer begins with the server's label: "ns/pod port …". */
static enum sandbox_measured read_answer(int fd, struct sandbox_probe *p)
{
	char line[512];
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);
	size_t len;

	if (n <= 0)
		return n < 0 ? measured_of_error(errno) : SANDBOX_REFUSED;
	line[n] = 0;
	len = strcspn(line, " \n");
	if (len >= sizeof(p->answer))
		len = sizeof(p->answer) - 1;
	memcpy(p->answer, line, len);
	p->answer[len] = 0;
	return SANDBOX_ALLOW;
}

static void handle_event(struct batch *b, size_t i)
{
	struct attempt *a = &b->attempts[i];
	socklen_t len = sizeof(int);
	int error = 0;

	if (a->connected) {
		finish(b, i, read_answer(b->fds[i].fd, a->probe));
		return;
	}
	getsockopt(b->fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (!error)
		error = -send_request(b, i);
	if (error)
		finish(b, i, measured_of_error(error));
}

/*
 * Waits for the next event or deadline. Iterates backwards: finish() moves the last attempt into
 * the gap.
 */
static int wait_once(struct batch *b)
{
	uint64_t now;

	if (poll(b->fds, b->n, 20) < 0 && errno != EINTR)
		return -errno;
	now = now_us();
	for (size_t i = b->n; i-- > 0;) {
		if (b->fds[i].revents)
			handle_event(b, i);
		else if (now - b->attempts[i].begun_us > b->timeout_ms * 1000ull)
			finish(b, i, SANDBOX_DENY);
	}
	return 0;
}

int connect_all(struct sandbox_probe **probes, size_t n, unsigned int timeout_ms)
{
	_cleanup_(mem_free) struct batch *b = mem_zalloc(sizeof(*b));
	size_t next = 0;
	int r = 0;

	b->timeout_ms = timeout_ms;
	while (!r && (next < n || b->n)) {
		while (!r && next < n && b->n < ATTEMPTS_MAX) {
			struct sandbox_probe *p = probes[next++];

			if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP)
				r = begin(b, p);
		}
		if (!r)
			r = wait_once(b);
	}
	return r;
}
