// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_delay.h. A program on eth0 redirects what the pod sends to one end of a veth; the
 * process reads it from the other end, and later sends it by eth0 past that program. Frames keep
 * their virtio header, which has the state of checksum and segmentation.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/netns.h"
#include "lib/netns_delay.h"
#include "lib/netns_tc.h"

#define FRAME_MAX (66 * 1024) /* segments of 64 KiB, and headers */
#define WAITING 4096 /* frames; more are lost */

struct frame {
	uint64_t due_ms;
	size_t len;
	uint8_t *data;
};

struct relay {
	struct frame waiting[WAITING]; /* first in, first out */
	size_t first, n;
	int in, out, rtt_ms;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* A packet socket in the calling thread's namespace; proto 0: it receives nothing. */
static int packet_socket(const char *device, int proto)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(proto) };
	int on = 1, size = 8 << 20, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	at.sll_ifindex = if_nametoindex(device);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    (!proto && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on))) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail_msg("packet socket on %s: %s", device, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void receive(struct relay *r)
{
	static uint8_t buf[FRAME_MAX];
	struct frame *f = &r->waiting[(r->first + r->n) % WAITING];
	struct sockaddr_ll from = {};
	socklen_t size = sizeof(from);
	ssize_t len =
		recvfrom(r->in, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &size);

	if (len <= 0 || from.sll_pkttype == PACKET_OUTGOING || r->n == WAITING)
		return;
	*f = (struct frame){ now_ms() + r->rtt_ms, len, mem_zalloc(len) };
	memcpy(f->data, buf, len);
	r->n++;
}

static void send_due(struct relay *r)
{
	while (r->n && r->waiting[r->first].due_ms <= now_ms()) {
		struct frame *f = &r->waiting[r->first];
		ssize_t sent = send(r->out, f->data, f->len, 0);

		if (sent < 0 && errno == ENOBUFS)
			return; /* later */
		free(f->data);
		r->first = (r->first + 1) % WAITING;
		r->n--;
	}
}

static void relay(struct relay *r)
{
	struct pollfd p = { .fd = r->in, .events = POLLIN };

	for (;;) {
		int64_t wait = r->n ? (int64_t)(r->waiting[r->first].due_ms - now_ms()) : -1;

		if (poll(&p, 1, r->n && wait < 1 ? 1 : wait) > 0)
			receive(r);
		send_due(r);
	}
}

static void make_devices(const struct netns_cluster *c, const char *where)
{
	_cleanup_(netns_leave) int back = -1;

	netns_cluster_enter(c, where, &back);
	if (system("ip link add delay0 type veth peer name delay1 && "
		   "ip link set delay0 addrgenmode none up && "
		   "ip link set delay1 addrgenmode none up"))
		fail_msg("no veth in %s", where);
}

void netns_delay_start(const struct netns_cluster *c, const char *where, int rtt_ms,
		       struct netns_delay *d)
{
	static struct relay r;
	_cleanup_(netns_leave) int back = -1;

	make_devices(c, where);
	netns_cluster_enter(c, where, &back);
	r = (struct relay){ .in = packet_socket("delay1", ETH_P_ALL),
			    .out = packet_socket("eth0", 0),
			    .rtt_ms = rtt_ms };
	netns_leave(&back);
	netns_tc_redirect(c, where, "delay0");
	fflush(stdout);
	d->pid = fork();
	if (!d->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		relay(&r);
	}
	fd_close(&r.in);
	fd_close(&r.out);
	assert_true(d->pid > 0);
}

void netns_delay_stop(struct netns_delay *d)
{
	if (d->pid <= 0)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
	d->pid = 0;
}
