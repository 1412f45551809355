// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * NetworkPolicies with real sockets: every kind of peer and port, in both families, and the
 * exemptions of a pod's own node.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_socket.h"

#define SERVER 10
#define FRIEND 11
#define STRANGER 12
#define ABROAD 13 /* a pod of another namespace */

/* Four pods and a policy, or NULL. */
static void up(struct netns_cluster *c, const char *name, const char *app, const char *spec)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "server", "server", SERVER, "http:TCP:80 alt:TCP:8080 dns:UDP:53");
	netns_pod(f, "a", "friend", "friend", FRIEND, "http:TCP:80 dns:UDP:53");
	netns_pod(f, "a", "stranger", "stranger", STRANGER, "http:TCP:80");
	netns_pod(f, "b", "abroad", "friend", ABROAD, "http:TCP:80");
	if (name)
		netns_policy(f, "a", name, app, spec);
	fclose(f);
	netns_cluster_up(c, text);
	free(text);
}

static int try_port(struct netns_cluster *c, const char *from, int family, int proto, uint16_t port)
{
	struct weir_addr dst = netns_pod_addr(SERVER, family);

	return netns_try(c, from, proto, &dst, port, NULL, 0);
}

static int try(struct netns_cluster *c, const char *from, int family)
{
	return try_port(c, from, family, IPPROTO_TCP, 80);
}

#define assert_allowed(r) assert_int_equal((r), 0)
#define assert_denied(r) assert_int_equal((r), -ETIMEDOUT)

static void np_1_without_policies_all_traffic_is_allowed(void **state)
{
	struct netns_cluster *c = *state;
	const char *const ends[] = { "a/friend", "a/stranger", "b/abroad", "node", "world" };

	up(c, NULL, NULL, NULL);
	for (int family = 0; family < 2; family++)
		for (size_t i = 0; i < 5; i++) {
			assert_allowed(try_port(c, ends[i], family, IPPROTO_TCP, 80));
			assert_allowed(try_port(c, ends[i], family, IPPROTO_UDP, 53));
		}
}

static void a_closed_port_refuses_and_does_not_time_out(void **state)
{
	struct netns_cluster *c = *state;

	up(c, NULL, NULL, NULL);
	for (int family = 0; family < 2; family++)
		assert_int_equal(try_port(c, "a/friend", family, IPPROTO_TCP, 81), -ECONNREFUSED);
}

static void np_18_a_pod_selector_means_pods_of_its_own_namespace(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server", "ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}]}]");
	for (int family = 0; family < 2; family++) {
		assert_allowed(try(c, "a/friend", family));
		assert_allowed(try_port(c, "a/friend", family, IPPROTO_UDP, 53));
		assert_denied(try(c, "a/stranger", family));
		assert_denied(try(c, "b/abroad", family));
		assert_denied(try(c, "world", family));
	}
}

static void np_19_a_namespace_selector_means_all_its_pods_and_no_address_outside(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server",
	   "ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: b}}}]}]");
	for (int family = 0; family < 2; family++) {
		assert_allowed(try(c, "b/abroad", family));
		assert_denied(try(c, "a/friend", family));
		assert_denied(try(c, "world", family));
	}
	up(c, "p", "server", "ingress: [{from: [{namespaceSelector: {}}]}]");
	for (int family = 0; family < 2; family++) {
		assert_allowed(try(c, "a/stranger", family));
		assert_denied(try(c, "world", family));
	}
}

static void np_27_an_ip_block_holds_pods_and_np_28_except_carves_them_out(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server",
	   "ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/24, except: [10.244.0.12/32]}}]}]");
	assert_allowed(try(c, "a/friend", 0));
	assert_denied(try(c, "a/stranger", 0));
	assert_denied(try(c, "world", 0));
}

static void np_29_families_do_not_mix(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server", "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]");
	assert_allowed(try(c, "world", 0));
	assert_denied(try(c, "world", 1));
	assert_denied(try(c, "a/friend", 1));
	up(c, "p", "server", "ingress: [{from: [{ipBlock: {cidr: \"::/0\"}}]}]");
	assert_denied(try(c, "world", 0));
	assert_allowed(try(c, "world", 1));
}

static void np_17_a_port_is_tcp_and_np_36_a_range_is_inclusive(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server", "ingress: [{ports: [{port: 53}, {port: 79, endPort: 80}]}]");
	for (int family = 0; family < 2; family++) {
		assert_allowed(try_port(c, "a/friend", family, IPPROTO_TCP, 80));
		assert_denied(try_port(c, "a/friend", family, IPPROTO_TCP, 8080));
		assert_denied(try_port(c, "a/friend", family, IPPROTO_TCP, 81));
		assert_denied(try_port(c, "a/friend", family, IPPROTO_UDP, 53));
	}
}

static void np_16_all_udp_ports_and_no_tcp(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server", "ingress: [{ports: [{protocol: UDP}]}]");
	for (int family = 0; family < 2; family++) {
		assert_allowed(try_port(c, "world", family, IPPROTO_UDP, 53));
		assert_denied(try_port(c, "world", family, IPPROTO_TCP, 80));
	}
}

static void np_32_a_named_port_of_an_ingress_rule_is_the_servers_own(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "server", "ingress: [{ports: [{port: alt}]}]");
	for (int family = 0; family < 2; family++) {
		assert_allowed(try_port(c, "world", family, IPPROTO_TCP, 8080));
		assert_denied(try_port(c, "world", family, IPPROTO_TCP, 80));
	}
}

static void np_4_egress_is_judged_at_the_client(void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr stranger, world;

	up(c, "p", "friend",
	   "policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: server}}}]}]");
	for (int family = 0; family < 2; family++) {
		stranger = netns_pod_addr(STRANGER, family);
		world = c->net.world_addr[family];
		assert_allowed(try(c, "a/friend", family));
		assert_denied(netns_try(c, "a/friend", IPPROTO_TCP, &stranger, 80, NULL, 0));
		assert_denied(netns_try(c, "a/friend", IPPROTO_TCP, &world, 80, NULL, 0));
		/* NP-2: ingress of the pod is not isolated; NP-5: its replies pass */
		stranger = netns_pod_addr(FRIEND, family);
		assert_allowed(netns_try(c, "a/stranger", IPPROTO_TCP, &stranger, 80, NULL, 0));
		assert_allowed(netns_try(c, "world", IPPROTO_UDP, &stranger, 53, NULL, 0));
	}
}

static void np_41_the_own_node_always_gets_in_and_np_42_pods_always_reach_it(void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr node;

	up(c, "p", "", "policyTypes: [Ingress, Egress]");
	for (int family = 0; family < 2; family++) {
		node = c->net.nodes->addr[family];
		assert_allowed(try(c, "node", family));
		assert_allowed(try_port(c, "node", family, IPPROTO_UDP, 53));
		assert_denied(try(c, "world", family));
		/* no server listens on the node: a refusal proves that the packet got there */
		assert_int_equal(netns_try(c, "a/friend", IPPROTO_TCP, &node, 80, NULL, 0),
				 -ECONNREFUSED);
	}
}

static void np_38_echo_needs_a_rule_without_ports_and_is_told_apart_by_its_id(void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr server;

	up(c, "p", "server",
	   "ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}]}, {ports: [{port: 80}]}]");
	for (int family = 0; family < 2; family++) {
		server = netns_pod_addr(SERVER, family);
		assert_int_equal(netns_ping(c, "a/friend", &server, 7), 0);
		assert_int_equal(netns_ping(c, "a/friend", &server, 8), 0);
		assert_denied(netns_ping(c, "a/stranger", &server, 7));
		assert_int_equal(netns_ping(c, "node", &server, 7), 0);
		assert_denied(netns_ping(c, "world", &server, 7));
	}
}

static void np_40_a_pod_reaches_itself(void **state)
{
	struct netns_cluster *c = *state;

	up(c, "p", "", "policyTypes: [Ingress, Egress]");
	for (int family = 0; family < 2; family++)
		assert_allowed(try(c, "a/server", family));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(np_1_without_policies_all_traffic_is_allowed, NETNS_DROP_FORWARD),
		netns_test(a_closed_port_refuses_and_does_not_time_out),
		netns_test(np_18_a_pod_selector_means_pods_of_its_own_namespace),
		netns_test(np_19_a_namespace_selector_means_all_its_pods_and_no_address_outside),
		netns_test(np_27_an_ip_block_holds_pods_and_np_28_except_carves_them_out),
		netns_test_needs(np_29_families_do_not_mix, NETNS_DROP_FORWARD),
		netns_test(np_17_a_port_is_tcp_and_np_36_a_range_is_inclusive),
		netns_test_needs(np_16_all_udp_ports_and_no_tcp, NETNS_DROP_FORWARD),
		netns_test_needs(np_32_a_named_port_of_an_ingress_rule_is_the_servers_own,
				 NETNS_DROP_FORWARD),
		netns_test_needs(np_4_egress_is_judged_at_the_client, NETNS_DROP_FORWARD),
		netns_test(np_41_the_own_node_always_gets_in_and_np_42_pods_always_reach_it),
		netns_test(np_38_echo_needs_a_rule_without_ports_and_is_told_apart_by_its_id),
		netns_test(np_40_a_pod_reaches_itself),
	};

	return netns_run("traffic_policy", tests, ARRAY_SIZE(tests));
}
