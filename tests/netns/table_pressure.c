// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The connection table under pressure, with real sockets and small tables: short connections of ten
 * times its capacity beside a thousand live ones, a flood of unanswered SYNs, and gc with no
 * process of Weir alive.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "lib/netns_socket.h"
#include "sandbox/netns.h"

#define CAPACITY 4096 /* conntrack entries */
#define PER_CONNECTION 2 /* a translated connection takes two */
#define HALF_OPEN (CAPACITY / WEIR_HALF_OPEN_PARTS / 2) /* below, no pod is limited */
#define LIVE 1000
#define SHORT (10 * CAPACITY / PER_CONNECTION)
#define FLOOD (10 * HALF_OPEN)
#define SERVER 11 /* host numbers of addresses */
#define CLIENT 10
#define WEB 20
#define PORT 8080

static struct netns_cluster cluster;
static int live[LIVE];

/* For the live connections, here and in the server, which inherits the limit. */
static void allow_many_files(void)
{
	struct rlimit files = { 4 * LIVE, 4 * LIVE };

	if (setrlimit(RLIMIT_NOFILE, &files))
		fail_msg("%d open files are not allowed here: %s", 4 * LIVE, strerror(errno));
}

static int set_up(void **state)
{
	static const struct node_setup small = { .max = {
							 [WEIR_MAP_conntrack] = CAPACITY,
							 [WEIR_MAP_gc_slots] = CAPACITY,
							 [WEIR_MAP_gc_free] = CAPACITY,
						 } };
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (netns_cluster_cannot())
		return 0;
	netns_pod(f, "default", "client", "client", CLIENT, "none:TCP:9");
	netns_pod(f, "default", "server", "server", SERVER, "http:TCP:8080");
	netns_service(f, "default", "web", "server", WEB, "http:TCP:80:http");
	fclose(f);
	allow_many_files();
	netns_cluster_init(&cluster);
	cluster.sizes = &small;
	netns_cluster_up(&cluster, text);
	return 0;
}

static int tear_down(void **state)
{
	if (!netns_cluster_cannot())
		netns_cluster_down(&cluster);
	return 0;
}

/* Runs fn in the client's namespace. */
static void in_client(void (*fn)(void))
{
	_cleanup_(netns_leave) int back = -1;

	netns_cluster_enter(&cluster, "default/client", &back);
	fn();
}

static void many_ports(void)
{
	struct weir_err err = {};

	if (netns_sysctl("ipv4/ip_local_port_range", "1024 65535", &err))
		fail_msg("%s", err.text);
}

static void open_live(void)
{
	struct weir_addr vip = netns_service_addr(WEB, 0);

	for (int i = 0; i < LIVE; i++) {
		live[i] = netns_socket(&cluster, "default/client", 0, IPPROTO_TCP, 0);
		assert_int_equal(netns_connect(live[i], &vip, 80), 0);
		assert_int_equal(netns_ask(live[i], NULL, 0), 0);
	}
}

static void live_connections_answer(void)
{
	int lost = 0;

	for (int i = 0; i < LIVE; i++)
		lost += !!netns_ask(live[i], NULL, 0);
	assert_int_equal(lost, 0);
}

/* Connects, asks, reads the answer and ends by FIN or RST. Blocking; fails after 3 s. */
static int short_connection(const struct sockaddr_in *to, bool reset)
{
	struct linger by_rst = { .l_onoff = reset };
	struct timeval limit = { .tv_sec = 3 };
	_cleanup_(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[256];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &by_rst, sizeof(by_rst));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		return -errno;
	if (send(fd, "?\n", 2, MSG_NOSIGNAL) != 2 || recv(fd, line, sizeof(line), 0) <= 0)
		return -errno;
	return 0;
}

static void short_connections(void)
{
	struct weir_addr vip = netns_service_addr(WEB, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(80),
				  .sin_addr.s_addr = vip.w[3] };

	for (int i = 0; i < SHORT; i++) {
		int r = short_connection(&to, i % 2);

		if (r)
			fail_msg("short connection %d of %d: %s", i, SHORT, strerror(-r));
	}
}

static void no_connection_is_lost_to_short_ones_of_ten_times_the_capacity(void **state)
{
	if (netns_cluster_cannot())
		skip();
	in_client(many_ports);
	open_live();
	in_client(short_connections);
	live_connections_answer();
}

/* SYNs to an unused address, each from another port. Checksums stay 0: no receiver looks. */
static void flood(void)
{
	_cleanup_(fd_close) int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct tcphdr syn = { .doff = 5, .syn = 1, .dest = htons(80) };

	assert_true(fd >= 0);
	inet_pton(AF_INET, "203.0.113.77", &to.sin_addr);
	for (int i = 0; i < FLOOD; i++) {
		syn.source = htons(1024 + i);
		while (sendto(fd, &syn, sizeof(syn), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			assert_int_equal(errno, ENOBUFS);
	}
}

static uint32_t entries(void)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_tuple key, next;
	struct weir_err err = {};
	uint32_t count = 0;
	void *at = NULL;

	if (node_open(cluster.name, NODE_READ, NULL, &n, &err))
		fail_msg("%s", err.text);
	while (!bpf_map_get_next_key(node_map_fd(n, WEIR_MAP_conntrack), at, &next)) {
		key = next;
		at = &key;
		count++;
	}
	return count;
}

static void a_flood_of_syns_ends_no_open_connection_and_leaves_room_for_new_ones(void **state)
{
	struct weir_addr vip = netns_service_addr(WEB, 0);

	if (netns_cluster_cannot())
		skip();
	in_client(flood);
	/* the flood reached the table: below half of it the client is not limited */
	assert_true(entries() >= CAPACITY / 2);
	live_connections_answer();
	assert_int_equal(netns_try(&cluster, "default/client", IPPROTO_TCP, &vip, 80, NULL, 0), 0);
}

static void shorten_timeouts(uint32_t opening, uint32_t closing)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_err err = {};

	if (node_open(cluster.name, NODE_WRITE, NULL, &n, &err))
		fail_msg("%s", err.text);
	node_config(n)->timeout[WEIR_TIMEOUT_TCP_OPENING] = opening;
	node_config(n)->timeout[WEIR_TIMEOUT_TCP_CLOSING] = closing;
}

/* Waits while no process of Weir runs: maps and programs are pinned. */
static uint32_t entries_after(uint32_t want)
{
	struct timespec pause = { .tv_nsec = 200000000 };
	uint32_t n = entries();

	for (int i = 0; i < 100 && n != want; i++) {
		nanosleep(&pause, NULL);
		n = entries();
	}
	return n;
}

static void gc_removes_closed_connections_only_with_no_process_alive(void **state)
{
	if (netns_cluster_cannot())
		skip();
	shorten_timeouts(4, 4);
	assert_int_equal(entries_after(PER_CONNECTION * LIVE), PER_CONNECTION * LIVE);
	live_connections_answer();
	for (int i = 0; i < LIVE; i++)
		fd_close(&live[i]);
	assert_int_equal(entries_after(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_connection_is_lost_to_short_ones_of_ten_times_the_capacity),
		cmocka_unit_test(
			a_flood_of_syns_ends_no_open_connection_and_leaves_room_for_new_ones),
		cmocka_unit_test(gc_removes_closed_connections_only_with_no_process_alive),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (netns_cluster_cannot())
		print_message("# %s\n", netns_cluster_cannot());
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
