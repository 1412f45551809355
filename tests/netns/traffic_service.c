// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Services with real sockets: requests to a cluster IP are spread over its backends, both ends see
 * the addresses that they should, and open flows meet changes of the backends as SVC-90 to SVC-93
 * say.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_cluster.h"

#define CLIENT 9
#define FIRST 10 /* backends */
#define VIP 50

enum state {
	GONE,
	UNREADY,
	READY,
};

/* A client, up to three backends "a/b0" … "a/b2", and a Service before them. */
static void up(struct netns_cluster *c, enum state b0, enum state b1, enum state b2,
	       const char *policy)
{
	static const char ports[] = "http:TCP:8080 dns:UDP:5353";
	const enum state states[] = { b0, b1, b2 };
	char *text = NULL, name[8];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "http:TCP:80");
	for (unsigned int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "b%u", i);
		if (states[i] == READY)
			netns_pod(f, "a", name, "backend", FIRST + i, ports);
		else if (states[i] == UNREADY)
			netns_pod_unready(f, "a", name, "backend", FIRST + i, ports);
	}
	netns_service(f, "a", "service", "backend", VIP, "web:TCP:80:http names:UDP:53:dns");
	if (policy)
		netns_policy(f, "a", "policy", "backend", policy);
	fclose(f);
	netns_cluster_up(c, text);
	free(text);
}

static int ask_service(struct netns_cluster *c, int family, int proto, char *line, size_t size)
{
	struct weir_addr vip = netns_service_addr(VIP, family);

	return netns_try(c, "a/client", proto, &vip, proto == IPPROTO_TCP ? 80 : 53, line, size);
}

static int open_flow(struct netns_cluster *c, int family, int proto, char *line, size_t size)
{
	struct weir_addr vip = netns_service_addr(VIP, family);
	int fd = netns_socket(c, "a/client", family, proto, 0);

	assert_int_equal(netns_connect(fd, &vip, proto == IPPROTO_TCP ? 80 : 53), 0);
	assert_int_equal(netns_ask(fd, line, size), 0);
	return fd;
}

/* Number of the backend that answered. */
static int who(const char *line)
{
	assert_int_equal(strncmp(line, "a/b", 3), 0);
	return line[3] - '0';
}

static void svc_requests_are_spread_over_all_backends(void **state)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct netns_cluster *c = *state;
	char line[128];

	up(c, READY, READY, READY, NULL);
	for (int family = 0; family < 2; family++)
		for (int p = 0; p < 2; p++) {
			unsigned int seen[3] = {};

			for (int i = 0; i < 60; i++) {
				assert_int_equal(
					ask_service(c, family, protos[p], line, sizeof(line)), 0);
				seen[who(line)]++;
			}
			/* 20 expected of each; 4 or fewer happens once in a million runs */
			for (int i = 0; i < 3; i++)
				assert_in_range(seen[i], 5, 55);
		}
}

static void svc_both_ends_see_the_right_addresses(void **state)
{
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct netns_cluster *c = *state;
	char line[128], expected[128], text[ADDR_TEXT_MAX];

	up(c, READY, GONE, GONE, NULL);
	for (int family = 0; family < 2; family++)
		for (int p = 0; p < 2; p++) {
			struct weir_addr client = netns_pod_addr(CLIENT, family);
			struct sockaddr_storage sa;
			socklen_t len = sizeof(sa);
			int fd = open_flow(c, family, protos[p], line, sizeof(line));

			/*
			 * a connected UDP socket takes answers of the cluster IP only, so one
			 * arriving proves its source
			 */
			assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
			snprintf(expected, sizeof(expected), "a/b0 %u %s %u", p ? 5353 : 8080,
				 addr_text(&client, text),
				 ntohs(family ? ((struct sockaddr_in6 *)&sa)->sin6_port
					      : ((struct sockaddr_in *)&sa)->sin_port));
			assert_string_equal(line, expected);
			close(fd);
		}
}

static void np_46_policies_see_the_backend_and_its_port(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	for (int family = 0; family < 2; family++) {
		up(c, READY, READY, READY, "ingress: [{ports: [{port: 8080}]}]");
		assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)), 0);
		up(c, READY, READY, READY, "ingress: [{ports: [{port: 80}]}]");
		assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)),
				 -ETIMEDOUT);
		up(c, READY, READY, READY,
		   "ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]");
		assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)), 0);
		assert_int_equal(ask_service(c, family, IPPROTO_UDP, line, sizeof(line)), 0);
	}
}

static void a_cluster_ip_has_only_the_ports_of_its_service(void **state)
{
	struct netns_cluster *c = *state;

	up(c, READY, GONE, GONE, NULL);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP, family);

		assert_int_not_equal(netns_try(c, "a/client", IPPROTO_TCP, &vip, 8080, NULL, 0), 0);
		assert_int_not_equal(netns_try(c, "a/client", IPPROTO_UDP, &vip, 80, NULL, 0), 0);
	}
}

static void np_50_a_connection_through_a_service_is_cut_too(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_TCP, line, sizeof(line));
		up(c, READY, GONE, GONE, "ingress: [{ports: [{port: 1}]}]");
		assert_int_equal(netns_ask(fd, line, sizeof(line)), -ETIMEDOUT);
		up(c, READY, GONE, GONE, NULL);
		assert_int_equal(netns_listen(fd, 3000, line, sizeof(line)), 0);
		close(fd);
	}
}

/* ---- Backends that change ---- */

static void svc_90_tcp_to_a_backend_that_is_no_longer_ready_is_left_alone(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_TCP, line, sizeof(line));
		up(c, UNREADY, READY, GONE, NULL);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
			assert_int_equal(who(line), 0);
		}
		for (int i = 0; i < 5; i++) {
			assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)),
					 0);
			assert_int_equal(who(line), 1);
		}
		close(fd);
	}
}

static void svc_91_udp_moves_from_a_removed_backend_on_the_next_packet(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_UDP, line, sizeof(line));
		assert_int_equal(who(line), 0);
		up(c, GONE, READY, GONE, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		assert_int_equal(who(line), 1);
		close(fd);
	}
}

static void svc_91_udp_moves_from_a_backend_that_stops_serving(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_UDP, line, sizeof(line));
		up(c, UNREADY, READY, GONE, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		assert_int_equal(who(line), 1);
		close(fd);
	}
}

static void svc_91_udp_stays_on_a_backend_that_stays(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd, first;

	for (int family = 0; family < 2; family++) {
		for (int i = 0; i < 4; i++) {
			up(c, READY, READY, GONE, NULL);
			fd = open_flow(c, family, IPPROTO_UDP, line, sizeof(line));
			first = who(line);
			up(c, READY, READY, READY, NULL);
			assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
			assert_int_equal(who(line), first);
			close(fd);
		}
	}
}

static void svc_92_udp_moves_also_after_a_time_without_any_backend(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_UDP, line, sizeof(line));
		up(c, GONE, GONE, GONE, NULL);
		assert_int_not_equal(netns_ask(fd, line, sizeof(line)), 0);
		up(c, GONE, GONE, READY, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		assert_int_equal(who(line), 2);
		close(fd);
	}
}

/* The old backend still runs and would answer; the flow meets what a new one meets (SVC-60). */
static void svc_92_udp_is_refused_when_its_backend_stops_serving_and_no_other_does(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_UDP, line, sizeof(line));
		up(c, UNREADY, GONE, GONE, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), -ECONNREFUSED);
		up(c, READY, GONE, GONE, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		assert_int_equal(who(line), 0);
		close(fd);
	}
}

static void svc_92_a_client_that_came_during_the_gap_is_served_after_it(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP, family);

		up(c, GONE, GONE, GONE, NULL);
		fd = netns_socket(c, "a/client", family, IPPROTO_UDP, 0);
		netns_connect(fd, &vip, 53);
		assert_int_not_equal(netns_ask(fd, line, sizeof(line)), 0);
		up(c, GONE, READY, GONE, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		assert_int_equal(who(line), 1);
		close(fd);
	}
}

static void svc_93_an_unready_backend_that_appears_moves_nobody(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, READY, GONE, GONE, NULL);
		fd = open_flow(c, family, IPPROTO_UDP, line, sizeof(line));
		up(c, READY, UNREADY, GONE, NULL);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
			assert_int_equal(who(line), 0);
			assert_int_equal(ask_service(c, family, IPPROTO_UDP, line, sizeof(line)),
					 0);
			assert_int_equal(who(line), 0);
		}
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(svc_requests_are_spread_over_all_backends),
		netns_test(svc_both_ends_see_the_right_addresses),
		netns_test(np_46_policies_see_the_backend_and_its_port),
		netns_test(a_cluster_ip_has_only_the_ports_of_its_service),
		netns_test(np_50_a_connection_through_a_service_is_cut_too),
		netns_test(svc_90_tcp_to_a_backend_that_is_no_longer_ready_is_left_alone),
		netns_test(svc_91_udp_moves_from_a_removed_backend_on_the_next_packet),
		netns_test(svc_91_udp_moves_from_a_backend_that_stops_serving),
		netns_test(svc_91_udp_stays_on_a_backend_that_stays),
		netns_test(svc_92_udp_moves_also_after_a_time_without_any_backend),
		netns_test(svc_92_udp_is_refused_when_its_backend_stops_serving_and_no_other_does),
		netns_test(svc_92_a_client_that_came_during_the_gap_is_served_after_it),
		netns_test(svc_93_an_unready_backend_that_appears_moves_nobody),
	};

	return netns_run("traffic_service", tests, ARRAY_SIZE(tests));
}
