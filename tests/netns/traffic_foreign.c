// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Foreign programs on the same devices, before and after Weir's, with tcx and with clsact: those
 * before see every packet, those after only packets that Weir passes to or from the stack, not
 * those that it drops or redirects to another pod. A reload keeps them and their order.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "attach/attach.h"
#include "base/mem.h"
#include "base/netns.h"
#include "doctor/doctor.h"
#include "lib/netns_foreign.h"
#include "lib/netns_socket.h"

#define POD 10 /* host numbers of addresses */
#define OTHER 11
#define PORT 80

/* Two pods; policy: of a/pod, or NULL. */
static void up(struct netns_cluster *c, const char *policy)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "pod", "pod", POD, "http:TCP:80 dns:UDP:80");
	netns_pod(f, "a", "other", "other", OTHER, "http:TCP:80 dns:UDP:80");
	if (policy)
		netns_policy(f, "a", "policy", "pod", policy);
	fclose(f);
	netns_cluster_up(c, text);
}

static int from_node(const struct netns_cluster *c, int family, int proto)
{
	struct weir_addr pod = netns_pod_addr(POD, family);

	return netns_try(c, "node", proto, &pod, PORT, NULL, 0);
}

static int to_other(const struct netns_cluster *c, int family, int proto)
{
	struct weir_addr other = netns_pod_addr(OTHER, family);

	return netns_try(c, "a/pod", proto, &other, PORT, NULL, 0);
}

static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

/* All four have counted at least that many packets since `old`. */
static void assert_all_counted(const struct netns_foreign *f, const uint64_t old[_FOREIGN_MAX],
			       uint64_t packets)
{
	for (int i = 0; i < _FOREIGN_MAX; i++)
		if (netns_foreign_count(f, i) < old[i] + packets)
			fail_msg("%s, %s Weir: %llu packets, %llu before the traffic",
				 i & FOREIGN_EGRESS ? "egress" : "ingress",
				 i & FOREIGN_AFTER ? "after" : "before",
				 (unsigned long long)netns_foreign_count(f, i),
				 (unsigned long long)old[i]);
}

static void read_all(const struct netns_foreign *f, uint64_t ret[_FOREIGN_MAX])
{
	for (int i = 0; i < _FOREIGN_MAX; i++)
		ret[i] = netns_foreign_count(f, i);
}

/* One exchange of TCP and one of UDP: at least three packets in each direction. */
static void exchanges_through_the_stack_are_counted(const struct netns_cluster *c,
						    const struct netns_foreign *f)
{
	for (int family = 0; family < 2; family++) {
		uint64_t old[_FOREIGN_MAX];

		read_all(f, old);
		for (int p = 0; p < 2; p++)
			assert_int_equal(from_node(c, family, protos[p]), 0);
		assert_all_counted(f, old, 3);
	}
}

static void foreign_programs_before_and_after_see_passed_packets(void **state)
{
	_cleanup_(netns_foreign_close) struct netns_foreign f = {};
	struct netns_cluster *c = *state;

	up(c, NULL);
	netns_foreign_attach(c, "a/pod", &f);
	exchanges_through_the_stack_are_counted(c, &f);
}

/* ARP and neighbour discovery are passed to the stack: programs after Weir can count a few. */
static void redirected_packets_are_seen_before_weir_only(void **state)
{
	_cleanup_(netns_foreign_close) struct netns_foreign f = {};
	struct netns_cluster *c = *state;

	up(c, NULL);
	netns_foreign_attach(c, "a/pod", &f);
	for (int family = 0; family < 2; family++) {
		uint64_t before = netns_foreign_count(&f, 0),
			 after = netns_foreign_count(&f, FOREIGN_AFTER);

		for (int i = 0; i < 10; i++)
			assert_int_equal(to_other(c, family, IPPROTO_TCP), 0);
		assert_in_range(netns_foreign_count(&f, 0), before + 30, UINT64_MAX);
		assert_in_range(netns_foreign_count(&f, FOREIGN_AFTER), after, after + 20);
	}
}

static void denied_packets_are_seen_before_weir_only(void **state)
{
	_cleanup_(netns_foreign_close) struct netns_foreign f = {};
	struct netns_cluster *c = *state;

	up(c, "policyTypes: [Egress]");
	netns_foreign_attach(c, "a/pod", &f);
	for (int family = 0; family < 2; family++) {
		_cleanup_(fd_close) int fd = netns_socket(c, "a/pod", family, IPPROTO_UDP, 0);
		uint64_t before, after;

		/* resolves the gateway's MAC (NP-42), or the kernel drops part of the burst */
		assert_int_equal(from_node(c, family, IPPROTO_UDP), 0);
		before = netns_foreign_count(&f, 0);
		after = netns_foreign_count(&f, FOREIGN_AFTER);
		assert_int_equal(netns_connect(fd, &c->net.world_addr[family], PORT), 0);
		for (int i = 0; i < 100; i++)
			assert_int_equal(send(fd, "?", 1, 0), 1);
		assert_in_range(netns_foreign_count(&f, 0), before + 100, UINT64_MAX);
		assert_in_range(netns_foreign_count(&f, FOREIGN_AFTER), after, after + 20);
	}
}

/* ---- Findings of the doctor, and a reload ---- */

static void a_reload_keeps_foreign_programs_and_their_order(void **state)
{
	_cleanup_(netns_foreign_close) struct netns_foreign f = {};
	struct netns_cluster *c = *state;

	up(c, NULL);
	assert_int_equal(netns_findings(c, FINDING_N009), 0);
	netns_foreign_attach(c, "a/pod", &f);
	assert_int_equal(netns_findings(c, FINDING_N009), 2);
	up(c, "ingress: [{ports: [{port: 80}, {port: 80, protocol: UDP}]}]");
	exchanges_through_the_stack_are_counted(c, &f);
	assert_int_equal(netns_findings(c, FINDING_N009), 2);
}

/* In the attach namespace, as `weir load` does. */
static void detach_and_attach(const struct netns_cluster *c, uint32_t ifindex, bool attach)
{
	_cleanup_(netns_leave) int back = -1;
	_cleanup_(node_close) struct node *node = NULL;

	netns_cluster_enter(c, "node", &back);
	assert_int_equal(node_open(c->name, NODE_WRITE, NULL, &node, NULL), 0);
	assert_int_equal(attach ? attach_device(node, ATTACH_POD, ifindex, NULL)
				: attach_detach(node, ifindex, NULL),
			 0);
}

static void detached_programs_are_found_and_attached_again_beside_foreign_ones(void **state)
{
	_cleanup_(netns_foreign_close) struct netns_foreign f = {};
	struct netns_cluster *c = *state;

	up(c, NULL);
	netns_foreign_attach(c, "a/pod", &f);
	assert_int_equal(netns_findings(c, FINDING_N005), 0);
	detach_and_attach(c, f.ifindex, false);
	assert_int_equal(netns_findings(c, FINDING_N005), 2);
	detach_and_attach(c, f.ifindex, true);
	assert_int_equal(netns_findings(c, FINDING_N005), 0);
	exchanges_through_the_stack_are_counted(c, &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test(foreign_programs_before_and_after_see_passed_packets),
		netns_test(redirected_packets_are_seen_before_weir_only),
		netns_test(denied_packets_are_seen_before_weir_only),
		netns_test(a_reload_keeps_foreign_programs_and_their_order),
		netns_test(detached_programs_are_found_and_attached_again_beside_foreign_ones),
	};

	return netns_run("traffic_foreign", tests, ARRAY_SIZE(tests));
}
