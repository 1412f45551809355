// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Weir is attached to pods that already run, beside nftables rules like kube-proxy's. Open
 * connections, direct and through those rules, continue; Weir serves new ones, and enforces policy
 * on both.
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

#define CLIENT 10
#define SERVER 11
#define VIP 40
#define OTHERS 3 /* more backends: a second selection would likely change the backend */
#define OPEN 4 /* connections by each path and family */

/*
 * Only from client to server: a packet that is judged in the wrong direction, because its
 * connection is unknown, does not pass.
 */
static const char one_way[] =
	"policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: "
	"[{port: 8080}, {port: 5353, protocol: UDP}]}], egress: [{to: [{podSelector: {matchLabels: {app: server}}}], "
	"ports: [{port: 8080}, {port: 5353, protocol: UDP}]}]";
static const char nothing[] = "policyTypes: [Ingress, Egress]";

static void up(struct netns_cluster *c, const char *policy)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	netns_pod(f, "a", "client", "client", CLIENT, "none:TCP:9");
	for (int i = 0; i <= OTHERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "server-%d", i);
		netns_pod(f, "a", name, "server", SERVER + i, "http:TCP:8080 dns:UDP:5353");
	}
	netns_service(f, "a", "web", "server", VIP, "web:TCP:80:http names:UDP:53:dns");
	if (policy)
		netns_policy(f, "a", "policy", "", policy);
	fclose(f);
	netns_cluster_up(c, text);
}

/* DNAT from the cluster IP to the first server, by the host's conntrack. */
static void old_proxy(const struct netns_cluster *c)
{
	/* kube-proxy requires it where pods share a bridge */
	if (c->env->topology == SANDBOX_BRIDGE)
		netns_node_command(c, "echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; "
				      "echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables");
	/* keeps conntrack enabled when the proxy's last rule is gone */
	netns_node_command(
		c, "nft 'table inet own { chain forward { type filter hook forward priority 0; "
		   "ct state established accept; }; }'");
	netns_node_command(
		c,
		"nft 'table inet old { chain services { type nat hook prerouting priority dstnat; }; }'");
	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP, family),
				 server = netns_pod_addr(SERVER, family);
		char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];
		const char *ip = family ? "ip6" : "ip";

		netns_node_command(
			c,
			"nft 'add rule inet old services %s daddr %s tcp dport 80 dnat %s to %s%s%s:8080'",
			ip, addr_text(&vip, from), ip, family ? "[" : "", addr_text(&server, to),
			family ? "]" : "");
	}
}

struct open_one {
	int fd;
	char line[128]; /* the server's answer: the same each time */
};

static void assert_continues(const struct open_one *o)
{
	char line[128];

	assert_int_equal(netns_ask(o->fd, line, sizeof(line)), 0);
	assert_string_equal(line, o->line);
}

static void open_one(const struct netns_cluster *c, struct open_one *o, int proto,
		     const struct weir_addr *dst, uint16_t port)
{
	o->fd = netns_socket(c, "a/client", addr_family(dst), proto, 0);
	assert_int_equal(netns_connect(o->fd, dst, port), 0);
	assert_int_equal(netns_ask(o->fd, o->line, sizeof(o->line)), 0);
	assert_memory_equal(o->line, "a/server-0 ", 11);
}

/* By both paths. Weir's Service would not choose server-0 for all. */
static size_t open_all(const struct netns_cluster *c, struct open_one *all)
{
	size_t n = 0;

	for (int family = 0; family < 2; family++) {
		struct weir_addr vip = netns_service_addr(VIP, family),
				 direct = netns_pod_addr(SERVER, family);

		for (int i = 0; i < OPEN; i++) {
			open_one(c, &all[n++], IPPROTO_TCP, &vip, 80);
			open_one(c, &all[n++], IPPROTO_TCP, &direct, 8080);
		}
	}
	return n;
}

/* Opens connections, then attaches Weir. Returns how many. */
static size_t hand_over(struct netns_cluster *c, struct open_one *all)
{
	size_t n;

	c->bare = true;
	up(c, NULL);
	old_proxy(c);
	n = open_all(c, all);
	c->bare = false;
	up(c, one_way);
	return n;
}

static void a_hand_over_cuts_nothing(void **state)
{
	struct open_one all[4 * OPEN];
	struct netns_cluster *c = *state;
	size_t n;

	n = hand_over(c, all);
	for (size_t i = 0; i < n; i++)
		assert_continues(&all[i]);
	/* the chains stay, as those of kube-proxy do */
	netns_node_command(c, "nft flush chain inet old services");
	for (size_t i = 0; i < n; i++)
		assert_continues(&all[i]);
	for (int family = 0; family < 2; family++) { /* only Weir serves the cluster IP now */
		struct weir_addr vip = netns_service_addr(VIP, family);

		for (int i = 0; i < OPEN; i++)
			assert_int_equal(netns_try(c, "a/client", i % 2 ? IPPROTO_UDP : IPPROTO_TCP,
						   &vip, i % 2 ? 53 : 80, NULL, 0),
					 0);
	}
	for (size_t i = 0; i < n; i++)
		close(all[i].fd);
}

static void np_50_a_policy_cuts_connections_that_are_older_than_weir(void **state)
{
	struct open_one all[4 * OPEN];
	struct netns_cluster *c = *state;
	char line[128];
	size_t n;

	n = hand_over(c, all);
	assert_continues(&all[0]);
	assert_continues(&all[1]);
	up(c, nothing);
	assert_int_equal(netns_ask(all[0].fd, line, sizeof(line)), -ETIMEDOUT);
	assert_int_equal(netns_ask(all[1].fd, line, sizeof(line)), -ETIMEDOUT);
	for (size_t i = 0; i < n; i++)
		close(all[i].fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		netns_test_needs(a_hand_over_cuts_nothing, NETNS_DROP_FORWARD),
		netns_test_needs(np_50_a_policy_cuts_connections_that_are_older_than_weir,
				 NETNS_DROP_FORWARD),
	};

	return netns_run("traffic_adopt", tests, ARRAY_SIZE(tests));
}
