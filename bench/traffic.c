// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Requests and responses over TCP. See traffic.h. Client and server have one thread each, on epoll,
 * and allocate no memory while the clock runs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "sandbox/netns.h"
#include "traffic.h"

#define BYTES 64
#define EVENTS 64
#define STALL_MS 2000 /* without a response: the path is broken */

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bench: traffic: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void enter(const char *netns)
{
	struct weir_err err = {};
	int fd = netns_open(netns, &err);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(netns);
	close(fd);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll");
}

/* ---- Server ---- */

static void serve_one(int fd)
{
	char buf[BYTES];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n == BYTES) {
		buf[0] = 'r';
		if (send(fd, buf, BYTES, MSG_NOSIGNAL) == BYTES)
			return;
	}
	if (n < 0 && errno == EAGAIN)
		return;
	close(fd);
}

static void __attribute__((noreturn)) serve(int listener)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), one = 1;

	watch(epoll, listener);
	for (;;) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != listener) {
				serve_one(fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
			       0) {
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				watch(epoll, fd);
			}
		}
	}
}

static pid_t start_server(const char *netns)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(TRAFFIC_PORT) };
	int ready[2], one = 1, fd;
	char byte;
	pid_t pid;

	if (pipe(ready) || (pid = fork()) < 0)
		die("fork");
	if (!pid) {
		enter(netns);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 1024))
			die("listen");
		if (write(ready[1], "r", 1) != 1)
			die("pipe");
		serve(fd);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the server did not start");
	close(ready[0]);
	return pid;
}

/* ---- Client ---- */

struct client {
	const struct traffic_slice *slice;
	struct sockaddr_in to;
	int epoll;
	int fds[TRAFFIC_CONNECTIONS_MAX];
	uint64_t exchanges;
};

static void connect_one(struct client *c, int slot)
{
	struct epoll_event e = { .events = EPOLLOUT, .data.u32 = slot };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&c->to, sizeof(c->to)) && errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll");
	c->fds[slot] = fd;
}

static void request(int fd)
{
	char buf[BYTES] = "q";

	if (send(fd, buf, BYTES, MSG_NOSIGNAL) != BYTES)
		die("send");
}

static void on_event(struct client *c, const struct epoll_event *e)
{
	struct epoll_event answer = { .events = EPOLLIN, .data.u32 = e->data.u32 };
	int fd = c->fds[e->data.u32];
	char buf[BYTES];

	if (e->events & EPOLLOUT) {
		request(fd);
		if (epoll_ctl(c->epoll, EPOLL_CTL_MOD, fd, &answer))
			die("epoll");
		return;
	}
	if (recv(fd, buf, sizeof(buf), 0) != BYTES || buf[0] != 'r')
		die("a response is short or not the server's");
	c->exchanges++;
	if (c->slice->mode == TRAFFIC_RR) {
		request(fd);
		return;
	}
	close(fd);
	connect_one(c, e->data.u32);
}

static void exchange_until(struct client *c, double end)
{
	while (now_s() < end) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(c->epoll, events, EVENTS, STALL_MS);

		if (!n) {
			errno = ETIMEDOUT;
			die(inet_ntoa(c->to.sin_addr));
		}
		for (int i = 0; i < n; i++)
			on_event(c, &events[i]);
	}
}

#define WARM_S 0.03
#define SETTLE_US 15000 /* until connections are closed: the next variant does not know them */

static double run_slice(const struct traffic_slice *slice)
{
	struct client c = { .slice = slice,
			    .to = { .sin_family = AF_INET,
				    .sin_addr.s_addr = slice->addr_be,
				    .sin_port = htons(slice->port) },
			    .epoll = epoll_create1(EPOLL_CLOEXEC) };
	double start;

	for (int i = 0; i < slice->connections; i++)
		connect_one(&c, i);
	exchange_until(&c, now_s() + WARM_S);
	c.exchanges = 0;
	start = now_s();
	exchange_until(&c, start + slice->seconds);
	start = now_s() - start;
	for (int i = 0; i < slice->connections; i++)
		close(c.fds[i]);
	usleep(SETTLE_US);
	close(c.epoll);
	return c.exchanges / start;
}

static void __attribute__((noreturn)) follow(int ask, int answer)
{
	struct traffic_slice slice;
	double rate;

	while (read(ask, &slice, sizeof(slice)) == sizeof(slice)) {
		rate = run_slice(&slice);
		if (write(answer, &rate, sizeof(rate)) != sizeof(rate))
			break;
	}
	_exit(0);
}

static void settings(void)
{
	struct weir_err err = {};

	/* TIME-WAIT holds a port of the client for a minute: use many, and each after a second */
	if (netns_sysctl("ipv4/ip_local_port_range", "1024 65000", &err) ||
	    netns_sysctl("ipv4/tcp_tw_reuse", "1", &err))
		die(err.text);
}

void traffic_start(struct traffic *t, const char *client_netns, const char *server_netns)
{
	int ask[2], answer[2];

	t->server = start_server(server_netns);
	if (pipe(ask) || pipe(answer) || (t->client = fork()) < 0)
		die("fork");
	if (!t->client) {
		close(ask[1]);
		enter(client_netns);
		settings();
		follow(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	t->ask = ask[1];
	t->answer = answer[0];
}

void traffic_stop(struct traffic *t)
{
	close(t->ask);
	close(t->answer);
	kill(t->client, SIGTERM);
	kill(t->server, SIGTERM);
	waitpid(t->client, NULL, 0);
	waitpid(t->server, NULL, 0);
}

double traffic_run(struct traffic *t, const struct traffic_slice *slice)
{
	double rate;

	if (write(t->ask, slice, sizeof(*slice)) != sizeof(*slice) ||
	    read(t->answer, &rate, sizeof(rate)) != sizeof(rate)) {
		fprintf(stderr, "bench: the client died\n");
		exit(1);
	}
	return rate;
}
