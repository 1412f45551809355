// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a setting of the node stops, and that it stops no more: the reason why cases of other suites
 * name it. Each is broken, named by the doctor's code, and healed as docs/findings.md says.
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
#include "lib/netns_cluster.h"

#define POD 10 /* host numbers of addresses */
#define OTHER 11
#define VIP 30
#define PORT 80

static const int protos[] = { IPPROTO_TCP, IPPROTO_UDP };

static void up(struct netns_cluster *c)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "pod", "pod", POD, "http:TCP:80 dns:UDP:80");
	netns_pod(f, "a", "other", "other", OTHER, "http:TCP:80 dns:UDP:80");
	netns_service(f, "a", "service", "other", VIP, "web:TCP:80:http names:UDP:80:dns");
	fclose(f);
	netns_cluster_up(c, text);
}

/*
 * Without a server in the world a TCP connection from a pod is refused at once, where the way is
 * open.
 */
static void world_is_reached(const struct netns_cluster *c, bool yes)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr pod = netns_pod_addr(POD, family);

		assert_int_equal(netns_try(c, "a/pod", IPPROTO_TCP, &c->net.world_addr[family],
					   PORT, NULL, 0),
				 yes ? -ECONNREFUSED : -ETIMEDOUT);
		for (int p = 0; p < 2; p++)
			assert_int_equal(netns_try(c, "world", protos[p], &pod, PORT, NULL, 0),
					 yes ? 0 : -ETIMEDOUT);
	}
}

static void the_node_is_reached_from_its_pods(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr pod = netns_pod_addr(POD, family);

		for (int p = 0; p < 2; p++)
			assert_int_equal(netns_try(c, "node", protos[p], &pod, PORT, NULL, 0), 0);
	}
}

static void pods_of_the_node_are_reached(const struct netns_cluster *c)
{
	for (int family = 0; family < 2; family++) {
		struct weir_addr other = netns_pod_addr(OTHER, family),
				 vip = netns_service_addr(VIP, family);

		for (int p = 0; p < 2; p++) {
			assert_int_equal(netns_try(c, "a/pod", protos[p], &other, PORT, NULL, 0),
					 0);
			assert_int_equal(netns_try(c, "a/pod", protos[p], &vip, PORT, NULL, 0), 0);
		}
	}
}

static void shut(const struct netns_cluster *c)
{
	netns_node_command(
		c,
		"nft 'table inet shut { chain forward { type filter hook forward priority 0; policy drop; }; }'");
}

static void n003_a_forward_chain_that_drops_stops_the_way_to_the_world_and_no_other(void **state)
{
	struct netns_cluster *c = *state;
	unsigned int before;

	if (system("nft -v >/dev/null 2>&1"))
		skip();
	up(c);
	before = netns_findings(c, FINDING_N003);
	world_is_reached(c, true);
	netns_node_command(
		c,
		"nft 'table inet shut { chain forward { type filter hook forward priority 0; policy drop; }; }'");
	assert_int_equal(netns_findings(c, FINDING_N003), before + 1);
	world_is_reached(c, false);
	if (!(c->env->settings & NETNS_BRIDGE_NF)) /* the next test */
		pods_of_the_node_are_reached(c);
	the_node_is_reached_from_its_pods(c);
	shut(c);
	assert_int_equal(netns_findings(c, FINDING_N003), before + 1);
	world_is_reached(c, false);
	if (!(c->env->settings & NETNS_BRIDGE_NF)) /* the next test */
		pods_of_the_node_are_reached(c);
	the_node_is_reached_from_its_pods(c);
	netns_node_command(
		c,
		"nft 'add rule inet shut forward ip saddr 10.244.0.0/16 accept comment \"weir\"; "
		"add rule inet shut forward ip daddr 10.244.0.0/16 accept; "
		"add rule inet shut forward ip6 saddr fd00:10:244::/48 accept; "
		"add rule inet shut forward ip6 daddr fd00:10:244::/48 accept'");
	assert_int_equal(netns_findings(c, FINDING_N003), before);
	world_is_reached(c, true);
}

/* ARP is no IP packet; neighbour discovery is, and crosses the bridge where netfilter sees it. */
static void n004_pods_on_a_bridge_do_not_find_each_other_by_ipv6_through_a_forward_chain_that_drops(
	void **state)
{
	struct netns_cluster *c = *state;
	struct weir_addr v4 = netns_pod_addr(OTHER, 0), v6 = netns_pod_addr(OTHER, 1);

	up(c);
	if (c->env->topology != SANDBOX_BRIDGE || access("/proc/sys/net/bridge", F_OK) ||
	    system("nft -v >/dev/null 2>&1"))
		return; /* there is no such bridge here: nothing to see */
	netns_node_command(c, "sysctl -qw net.bridge.bridge-nf-call-ip6tables=1");
	shut(c);
	assert_int_equal(netns_findings(c, FINDING_N004), 1);
	assert_int_equal(netns_try(c, "a/pod", IPPROTO_TCP, &v4, PORT, NULL, 0), 0);
	assert_int_not_equal(netns_try(c, "a/pod", IPPROTO_TCP, &v6, PORT, NULL, 0), 0);
	netns_node_command(
		c,
		"sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
	assert_int_equal(netns_findings(c, FINDING_N004), 0);
	pods_of_the_node_are_reached(c);
}

/* A pod gets an ICMP error or nothing, by family; the world too. */
static void n001_without_forwarding_pods_reach_the_node_and_each_other(void **state)
{
	struct netns_cluster *c = *state;

	up(c);
	assert_int_equal(netns_findings(c, FINDING_N001), 0);
	netns_node_command(c, "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
	assert_int_equal(netns_findings(c, FINDING_N001), 2);
	for (int family = 0; family < 2; family++)
		assert_int_not_equal(netns_try(c, "a/pod", IPPROTO_TCP, &c->net.world_addr[family],
					       PORT, NULL, 0),
				     -ECONNREFUSED);
	pods_of_the_node_are_reached(c);
	the_node_is_reached_from_its_pods(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(
			n003_a_forward_chain_that_drops_stops_the_way_to_the_world_and_no_other,
			NETNS_DROP_FORWARD),
		netns_test(
			n004_pods_on_a_bridge_do_not_find_each_other_by_ipv6_through_a_forward_chain_that_drops),
		netns_test(n001_without_forwarding_pods_reach_the_node_and_each_other),
	};

	return netns_run("traffic_settings", tests, ARRAY_SIZE(tests));
}
