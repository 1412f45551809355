// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * REJECT seen by real sockets: connection refused at once, on TCP and UDP of both families, with
 * the sender's checksums complete and left to a device to complete.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_socket.h"

#define CLIENT 9
#define BACKEND 10
#define VIP_EMPTY 50 /* a Service that selects no pod */
#define VIP 51

static void up(struct netns_cluster *c, const char *policy)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "http:TCP:80");
	netns_pod(f, "a", "backend", "backend", BACKEND, "http:TCP:8080 dns:UDP:5353");
	netns_service(f, "a", "empty", "none", VIP_EMPTY, "web:TCP:80:80 names:UDP:53:53");
	netns_service(f, "a", "service", "backend", VIP, "web:TCP:80:http names:UDP:53:dns");
	if (policy)
		netns_policy(f, "a", "policy", "client", policy);
	fclose(f);
	netns_cluster_up(c, text);
}

static int ask(const struct netns_cluster *c, unsigned int vip, int family, int proto,
	       uint16_t port)
{
	struct weir_addr addr = netns_service_addr(vip, family);

	return netns_try(c, "a/client", proto, &addr, port, NULL, 0);
}

/* At once: netns_try() waits for less than the first retransmission of a SYN. */
static void assert_refused(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		assert_int_equal(ask(c, VIP_EMPTY, family, IPPROTO_TCP, 80), -ECONNREFUSED);
		assert_int_equal(ask(c, VIP_EMPTY, family, IPPROTO_UDP, 53), -ECONNREFUSED);
		assert_int_equal(ask(c, VIP, family, IPPROTO_TCP, 81), -ECONNREFUSED);
		assert_int_equal(ask(c, VIP, family, IPPROTO_UDP, 54), -ECONNREFUSED);
		assert_int_equal(ask(c, VIP, family, IPPROTO_TCP, 80), 0);
		assert_int_equal(ask(c, VIP, family, IPPROTO_UDP, 53), 0);
	}
}

static void svc_60_svc_64_a_client_is_refused_at_once(void **state)
{
	struct netns_cluster *c = *state;

	up(c, NULL);
	assert_refused(c);
	netns_offload(c, "a/client", false);
	assert_refused(c);
	assert_int_equal(netns_csum_errors(c, "a/client"), 0);
}

static void svc_64_a_ping_of_a_cluster_ip_is_not_answered(void **state)
{
	struct netns_cluster *c = *state;

	up(c, NULL);
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP, family);

		assert_int_not_equal(netns_ping(c, "a/client", &vip, 77), 0);
	}
}

static void np_63_what_a_policy_denies_is_silent(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "policyTypes: [Egress]");
	for (int family = 0; family < 2; family++)
		assert_int_equal(ask(c, VIP, family, IPPROTO_TCP, 80), -ETIMEDOUT);
}

/* UDP GSO: many datagrams in one skb with paged data. */
static void a_burst_of_segmented_datagrams_is_refused(void **state)
{
	struct netns_cluster *c = *state;
	char burst[20000], line[16];
	int fd, size = 1000, r;

	memset(burst, 'x', sizeof(burst));
	up(c, NULL);
	for (int offload = 1; offload >= 0; offload--) {
		netns_offload(c, "a/client", offload);
		for (int family = 0; family < 2; family++) {
			struct weir_addr vip = netns_service_addr(VIP_EMPTY, family);

			fd = netns_socket(c, "a/client", family, IPPROTO_UDP, 0);
			assert_int_equal(netns_connect(fd, &vip, 53), 0);
			if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
				print_message("# this kernel has no UDP_SEGMENT: %s\n",
					      strerror(errno));
			r = send(fd, burst, sizeof(burst), 0);
			/* EIO: UDP_SEGMENT needs tx checksums */
			assert_true(r == sizeof(burst) || errno == EIO);
			if (r == sizeof(burst))
				assert_int_equal(netns_listen(fd, 2000, line, sizeof(line)),
						 -ECONNREFUSED);
			close(fd);
		}
	}
	assert_int_equal(netns_csum_errors(c, "a/client"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(svc_60_svc_64_a_client_is_refused_at_once),
		netns_test(svc_64_a_ping_of_a_cluster_ip_is_not_answered),
		netns_test(np_63_what_a_policy_denies_is_silent),
		netns_test(a_burst_of_segmented_datagrams_is_refused),
	};

	return netns_run("traffic_reject", tests, ARRAY_SIZE(tests));
}
