// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One client port with several connections to the same backend at the same time: directly and
 * through a cluster IP, or through two cluster IPs, in any order.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_socket.h"

#define CLIENT 9
#define BACKEND 10
#define VIP 50
#define OTHER_VIP 51
#define CLIENT_PORT 20000 /* below the ephemeral ports */

enum way {
	DIRECT,
	BY_VIP,
	BY_OTHER_VIP,
};

static void up(struct netns_cluster *c)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "http:TCP:80");
	netns_pod(f, "a", "backend", "backend", BACKEND, "http:TCP:80 dns:UDP:53");
	netns_service(f, "a", "one", "backend", VIP, "web:TCP:80:http names:UDP:53:dns");
	netns_service(f, "a", "two", "backend", OTHER_VIP, "web:TCP:80:http names:UDP:53:dns");
	fclose(f);
	netns_cluster_up(c, text);
	free(text);
}

static struct weir_addr address(enum way way, int family)
{
	if (way == DIRECT)
		return netns_pod_addr(BACKEND, family);
	return netns_service_addr(way == BY_VIP ? VIP : OTHER_VIP, family);
}

static int open_way(struct netns_cluster *c, enum way way, int family, int proto,
		    uint16_t client_port)
{
	struct weir_addr dst = address(way, family);
	int fd = netns_socket(c, "a/client", family, proto, client_port);

	assert_int_equal(netns_connect(fd, &dst, proto == IPPROTO_TCP ? 80 : 53), 0);
	return fd;
}

/* Both are open at the same time, and each is answered on its own socket. */
static void both(struct netns_cluster *c, enum way first, enum way second, uint16_t port)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	char line[128];

	for (int family = 0; family < 2; family++)
		for (int p = 0; p < 2; p++) {
			int one = open_way(c, first, family, protos[p], port), two;

			assert_int_equal(netns_ask(one, line, sizeof(line)), 0);
			two = open_way(c, second, family, protos[p], port);
			for (int i = 0; i < 3; i++) {
				assert_int_equal(netns_ask(two, line, sizeof(line)), 0);
				assert_int_equal(strncmp(line, "a/backend ", 10), 0);
				assert_int_equal(netns_ask(one, line, sizeof(line)), 0);
				assert_int_equal(strncmp(line, "a/backend ", 10), 0);
			}
			close(one);
			/* the other one continues */
			assert_int_equal(netns_ask(two, line, sizeof(line)), 0);
			close(two);
		}
}

static void a_cluster_ip_after_a_direct_connection(void **state)
{
	up(*state);
	both(*state, DIRECT, BY_VIP, CLIENT_PORT);
}

static void a_direct_connection_after_a_cluster_ip(void **state)
{
	up(*state);
	both(*state, BY_VIP, DIRECT, CLIENT_PORT);
}

static void two_cluster_ips_of_one_backend(void **state)
{
	up(*state);
	both(*state, BY_VIP, BY_OTHER_VIP, CLIENT_PORT);
	both(*state, BY_OTHER_VIP, BY_VIP, CLIENT_PORT + 1);
}

static void all_three_at_once(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd[3];

	up(c);
	for (int family = 0; family < 2; family++) {
		for (int way = 0; way < 3; way++) {
			fd[way] = open_way(c, way, family, IPPROTO_TCP, CLIENT_PORT);
			for (int i = 0; i <= way; i++)
				assert_int_equal(netns_ask(fd[i], line, sizeof(line)), 0);
		}
		for (int way = 0; way < 3; way++)
			close(fd[way]);
	}
}

static void collisions_stay_apart_over_a_reload(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd[3];

	up(c);
	for (int family = 0; family < 2; family++) {
		for (int way = 0; way < 3; way++) {
			fd[way] = open_way(c, way, family, IPPROTO_UDP, CLIENT_PORT);
			assert_int_equal(netns_ask(fd[way], line, sizeof(line)), 0);
		}
		up(c);
		for (int way = 0; way < 3; way++) {
			assert_int_equal(netns_ask(fd[way], line, sizeof(line)), 0);
			close(fd[way]);
		}
	}
}

static void a_client_port_is_used_again_soon_after(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up(c);
	for (int family = 0; family < 2; family++)
		for (int i = 0; i < 20; i++) {
			struct linger abort_close = { 1, 0 };
			int fd = open_way(c, i % 3, family, IPPROTO_TCP, CLIENT_PORT);

			assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
			/* by RST: TIME_WAIT would keep the port */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_close, sizeof(abort_close));
			close(fd);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(a_cluster_ip_after_a_direct_connection),
		netns_test(a_direct_connection_after_a_cluster_ip),
		netns_test(two_cluster_ips_of_one_backend),
		netns_test(all_three_at_once),
		netns_test(collisions_stay_apart_over_a_reload),
		netns_test(a_client_port_is_used_again_soon_after),
	};

	return netns_run("traffic_collision", tests, ARRAY_SIZE(tests));
}
