// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A process that sends datagrams of new flows. See flood.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flood.h"
#include "traffic.h"

#define FIRST (198u << 24 | 18u << 16) /* of FLOOD_NETWORK */
#define ADDRESSES (1u << 17)
#define PORTS 65535
#define BATCH 64
#define DATAGRAMS_MAX 16000000
#define SECONDS_MAX 60

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "bench: flood: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* The first CPU that this process may use. */
static void pin(void)
{
	cpu_set_t allowed, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		die("CPUs");
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("CPUs");
}

struct batch {
	int fd;
	uint64_t n; /* datagrams sent so far, of all floods: no flow is used twice */
	struct sockaddr_in to[BATCH];
	struct mmsghdr messages[BATCH];
};

static void batch_init(struct batch *b)
{
	*b = (struct batch){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	if (b->fd < 0)
		die("socket");
	for (int i = 0; i < BATCH; i++) {
		b->to[i].sin_family = AF_INET;
		b->messages[i].msg_hdr.msg_name = &b->to[i];
		b->messages[i].msg_hdr.msg_namelen = sizeof(b->to[i]);
	}
}

static void batch_send(struct batch *b)
{
	int sent;

	for (int i = 0; i < BATCH; i++) {
		uint64_t n = b->n + i;

		b->to[i].sin_addr.s_addr = htonl(FIRST + n / PORTS % ADDRESSES);
		b->to[i].sin_port = htons(1 + n % PORTS);
	}
	sent = sendmmsg(b->fd, b->messages, BATCH, 0);
	if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
		die("send");
	b->n += sent > 0 ? sent : 0;
}

/* Whether flood_end() asks for the end. */
static bool asked(int ask)
{
	char byte;

	return read(ask, &byte, 1) >= 0;
}

static void set_blocking(int fd, bool blocking)
{
	if (fcntl(fd, F_SETFL, blocking ? 0 : O_NONBLOCK))
		die("pipe");
}

/* A result without seconds: the bounds were reached. */
static struct flood_result run(struct batch *b, uint64_t warm, int ask, int answer)
{
	uint64_t first = b->n, sent = 0;
	double start = traffic_now_s(), seconds = 0;
	bool warmed = false, ends;

	set_blocking(ask, false);
	while (!(ends = asked(ask)) && sent < DATAGRAMS_MAX && seconds < SECONDS_MAX) {
		batch_send(b);
		sent = b->n - first;
		seconds = traffic_now_s() - start;
		if (!warmed && sent >= warm) {
			warmed = true;
			if (write(answer, "w", 1) != 1)
				die("pipe");
		}
	}
	set_blocking(ask, true);
	return (struct flood_result){ sent, ends ? seconds : 0 };
}

static void __attribute__((noreturn)) follow(int ask, int answer)
{
	struct batch b;
	uint64_t warm;

	pin();
	batch_init(&b);
	while (read(ask, &warm, sizeof(warm)) == sizeof(warm)) {
		struct flood_result result = run(&b, warm, ask, answer);

		if (write(answer, &result, sizeof(result)) != sizeof(result))
			break;
	}
	_exit(0);
}

void flood_start(struct flood *f, const char *netns)
{
	int ask[2], answer[2];

	if (pipe(ask) || pipe(answer) || (f->pid = fork()) < 0)
		die("fork");
	if (!f->pid) {
		close(ask[1]);
		close(answer[0]);
		traffic_enter(netns);
		follow(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	f->ask = ask[1];
	f->answer = answer[0];
}

void flood_stop(struct flood *f)
{
	close(f->ask);
	close(f->answer);
	kill(f->pid, SIGTERM);
	waitpid(f->pid, NULL, 0);
}

static void __attribute__((noreturn)) ended(void)
{
	fprintf(stderr, "bench: the flood ended before the measurement\n");
	exit(1);
}

void flood_begin(struct flood *f, uint64_t datagrams)
{
	char byte;

	if (write(f->ask, &datagrams, sizeof(datagrams)) != sizeof(datagrams) ||
	    read(f->answer, &byte, 1) != 1 || byte != 'w')
		ended();
}

struct flood_result flood_end(struct flood *f)
{
	struct flood_result result;

	if (write(f->ask, "e", 1) != 1 ||
	    read(f->answer, &result, sizeof(result)) != sizeof(result) || !result.seconds)
		ended();
	return result;
}
