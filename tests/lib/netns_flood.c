// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_flood.h. Raw sockets send packets with headers of their own: a batch of each family is
 * built once, then only ports or ids change, and the checksum by their difference.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#include "lib/netns_flood.h"
#include "lib/netns_socket.h"
#include "lib/packet.h"

#define BATCH 64
#define FIRST_PORT 1024
#define PORTS 64000
#define SECONDS 60
#define PAYLOAD 16
#define MORE 0x2000 /* of the IPv4 header's fragment offset */
#define FRAGMENT_HEADER 8 /* IPv6 */
#define FRAGMENT_LEN (8 + PAYLOAD)

struct netns_flood_shared {
	int stop;
	uint64_t sent, answered;
};

/* Packets of one family, from the IP header on. */
struct stream {
	int fd, answers;
	uint32_t flow; /* the next one */
	unsigned int l4, len;
	uint8_t packets[BATCH][128];
	struct sockaddr_storage to;
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
};

static int flood_cpu = -1;

void netns_flood_reserve_cpu(void)
{
	cpu_set_t cpus;

	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	if (flood_cpu >= 0 || CPU_COUNT(&cpus) < 2)
		return;
	for (flood_cpu = 0; !CPU_ISSET(flood_cpu, &cpus); flood_cpu++)
		;
	CPU_CLR(flood_cpu, &cpus);
	assert_int_equal(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
}

static void move_to_flood_cpu(void)
{
	cpu_set_t cpus;

	if (flood_cpu < 0)
		return;
	CPU_ZERO(&cpus);
	CPU_SET(flood_cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* ---- Packets ---- */

static struct packet first_packet(const struct netns_flood_spec *spec, int family, int i)
{
	enum netns_flood_kind kind = spec->kind;
	bool segment = kind == NETNS_FLOOD_SEGMENT && i % 2;
	struct packet_spec p = {
		.src = spec->src[family],
		.dst = spec->dst[family],
		.proto = IPPROTO_UDP,
		.sport = FIRST_PORT,
		.dport = spec->port ? spec->port : FIRST_PORT,
		.payload = kind == NETNS_FLOOD_SYN || kind == NETNS_FLOOD_SEGMENT ? 0 : PAYLOAD,
	};

	if (kind == NETNS_FLOOD_SYN || kind == NETNS_FLOOD_SEGMENT) {
		p.proto = IPPROTO_TCP;
		p.tcp_flags = segment ? PSH : SYN;
	} else if (kind == NETNS_FLOOD_ECHO) {
		p.proto = family ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;
		p.icmp_type = family ? ICMPV6_ECHO_REQUEST : ICMP_ECHO;
		p.icmp_id = FIRST_PORT;
	} else if (kind == NETNS_FLOOD_FRAGMENT) {
		p.payload = 2 * FRAGMENT_LEN;
	}
	return packet_build(&p);
}

static unsigned int sum_offset(enum netns_flood_kind kind)
{
	switch (kind) {
	case NETNS_FLOOD_SYN:
	case NETNS_FLOOD_SEGMENT:
		return 16;
	case NETNS_FLOOD_ECHO:
		return 2;
	default:
		return 6;
	}
}

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/* Changes a word that the checksum covers (RFC 1624). */
static void change(uint8_t *word, uint16_t value, uint8_t *sum_at)
{
	uint32_t sum = (uint16_t)~get16(sum_at) + (uint16_t)~get16(word) + value;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(word, value);
	put16(sum_at, ~sum);
}

static void set_flow(const struct netns_flood_spec *spec, struct stream *s, uint8_t *packet,
		     uint32_t flow)
{
	uint8_t *l4 = packet + s->l4, *sum = l4 + sum_offset(spec->kind);
	uint16_t port = FIRST_PORT + flow % PORTS;

	if (spec->kind == NETNS_FLOOD_ECHO) {
		change(l4 + 4, port, sum);
		return;
	}
	change(l4, port, sum);
	if (!spec->port)
		change(l4 + 2, FIRST_PORT + flow / PORTS % PORTS, sum);
	if (spec->kind != NETNS_FLOOD_FRAGMENT)
		return;
	/* the id: of the IPv4 header, whose sum the kernel fills in, or of the fragment header */
	if (packet[0] >> 4 == 4)
		put16(packet + 4, flow + 1);
	else
		put16(l4 - 2, flow);
}

static void fill(const struct netns_flood_spec *spec, struct stream *s)
{
	int flows_of = spec->kind == NETNS_FLOOD_SEGMENT ? 2 : 1;

	for (int i = 0; i < BATCH; i++) {
		set_flow(spec, s, s->packets[i], s->flow + i / flows_of);
		s->iov[i] = (struct iovec){ s->packets[i], s->len };
		s->messages[i].msg_hdr = (struct msghdr){ .msg_name = &s->to,
							  .msg_namelen = sizeof(s->to),
							  .msg_iov = &s->iov[i],
							  .msg_iovlen = 1 };
	}
	s->flow += BATCH / flows_of;
}

/* ---- The process ---- */

static void open_stream(const struct netns_cluster *c, const struct netns_flood_spec *spec,
			int family, struct stream *s)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s->to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s->to;
	int size = 4 << 20;

	s->fd = netns_raw_socket(c, spec->from, family, IPPROTO_RAW);
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	s->answers = -1;
	if (spec->kind == NETNS_FLOOD_ANSWERED) {
		s->answers = netns_socket_at(c, spec->answers_in, &spec->answers_at[family],
					     IPPROTO_UDP, spec->answers_port);
		setsockopt(s->answers, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	}
	s->to.ss_family = family ? AF_INET6 : AF_INET;
	if (family)
		memcpy(&v6->sin6_addr, spec->dst[1].b, 16);
	else
		v4->sin_addr.s_addr = spec->dst[0].w[3];
	for (int i = 0; i < BATCH; i++) {
		struct packet p = first_packet(spec, family, i);

		s->l4 = packet_l4_offset(&p) - PACKET_L3;
		if (spec->kind == NETNS_FLOOD_FRAGMENT) {
			p = packet_fragment(&p, 0, FRAGMENT_LEN, 1);
			s->l4 += family ? FRAGMENT_HEADER : 0;
		}
		s->len = p.len - PACKET_L3;
		assert_true(s->len <= sizeof(s->packets[i]));
		memcpy(s->packets[i], p.data + PACKET_L3, s->len);
	}
}

/* Answers all datagrams that came. Returns their number. */
static unsigned int answer(struct stream *s)
{
	static uint8_t buf[BATCH][64];
	static struct sockaddr_storage from[BATCH];
	struct mmsghdr messages[BATCH] = {};
	struct iovec iov[BATCH];
	int n;

	if (s->answers < 0)
		return 0;
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
						       .msg_namelen = sizeof(from[i]),
						       .msg_iov = &iov[i],
						       .msg_iovlen = 1 };
	}
	n = recvmmsg(s->answers, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		iov[i].iov_len = messages[i].msg_len;
	n = n > 0 ? sendmmsg(s->answers, messages, n, MSG_DONTWAIT) : 0;
	return n > 0 ? n : 0;
}

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void flood(const struct netns_flood_spec *spec, struct stream streams[2],
		  struct netns_flood_shared *shared)
{
	time_t end = seconds() + SECONDS;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED) && seconds() < end)
		for (int family = 0; family < 2; family++) {
			struct stream *s = &streams[family];
			int n;

			fill(spec, s);
			n = sendmmsg(s->fd, s->messages, BATCH, MSG_DONTWAIT);
			__atomic_fetch_add(&shared->sent, n > 0 ? n : 0, __ATOMIC_RELAXED);
			__atomic_fetch_add(&shared->answered, answer(s), __ATOMIC_RELAXED);
		}
}

void netns_flood_start(const struct netns_cluster *c, const struct netns_flood_spec *spec,
		       struct netns_flood *f)
{
	static struct stream streams[2];

	memset(streams, 0, sizeof(streams));
	for (int family = 0; family < 2; family++)
		open_stream(c, spec, family, &streams[family]);
	f->shared = mmap(NULL, sizeof(*f->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(f->shared != MAP_FAILED);
	fflush(stdout);
	f->pid = fork();
	if (!f->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		move_to_flood_cpu();
		flood(spec, streams, f->shared);
		_exit(0);
	}
	for (int family = 0; family < 2; family++) {
		fd_close(&streams[family].fd);
		fd_close(&streams[family].answers);
	}
	assert_true(f->pid > 0);
}

uint64_t netns_flood_sent(const struct netns_flood *f)
{
	return __atomic_load_n(&f->shared->sent, __ATOMIC_RELAXED);
}

uint64_t netns_flood_answered(const struct netns_flood *f)
{
	return __atomic_load_n(&f->shared->answered, __ATOMIC_RELAXED);
}

void netns_flood_stop(struct netns_flood *f)
{
	if (f->pid <= 0)
		return;
	__atomic_store_n(&f->shared->stop, 1, __ATOMIC_RELAXED);
	waitpid(f->pid, NULL, 0);
	munmap(f->shared, sizeof(*f->shared));
	f->pid = 0;
}
