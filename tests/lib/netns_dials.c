// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See netns_dials.h. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/mem.h"
#include "lib/netns_dials.h"

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

bool netns_dials_done(const struct netns_dials *d)
{
	return d->ok + d->late + d->failed == d->n;
}

static void end_dial(struct netns_dial *dial)
{
	fd_close(&dial->fd);
	dial->began_us = 0;
}

static void end_failed(struct netns_dials *d, struct netns_dial *dial, int error)
{
	d->failed++;
	d->error = error;
	end_dial(dial);
}

static int start_connect(int fd, const struct weir_addr *to, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = to->w[3] };

	memcpy(&v6.sin6_addr, to->b, 16);
	return addr_family(to) ? connect(fd, (struct sockaddr *)&v6, sizeof(v6))
			       : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
}

static void begin(struct netns_dials *d, struct netns_dial *dial)
{
	const struct weir_addr *to = &d->to[d->begun++ % ARRAY_SIZE(d->to)];

	*dial = (struct netns_dial){ .began_us = now_us() };
	dial->fd = socket(addr_family(to) ? AF_INET6 : AF_INET,
			  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(dial->fd >= 0);
	if (start_connect(dial->fd, to, d->port) && errno != EINPROGRESS)
		end_failed(d, dial, errno);
}

static void begin_some(struct netns_dials *d)
{
	unsigned int window = d->window < NETNS_DIALS_WINDOW ? d->window : NETNS_DIALS_WINDOW;

	for (unsigned int i = 0; i < window && d->begun < d->n; i++)
		if (!d->dials[i].began_us)
			begin(d, &d->dials[i]);
}

static void connected(struct netns_dials *d, struct netns_dial *dial)
{
	socklen_t size = sizeof(int);
	int error = 0;

	getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error && send(dial->fd, "?\n", 2, MSG_NOSIGNAL) != 2)
		error = errno;
	if (error)
		end_failed(d, dial, error);
	else
		dial->asked = true;
}

static void answered(struct netns_dials *d, struct netns_dial *dial)
{
	uint64_t us = now_us() - dial->began_us;
	char line[256];
	ssize_t n = recv(dial->fd, line, sizeof(line), 0);

	if (n <= 0) {
		end_failed(d, dial, n ? errno : ECONNRESET);
		return;
	}
	d->ok++;
	if (us > d->slowest_us)
		d->slowest_us = us;
	end_dial(dial);
}

static void take(struct netns_dials *d, struct netns_dial *dial, short events)
{
	/* the time first: an answer that came too late does not count */
	if (now_us() - dial->began_us > d->limit_ms * 1000ull) {
		d->late++;
		end_dial(dial);
	} else if (events && dial->asked) {
		answered(d, dial);
	} else if (events) {
		connected(d, dial);
	}
}

void netns_dials_turn(struct netns_dials *lanes, size_t n_lanes, int wait_ms)
{
	struct pollfd fds[n_lanes][NETNS_DIALS_WINDOW];

	memset(fds, 0, sizeof(fds));
	for (size_t l = 0; l < n_lanes; l++) {
		begin_some(&lanes[l]);
		for (int i = 0; i < NETNS_DIALS_WINDOW; i++) {
			const struct netns_dial *dial = &lanes[l].dials[i];

			fds[l][i].fd = dial->began_us ? dial->fd : -1;
			fds[l][i].events = dial->asked ? POLLIN : POLLOUT;
		}
	}
	poll(fds[0], n_lanes * NETNS_DIALS_WINDOW, wait_ms);
	for (size_t l = 0; l < n_lanes; l++)
		for (int i = 0; i < NETNS_DIALS_WINDOW; i++)
			if (lanes[l].dials[i].began_us)
				take(&lanes[l], &lanes[l].dials[i], fds[l][i].revents);
}
