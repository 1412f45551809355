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

double traffic_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void traffic_enter(const char *netns)
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
		traffic_enter(netns);
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
	int fds[TRAFFIC_CONNECTIONS_MAX]; /* -1: none */
	double began[TRAFFIC_CONNECTIONS_MAX];
	uint64_t exchanges, failed, slow;
	bool draining; /* ended connections are not replaced */
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
	if (c->slice->lossy)
		c->began[slot] = traffic_now_s();
}

static void next_connection(struct client *c, int slot)
{
	close(c->fds[slot]);
	c->fds[slot] = -1;
	if (!c->draining)
		connect_one(c, slot);
}

static bool request(int fd)
{
	char buf[BYTES] = "q";

	return send(fd, buf, BYTES, MSG_NOSIGNAL) == BYTES;
}

static void failed(struct client *c, int slot, const char *what)
{
	if (!c->slice->lossy)
		die(what);
	c->failed++;
	next_connection(c, slot);
}

static void on_response(struct client *c, int slot)
{
	c->exchanges++;
	if (c->slice->lossy)
		c->slow += traffic_now_s() - c->began[slot] > TRAFFIC_SLOW_S;
	if (c->slice->mode == TRAFFIC_CRR)
		next_connection(c, slot);
	else if (!request(c->fds[slot]))
		failed(c, slot, "send");
}

static void on_event(struct client *c, const struct epoll_event *e)
{
	struct epoll_event answer = { .events = EPOLLIN, .data.u32 = e->data.u32 };
	int slot = e->data.u32, fd = c->fds[slot];
	char buf[BYTES];

	if (e->events & EPOLLOUT) {
		if (!request(fd))
			failed(c, slot, "send");
		else if (epoll_ctl(c->epoll, EPOLL_CTL_MOD, fd, &answer))
			die("epoll");
		return;
	}
	if (recv(fd, buf, sizeof(buf), 0) != BYTES || buf[0] != 'r')
		failed(c, slot, "a response is short or not the server's");
	else
		on_response(c, slot);
}

/* Returns how many events there were. */
static int exchange(struct client *c, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(c->epoll, events, EVENTS, timeout_ms);

	for (int i = 0; i < n; i++)
		on_event(c, &events[i]);
	return n;
}

static void exchange_until(struct client *c, double end)
{
	double now;

	while ((now = traffic_now_s()) < end) {
		int left_ms = 1 + (int)((end - now) * 1e3);

		if (!exchange(c, c->slice->lossy ? left_ms : STALL_MS) && !c->slice->lossy) {
			errno = ETIMEDOUT;
			die(inet_ntoa(c->to.sin_addr));
		}
	}
}

static uint64_t count_open(const struct client *c)
{
	uint64_t n = 0;

	for (int i = 0; i < c->slice->connections; i++)
		n += c->fds[i] >= 0;
	return n;
}

/* Waits for the connections that were begun: those that are still open afterwards are slow. */
static void drain(struct client *c)
{
	double end = traffic_now_s() + TRAFFIC_SLOW_S, now;

	c->draining = true;
	while (count_open(c) && (now = traffic_now_s()) < end)
		exchange(c, 1 + (int)((end - now) * 1e3));
	c->slow += count_open(c);
}

#define WARM_S 0.03
#define SETTLE_US 15000 /* until connections are closed: the next variant does not know them */

static void measure(struct client *c, struct traffic_result *ret_result)
{
	double start;

	exchange_until(c, traffic_now_s() + WARM_S);
	c->exchanges = c->failed = c->slow = 0;
	start = traffic_now_s();
	exchange_until(c, start + c->slice->seconds);
	*ret_result = (struct traffic_result){ .rate = c->exchanges / (traffic_now_s() - start) };
	if (!c->slice->lossy)
		return;
	drain(c);
	ret_result->connections = c->exchanges + c->failed + count_open(c);
	ret_result->failed = c->failed;
	ret_result->slow = c->slow;
}

static struct traffic_result run_slice(const struct traffic_slice *slice)
{
	struct client c = { .slice = slice,
			    .to = { .sin_family = AF_INET,
				    .sin_addr.s_addr = slice->addr_be,
				    .sin_port = htons(slice->port) },
			    .epoll = epoll_create1(EPOLL_CLOEXEC) };
	struct traffic_result result;

	for (int i = 0; i < slice->connections; i++)
		connect_one(&c, i);
	measure(&c, &result);
	for (int i = 0; i < slice->connections; i++)
		if (c.fds[i] >= 0)
			close(c.fds[i]);
	usleep(SETTLE_US);
	close(c.epoll);
	return result;
}

static void __attribute__((noreturn)) follow(int ask, int answer)
{
	struct traffic_slice slice;

	while (read(ask, &slice, sizeof(slice)) == sizeof(slice)) {
		struct traffic_result result = run_slice(&slice);

		if (write(answer, &result, sizeof(result)) != sizeof(result))
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
		traffic_enter(client_netns);
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

struct traffic_result traffic_run(struct traffic *t, const struct traffic_slice *slice)
{
	struct traffic_result result;

	if (write(t->ask, slice, sizeof(*slice)) != sizeof(*slice) ||
	    read(t->answer, &result, sizeof(result)) != sizeof(result)) {
		fprintf(stderr, "bench: the client died\n");
		exit(1);
	}
	return result;
}
