// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What each setting of the node breaks, and that it breaks nothing else: other suites mark cases
 * that need a remedy for it. Each setting is made, named by the doctor's code, and undone as
 * docs/findings.md says.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_ends.h"

static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

static int try_server(const struct netns_cluster *c, const char *from, int proto,
		      const struct weir_addr *dst)
{
	return netns_try(c, from, proto, dst, NETNS_SERVER_PORT, NULL, 0);
}

/* The world has no server: it refuses a TCP connection that reaches it. */
static void world_is_reached(const struct netns_cluster *c, bool yes)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr pod = netns_end_addr("a/pod", family);

		assert_int_equal(try_server(c, "a/pod", IPPROTO_TCP, &c->net.world_addr[family]),
				 yes ? -ECONNREFUSED : -ETIMEDOUT);
		for (int p = 0; p < 2; p++)
			assert_int_equal(try_server(c, "world", protos[p], &pod),
					 yes ? 0 : -ETIMEDOUT);
	}
}

static void node_reaches_its_pods(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr pod = netns_end_addr("a/pod", family);

		for (int p = 0; p < 2; p++)
			assert_int_equal(try_server(c, "node", protos[p], &pod), 0);
	}
}

static void pods_reach_each_other(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr other = netns_end_addr("a/other", family),
				 vip = netns_end_vip("a/other", family);

		for (int p = 0; p < 2; p++) {
			assert_int_equal(try_server(c, "a/pod", protos[p], &other), 0);
			assert_int_equal(try_server(c, "a/pod", protos[p], &vip), 0);
		}
	}
}

/* In a table of its own, beside "closed" of NETNS_DROP_FORWARD. */
static void add_shut_chain(const struct netns_cluster *c)
{
	netns_node_command(
		c,
		"nft 'table inet shut { chain forward { type filter hook forward priority 0; policy drop; }; }'");
}

static void n003_a_forward_chain_that_drops_cuts_pods_off_from_the_world_only(void **state)
{
	struct netns_cluster *c = *state;
	unsigned int before;

	if (system("nft -v >/dev/null 2>&1"))
		skip();
	netns_ends_up(c, false);
	before = netns_findings(c, FINDING_N003);
	world_is_reached(c, true);
	add_shut_chain(c);
	assert_int_equal(netns_findings(c, FINDING_N003), before + 1);
	world_is_reached(c, false);
	if (!(c->env->settings & NETNS_BRIDGE_NF)) /* else as in the next test (N004) */
		pods_reach_each_other(c);
	node_reaches_its_pods(c);
	netns_node_command(
		c,
		"nft 'add rule inet shut forward ip saddr 10.244.0.0/16 accept comment \"weir\"; "
		"add rule inet shut forward ip daddr 10.244.0.0/16 accept; "
		"add rule inet shut forward ip6 saddr fd00:10:244::/48 accept; "
		"add rule inet shut forward ip6 daddr fd00:10:244::/48 accept'");
	assert_int_equal(netns_findings(c, FINDING_N003), before);
	world_is_reached(c, true);
}

/* Netfilter on the bridge drops neighbour discovery, which is IPv6, but not ARP. */
static void n004_a_forward_chain_that_drops_stops_neighbour_discovery_on_a_bridge(void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr v4 = netns_end_addr("a/other", 0), v6 = netns_end_addr("a/other", 1);

	netns_ends_up(c, false);
	if (c->env->topology != SANDBOX_BRIDGE || access("/proc/sys/net/bridge", F_OK) ||
	    system("nft -v >/dev/null 2>&1"))
		return; /* needs a bridge that passes frames to netfilter */
	netns_node_command(c, "sysctl -qw net.bridge.bridge-nf-call-ip6tables=1");
	add_shut_chain(c);
	assert_int_equal(netns_findings(c, FINDING_N004), 1);
	assert_int_equal(try_server(c, "a/pod", IPPROTO_TCP, &v4), 0);
	assert_int_not_equal(try_server(c, "a/pod", IPPROTO_TCP, &v6), 0);
	netns_node_command(
		c,
		"sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
	assert_int_equal(netns_findings(c, FINDING_N004), 0);
	pods_reach_each_other(c);
}

/* The pod gets an ICMP error or times out, depending on the family. */
static void n001_without_forwarding_pods_reach_the_node_and_each_other(void **state)
{
	struct netns_cluster *c = *state;

	netns_ends_up(c, false);
	assert_int_equal(netns_findings(c, FINDING_N001), 0);
	netns_node_command(c, "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
	assert_int_equal(netns_findings(c, FINDING_N001), 2);
	for (int family = 0; family < 2; family++)
		assert_int_not_equal(
			try_server(c, "a/pod", IPPROTO_TCP, &c->net.world_addr[family]),
			-ECONNREFUSED);
	pods_reach_each_other(c);
	node_reaches_its_pods(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(n003_a_forward_chain_that_drops_cuts_pods_off_from_the_world_only,
				 NETNS_DROP_FORWARD),
		netns_test(n004_a_forward_chain_that_drops_stops_neighbour_discovery_on_a_bridge),
		netns_test(n001_without_forwarding_pods_reach_the_node_and_each_other),
	};

	return netns_run("traffic_settings", tests, ARRAY_SIZE(tests));
}
