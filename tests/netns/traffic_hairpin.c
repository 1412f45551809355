// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A pod that reaches itself through a Service, with real sockets: as the only endpoint and as one
 * of several, under a policy that allows nothing, with checksums complete and left to a device to
 * complete (SVC-84, NP-40).
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

#include "base/addr.h"
#include "base/mem.h"
#include "lib/netns_socket.h"
#include <weir/limits.h>

#define SELF 10
#define OTHER 11
#define VIP_ONE 50 /* a/self alone */
#define VIP_BOTH 51 /* a/self and a/other */

static const char ports[] = "http:TCP:8080 dns:UDP:5353";

static void up(struct netns_cluster *c, const char *policy)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "self", "one", SELF, ports);
	netns_pod(f, "b", "self", "both", SELF + 10, ports);
	netns_pod(f, "b", "other", "both", OTHER + 10, ports);
	netns_service(f, "a", "one", "one", VIP_ONE,
		      "web:TCP:80:http names:UDP:53:dns shut:UDP:54:5354");
	netns_service(f, "b", "both", "both", VIP_BOTH, "web:TCP:80:http names:UDP:53:dns");
	if (policy)
		netns_policy(f, "a", "policy", "", policy);
	fclose(f);
	netns_cluster_up(c, text);
}

/* The pod answers itself and sees the reserved hairpin address as client. */
static void assert_hairpin(const struct netns_cluster *c)
{
	static const struct weir_addr reserved[2] = { WEIR_HAIRPIN_V4, WEIR_HAIRPIN_V6 };
	static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	char line[128], want[128], text[ADDR_TEXT_MAX];

	for (int family = 0; family < 2; family++)
		for (int p = 0; p < 2; p++) {
			struct weir_addr vip = netns_service_addr(VIP_ONE, family);

			for (int i = 0; i < 3; i++) {
				assert_int_equal(netns_try(c, "a/self", protos[p], &vip,
							   p ? 53 : 80, line, sizeof(line)),
						 0);
				snprintf(want, sizeof(want), "a/self %u %s ", p ? 5353 : 8080,
					 addr_text(&reserved[family], text));
				assert_int_equal(strncmp(line, want, strlen(want)), 0);
			}
		}
}

static void svc_84_a_pod_reaches_itself_as_the_only_endpoint(void **state)
{
	struct netns_cluster *c = *state;

	up(c, NULL);
	assert_hairpin(c);
	netns_offload(c, "a/self", false);
	assert_hairpin(c);
	assert_int_equal(netns_csum_errors(c, "a/self"), 0);
}

static void svc_84_svc_96_a_pod_is_refused_by_its_own_closed_port(void **state)
{
	struct netns_cluster *c = *state;

	up(c, NULL);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP_ONE, family);

		assert_int_equal(netns_try(c, "a/self", IPPROTO_UDP, &vip, 54, NULL, 0),
				 -ECONNREFUSED);
	}
}

static void svc_84_a_pod_reaches_itself_and_the_others(void **state)
{
	struct netns_cluster *c = *state;
	unsigned int self = 0, other = 0;
	char line[128];

	up(c, NULL);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP_BOTH, family);

		/* by chance one of the two never answers: once in 2^39 runs */
		for (int i = 0; i < 40; i++) {
			assert_int_equal(
				netns_try(c, "b/self", IPPROTO_TCP, &vip, 80, line, sizeof(line)),
				0);
			self += !strncmp(line, "b/self ", 7);
			other += !strncmp(line, "b/other ", 8);
		}
		assert_int_equal(self + other, 40 * (family + 1));
	}
	assert_true(self && other);
}

static void np_40_a_policy_that_allows_nothing_does_not_keep_a_pod_from_itself(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "policyTypes: [Ingress, Egress]");
	assert_hairpin(c);
}

static void svc_84_an_open_connection_to_itself_outlives_changes_of_policy(void **state)
{
	struct netns_cluster *c = *state;
	char line[128];
	int fd;

	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP_ONE, family);

		up(c, NULL);
		fd = netns_socket(c, "a/self", family, IPPROTO_TCP, 0);
		assert_int_equal(netns_connect(fd, &vip, 80), 0);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		up(c, "policyTypes: [Ingress, Egress]");
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		up(c, NULL);
		assert_int_equal(netns_ask(fd, line, sizeof(line)), 0);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(svc_84_a_pod_reaches_itself_as_the_only_endpoint),
		netns_test(svc_84_svc_96_a_pod_is_refused_by_its_own_closed_port),
		netns_test(svc_84_a_pod_reaches_itself_and_the_others),
		netns_test(np_40_a_policy_that_allows_nothing_does_not_keep_a_pod_from_itself),
		netns_test(svc_84_an_open_connection_to_itself_outlives_changes_of_policy),
	};

	return netns_run("traffic_hairpin", tests, ARRAY_SIZE(tests));
}
