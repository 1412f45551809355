// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Services with real sockets: requests to a cluster IP are spread over its backends, both ends see
 * the right addresses, and open flows follow changes of the backends as SVC-90 to SVC-93 say.
 */
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
#include "lib/netns_socket.h"

#define CLIENT 9
#define FIRST 10 /* backends */
#define VIP 50

static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

/*
 * A client, backends "a/b0" … "a/b2" and a Service before them. backends: a letter each, R: ready,
 * U: running but not ready, -: no such pod.
 */
static void up(struct netns_cluster *c, const char *backends, const char *policy)
{
	static const char ports[] = "http:TCP:8080 dns:UDP:5353";
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "http:TCP:80");
	for (unsigned int i = 0; i < 3; i++) {
		_cleanup_(mem_free) char *name = mem_printf("b%u", i);

		if (backends[i] == 'R')
			netns_pod(f, "a", name, "backend", FIRST + i, ports);
		else if (backends[i] == 'U')
			netns_pod_unready(f, "a", name, "backend", FIRST + i, ports);
	}
	netns_service(f, "a", "service", "backend", VIP, "web:TCP:80:http names:UDP:53:dns");
	if (policy)
		netns_policy(f, "a", "policy", "backend", policy);
	fclose(f);
	netns_cluster_up(c, text);
}

static uint16_t service_port(int proto)
{
	return proto == IPPROTO_TCP ? 80 : 53;
}

static int ask_service(struct netns_cluster *c, int family, int proto, char *line, size_t size)
{
	struct weir_addr vip = netns_service_addr(VIP, family);

	return netns_try(c, "a/client", proto, &vip, service_port(proto), line, size);
}

/* A flow to the cluster IP; over UDP nothing is sent yet. */
static int open_flow(struct netns_cluster *c, int family, int proto)
{
	struct weir_addr vip = netns_service_addr(VIP, family);
	int fd = netns_socket(c, "a/client", family, proto, 0);

	assert_int_equal(netns_connect(fd, &vip, service_port(proto)), 0);
	return fd;
}

/* Number of the backend that answered. */
static int backend_of(const char *line)
{
	assert_int_equal(strncmp(line, "a/b", 3), 0);
	return line[3] - '0';
}

static void svc_requests_are_spread_over_all_backends(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	up(c, "RRR", NULL);
	for (int family = 0; family < 2; family++)
		for (int p = 0; p < 2; p++) {
			unsigned int seen[3] = {};

			for (int i = 0; i < 60; i++) {
				assert_int_equal(
					ask_service(c, family, protos[p], line, sizeof(line)), 0);
				seen[backend_of(line)]++;
			}
			/* 20 expected of each; 4 or fewer: once in a million runs */
			for (int i = 0; i < 3; i++)
				assert_in_range(seen[i], 5, 55);
		}
}

static void svc_both_ends_see_the_right_addresses(void **state)
{
	struct netns_cluster *c = *state;
	char line[128], expected[128], text[ADDR_TEXT_MAX];

	up(c, "R--", NULL);
	for (int family = 0; family < 2; family++)
		for (int p = 0; p < 2; p++) {
			struct weir_addr client = netns_pod_addr(CLIENT, family);
			struct sockaddr_storage sa;
			socklen_t len = sizeof(sa);
			_cleanup_(fd_close) int fd = open_flow(c, family, protos[p]);
			uint16_t port;

			/* a connected UDP socket takes answers from the cluster IP only */
			assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
			assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
			netns_sockaddr(&sa, &port);
			snprintf(expected, sizeof(expected), "a/b0 %u %s %u", p ? 5353 : 8080,
				 addr_text(&client, text), port);
			assert_string_equal(line, expected);
		}
}

static void np_46_policies_see_the_backend_and_its_port(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];

	for (int family = 0; family < 2; family++) {
		up(c, "RRR", "ingress: [{ports: [{port: 8080}]}]");
		assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)), 0);
		up(c, "RRR", "ingress: [{ports: [{port: 80}]}]");
		assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)),
				 -ETIMEDOUT);
		up(c, "RRR", "ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]");
		assert_int_equal(ask_service(c, family, IPPROTO_TCP, line, sizeof(line)), 0);
		assert_int_equal(ask_service(c, family, IPPROTO_UDP, line, sizeof(line)), 0);
	}
}

static void a_cluster_ip_has_only_the_ports_of_its_service(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "R--", NULL);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP, family);

		assert_int_not_equal(netns_try(c, "a/client", IPPROTO_TCP, &vip, 8080, NULL, 0), 0);
		assert_int_not_equal(netns_try(c, "a/client", IPPROTO_UDP, &vip, 80, NULL, 0), 0);
	}
}

static void np_50_a_connection_through_a_service_is_cut_too(void **state)
{
	struct netns_cluster *c = *state;

	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int fd = -1;

		up(c, "R--", NULL);
		fd = open_flow(c, family, IPPROTO_TCP);
		assert_int_equal(netns_ask(fd, NULL, 0), 0);
		up(c, "R--", "ingress: [{ports: [{port: 1}]}]");
		assert_int_equal(netns_ask(fd, NULL, 0), -ETIMEDOUT);
		up(c, "R--", NULL);
		assert_int_equal(netns_listen(fd, 3000, NULL, 0), 0);
	}
}

/* ---- Backends that change ---- */

enum {
	NO_ANSWER = -1000, /* any -errno; -1000 is none itself */
	NOT_ASKED = -1001,
};

/* Which backend answers while the backends are so. */
struct step {
	const char *backends; /* NULL: the end */
	int open; /* backend that answers the open flow, NO_ANSWER or -errno */
	int new; /* the same for a new flow, or NOT_ASKED */
};

static void assert_answer(const struct step *s, int want, int r, const char *line)
{
	int got = r ? r : backend_of(line);

	if (want == NO_ANSWER ? !r : got != want)
		fail_msg("backends %s: %d, expected %d (a backend, -errno, or %d: no answer)",
			 s->backends, got, want, NO_ANSWER);
}

/* Several questions each, because a wrong choice can be the right backend by chance. */
static void take_step(struct netns_cluster *c, const struct step *s, int family, int proto, int fd)
{
	char line[128];

	for (int i = 0; i < (s->open < 0 ? 1 : 3); i++)
		assert_answer(s, s->open, netns_ask(fd, line, sizeof(line)), line);
	for (int i = 0; i < (s->new == NOT_ASKED ? 0 : 5); i++)
		assert_answer(s, s->new, ask_service(c, family, proto, line, sizeof(line)), line);
}

/* One flow, opened at the first step and used in each. */
static void take_steps(struct netns_cluster *c, int proto, const struct step *steps)
{
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int fd = -1;

		for (const struct step *s = steps; s->backends; s++) {
			up(c, s->backends, NULL);
			if (fd < 0)
				fd = open_flow(c, family, proto);
			take_step(c, s, family, proto, fd);
		}
	}
}

static void svc_90_tcp_to_a_backend_that_is_no_longer_ready_is_left_alone(void **state)
{
	static const struct step steps[] = { { "R--", 0, NOT_ASKED }, { "UR-", 0, 1 }, {} };

	take_steps(*state, IPPROTO_TCP, steps);
}

static void svc_91_udp_moves_from_a_removed_backend_on_the_next_packet(void **state)
{
	static const struct step steps[] = { { "R--", 0, NOT_ASKED }, { "-R-", 1, NOT_ASKED }, {} };

	take_steps(*state, IPPROTO_UDP, steps);
}

static void svc_91_udp_moves_from_a_backend_that_stops_serving(void **state)
{
	static const struct step steps[] = { { "R--", 0, NOT_ASKED }, { "UR-", 1, NOT_ASKED }, {} };

	take_steps(*state, IPPROTO_UDP, steps);
}

static void svc_91_udp_stays_on_a_backend_that_stays(void **state)
{
	struct netns_cluster *c = *state;
	char before[128], after[128];

	for (int family = 0; family < 2; family++)
		for (int i = 0; i < 4; i++) {
			_cleanup_(fd_close) int fd = -1;

			up(c, "RR-", NULL);
			fd = open_flow(c, family, IPPROTO_UDP);
			assert_int_equal(netns_ask(fd, before, sizeof(before)), 0);
			up(c, "RRR", NULL);
			assert_int_equal(netns_ask(fd, after, sizeof(after)), 0);
			assert_int_equal(backend_of(after), backend_of(before));
		}
}

static void svc_92_udp_moves_also_after_a_time_without_any_backend(void **state)
{
	static const struct step steps[] = { { "R--", 0, NOT_ASKED },
					     { "---", NO_ANSWER, NOT_ASKED },
					     { "--R", 2, NOT_ASKED },
					     {} };

	take_steps(*state, IPPROTO_UDP, steps);
}

/* The old backend still runs and would answer; the flow is refused like a new one (SVC-60). */
static void svc_92_udp_is_refused_when_its_backend_stops_serving_and_no_other_does(void **state)
{
	static const struct step steps[] = { { "R--", 0, NOT_ASKED },
					     { "U--", -ECONNREFUSED, NOT_ASKED },
					     { "R--", 0, NOT_ASKED },
					     {} };

	take_steps(*state, IPPROTO_UDP, steps);
}

static void svc_92_a_client_that_came_during_the_gap_is_served_after_it(void **state)
{
	static const struct step steps[] = { { "---", NO_ANSWER, NOT_ASKED },
					     { "-R-", 1, NOT_ASKED },
					     {} };

	take_steps(*state, IPPROTO_UDP, steps);
}

static void svc_93_an_unready_backend_that_appears_moves_no_flow(void **state)
{
	static const struct step steps[] = { { "R--", 0, NOT_ASKED }, { "RU-", 0, 0 }, {} };

	take_steps(*state, IPPROTO_UDP, steps);
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
		netns_test(svc_93_an_unready_backend_that_appears_moves_no_flow),
	};

	return netns_run("traffic_service", tests, ARRAY_SIZE(tests));
}
