// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policy changes while connections are open: an allowed connection continues, one that is no longer
 * allowed stops with its next packet and stays stopped (NP-50, NP-52).
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

#define SERVER 10
#define ONE 11
#define TWO 12
#define RETRANSMISSIONS_MS 1500 /* enough for several retransmissions of a line */

static char *cluster(const char *ingress)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "server", "server", SERVER, "http:TCP:80 dns:UDP:53");
	netns_pod(f, "a", "one", "one", ONE, "http:TCP:80");
	netns_pod(f, "a", "two", "two", TWO, "http:TCP:80");
	if (ingress)
		netns_policy(f, "a", "server", "server", ingress);
	fclose(f);
	return text;
}

static void up(struct netns_cluster *c, const char *ingress)
{
	char *text = cluster(ingress);

	netns_cluster_up(c, text);
	free(text);
}

#define BOTH \
	"ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [one, two]}]}}]}]"
#define ONLY_TWO "ingress: [{from: [{podSelector: {matchLabels: {app: two}}}]}]"

static int open_flow(struct netns_cluster *c, const char *from, int family, int proto,
		     uint16_t port)
{
	struct weir_addr dst = netns_pod_addr(SERVER, family);
	int fd = netns_socket(c, from, family, proto, 0);

	assert_int_equal(netns_connect(fd, &dst, port), 0);
	assert_int_equal(netns_ask(fd, NULL, 0), 0);
	return fd;
}

static void a_connection_survives_a_reload_and_attaching_again(void **state)
{
	struct netns_cluster *c = *state;
	int fd[2];

	up(c, BOTH);
	for (int family = 0; family < 2; family++)
		fd[family] = open_flow(c, "a/one", family, IPPROTO_TCP, 80);
	for (int round = 0; round < 3; round++) {
		up(c, BOTH);
		assert_int_equal(c->last.kept, 3);
		for (int family = 0; family < 2; family++)
			assert_int_equal(netns_ask(fd[family], NULL, 0), 0);
	}
	close(fd[0]);
	close(fd[1]);
}

static void a_reload_of_the_same_manifests_writes_nothing(void **state)
{
	struct netns_cluster *c = *state;

	up(c, BOTH);
	assert_true(sync_delta_writes(&c->last.delta) > 0);
	up(c, BOTH);
	assert_int_equal(sync_delta_writes(&c->last.delta), 0);
}

static void np_50_a_removed_permission_cuts_with_the_next_packet_and_for_good(void **state)
{
	struct netns_cluster *c = *state;
	int cut, kept;

	for (int family = 0; family < 2; family++) {
		up(c, BOTH);
		cut = open_flow(c, "a/one", family, IPPROTO_TCP, 80);
		kept = open_flow(c, "a/two", family, IPPROTO_TCP, 80);
		up(c, ONLY_TWO);
		assert_int_equal(netns_ask(cut, NULL, 0), -ETIMEDOUT);
		assert_int_equal(netns_ask(kept, NULL, 0), 0);
		assert_int_equal(netns_listen(cut, RETRANSMISSIONS_MS, NULL, 0), -ETIMEDOUT);
		assert_int_equal(netns_ask(kept, NULL, 0), 0);
		close(cut);
		close(kept);
	}
}

static void np_50_a_permission_that_comes_back_lets_the_connection_go_on(void **state)
{
	struct netns_cluster *c = *state;
	int fd;

	for (int family = 0; family < 2; family++) {
		up(c, BOTH);
		fd = open_flow(c, "a/one", family, IPPROTO_TCP, 80);
		up(c, ONLY_TWO);
		assert_int_equal(netns_ask(fd, NULL, 0), -ETIMEDOUT);
		up(c, BOTH);
		/* TCP retransmits the lost line */
		assert_int_equal(netns_listen(fd, 2 * RETRANSMISSIONS_MS, NULL, 0), 0);
		assert_int_equal(netns_ask(fd, NULL, 0), 0);
		close(fd);
	}
}

static void np_50_the_same_for_udp(void **state)
{
	struct netns_cluster *c = *state;
	int cut, kept;

	for (int family = 0; family < 2; family++) {
		up(c, NULL);
		cut = open_flow(c, "a/one", family, IPPROTO_UDP, 53);
		kept = open_flow(c, "a/two", family, IPPROTO_UDP, 53);
		up(c, ONLY_TWO);
		assert_int_equal(netns_ask(cut, NULL, 0), -ETIMEDOUT);
		assert_int_equal(netns_ask(kept, NULL, 0), 0);
		assert_int_equal(netns_ask(cut, NULL, 0), -ETIMEDOUT);
		up(c, NULL);
		assert_int_equal(netns_ask(cut, NULL, 0), 0);
		close(cut);
		close(kept);
	}
}

static void np_50_a_connection_that_the_pod_opened_is_cut_too(void **state)
{
	struct netns_cluster *c = *state;
	int fd;

	/* the selected pod is the client of this connection */
	for (int family = 0; family < 2; family++) {
		struct weir_addr one = netns_pod_addr(ONE, family);

		up(c, NULL);
		fd = netns_socket(c, "a/server", family, IPPROTO_TCP, 0);
		assert_int_equal(netns_connect(fd, &one, 80), 0);
		assert_int_equal(netns_ask(fd, NULL, 0), 0);
		up(c, "policyTypes: [Ingress]");
		/* NP-5: ingress rules do not judge replies */
		assert_int_equal(netns_ask(fd, NULL, 0), 0);
		up(c, "policyTypes: [Egress]");
		assert_int_equal(netns_ask(fd, NULL, 0), -ETIMEDOUT);
		close(fd);
	}
}

static void np_50_what_is_newly_allowed_works_at_once(void **state)
{
	struct netns_cluster *c = *state;

	for (int family = 0; family < 2; family++) {
		struct weir_addr dst = netns_pod_addr(SERVER, family);

		up(c, ONLY_TWO);
		assert_int_equal(netns_try(c, "a/one", IPPROTO_TCP, &dst, 80, NULL, 0), -ETIMEDOUT);
		assert_int_equal(netns_try(c, "a/one", IPPROTO_UDP, &dst, 53, NULL, 0), -ETIMEDOUT);
		up(c, BOTH);
		assert_int_equal(netns_try(c, "a/one", IPPROTO_TCP, &dst, 80, NULL, 0), 0);
		assert_int_equal(netns_try(c, "a/one", IPPROTO_UDP, &dst, 53, NULL, 0), 0);
	}
}

/* ---- Pods that come and go ---- */

static char *with_second(const char *name, const char *app)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "server", "server", SERVER, "http:TCP:80 dns:UDP:53");
	if (name)
		netns_pod(f, "a", name, app, TWO, "http:TCP:80");
	netns_policy(f, "a", "server", "server", ONLY_TWO);
	fclose(f);
	return text;
}

static void up_second(struct netns_cluster *c, const char *name, const char *app)
{
	char *text = with_second(name, app);

	netns_cluster_up(c, text);
	free(text);
}

static void np_56_a_reused_address_gets_the_identity_of_its_new_pod(void **state)
{
	struct netns_cluster *c = *state;

	up_second(c, "two", "two");
	for (int family = 0; family < 2; family++)
		close(open_flow(c, "a/two", family, IPPROTO_TCP, 80));
	up_second(c, "other", "other"); /* in one reload, at the same address */
	for (int family = 0; family < 2; family++) {
		struct weir_addr dst = netns_pod_addr(SERVER, family),
				 back = netns_pod_addr(TWO, family);
		char line[128];

		assert_int_equal(netns_try(c, "a/other", IPPROTO_TCP, &dst, 80, NULL, 0),
				 -ETIMEDOUT);
		assert_int_equal(
			netns_try(c, "a/server", IPPROTO_TCP, &back, 80, line, sizeof(line)), 0);
		assert_int_equal(strncmp(line, "a/other 80 ", 11), 0);
	}
	up_second(c, NULL, NULL);
	up_second(c, "two", "two");
	for (int family = 0; family < 2; family++)
		close(open_flow(c, "a/two", family, IPPROTO_TCP, 80));
}

static void a_successor_cannot_use_the_connection_of_the_pod_before_it(void **state)
{
	struct netns_cluster *c = *state;

	for (int family = 0; family < 2; family++) {
		struct weir_addr dst = netns_pod_addr(SERVER, family);
		int fd;

		up_second(c, "two", "two");
		fd = netns_socket(c, "a/two", family, IPPROTO_UDP, 5353);
		netns_connect(fd, &dst, 53);
		assert_int_equal(netns_ask(fd, NULL, 0), 0);
		up_second(c, "other", "other");
		close(fd);
		/* the same tuple */
		fd = netns_socket(c, "a/other", family, IPPROTO_UDP, 5353);
		netns_connect(fd, &dst, 53);
		assert_int_equal(netns_ask(fd, NULL, 0), -ETIMEDOUT);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(a_connection_survives_a_reload_and_attaching_again),
		netns_test(a_reload_of_the_same_manifests_writes_nothing),
		netns_test(np_50_a_removed_permission_cuts_with_the_next_packet_and_for_good),
		netns_test(np_50_a_permission_that_comes_back_lets_the_connection_go_on),
		netns_test(np_50_the_same_for_udp),
		netns_test(np_50_a_connection_that_the_pod_opened_is_cut_too),
		netns_test(np_50_what_is_newly_allowed_works_at_once),
		netns_test(np_56_a_reused_address_gets_the_identity_of_its_new_pod),
		netns_test(a_successor_cannot_use_the_connection_of_the_pod_before_it),
	};

	return netns_run("traffic_live", tests, ARRAY_SIZE(tests));
}
