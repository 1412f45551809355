// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_cluster.h: the environments of the traffic suites, and the settings in the cluster's
 * node namespace. Every topology with tcx and with clsact, and each setting with the topology where
 * it matters most.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/netns_cluster.h"
#include "sandbox/netns.h"

const struct netns_env netns_envs[] = {
	{ "routed, tcx", SANDBOX_ROUTED, ATTACH_TCX, 0 },
	{ "routed, clsact", SANDBOX_ROUTED, ATTACH_CLSACT, 0 },
	{ "ptp, tcx", SANDBOX_PTP, ATTACH_TCX, 0 },
	{ "ptp, clsact", SANDBOX_PTP, ATTACH_CLSACT, 0 },
	{ "bridge that floods, tcx", SANDBOX_BRIDGE, ATTACH_TCX, NETNS_HUB },
	{ "bridge, clsact", SANDBOX_BRIDGE, ATTACH_CLSACT, 0 },
	{ "rp_filter=1, bridge, tcx", SANDBOX_BRIDGE, ATTACH_TCX, NETNS_STRICT_RP_FILTER },
	{ "ct state invalid drop, ptp, tcx", SANDBOX_PTP, ATTACH_TCX, NETNS_DROP_INVALID },
	{ "FORWARD policy drop, routed, tcx", SANDBOX_ROUTED, ATTACH_TCX, NETNS_DROP_FORWARD },
	{ "bridge-nf-call-iptables=1, ct state invalid drop, bridge, tcx", SANDBOX_BRIDGE,
	  ATTACH_TCX, NETNS_BRIDGE_NF | NETNS_DROP_INVALID },
	{ "no offloads, ptp, tcx", SANDBOX_PTP, ATTACH_TCX, NETNS_NO_OFFLOAD },
	{},
};

const struct netns_env *netns_env = netns_envs;

void netns_node_command(const struct netns_cluster *c, const char *fmt, ...)
{
	_cleanup_(netns_leave) int back = -1;
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	netns_cluster_enter(c, "node", &back);
	if (system(command))
		fail_msg("in the node's namespace: %s", command);
}

static void node_sysctl(const struct netns_cluster *c, const char *key, const char *value)
{
	_cleanup_(netns_leave) int back = -1;
	struct weir_err err = {};

	netns_cluster_enter(c, "node", &back);
	if (netns_sysctl(key, value, &err))
		fail_msg("%s", err.text);
}

/* Sets the value also when off: a new namespace inherits the machine's. */
static void set_bridge_nf(const struct netns_cluster *c, bool on)
{
	if (access("/proc/sys/net/bridge", F_OK))
		return;
	node_sysctl(c, "bridge/bridge-nf-call-iptables", on ? "1" : "0");
	node_sysctl(c, "bridge/bridge-nf-call-ip6tables", on ? "1" : "0");
}

static void drop_invalid(const struct netns_cluster *c)
{
	netns_node_command(
		c,
		"nft 'table inet strict { "
		"chain forward { type filter hook forward priority 0; ct state invalid counter drop; }; "
		"chain input { type filter hook input priority 0; ct state invalid counter drop; }; }'");
}

static void drop_forward(const struct netns_cluster *c)
{
	netns_node_command(
		c,
		"nft 'table inet closed { chain forward { type filter hook forward priority 0; policy drop; }; }'");
	if (!(c->needs & NETNS_DROP_FORWARD))
		return;
	netns_node_command(c, "nft 'add rule inet closed forward ip saddr 10.244.0.0/16 accept; "
			      "add rule inet closed forward ip daddr 10.244.0.0/16 accept; "
			      "add rule inet closed forward ip6 saddr fd00:10:244::/48 accept; "
			      "add rule inet closed forward ip6 daddr fd00:10:244::/48 accept'");
}

static void settle_once(const struct netns_cluster *c)
{
	unsigned int s = c->env->settings;

	set_bridge_nf(c, s & NETNS_BRIDGE_NF);
	if (s & NETNS_HUB)
		netns_node_command(c, "ip link set cni0 type bridge ageing_time 0");
	if (s & NETNS_STRICT_RP_FILTER)
		node_sysctl(c, "ipv4/conf/all/rp_filter", "1");
	if (s & NETNS_DROP_INVALID)
		drop_invalid(c);
	if (s & NETNS_DROP_FORWARD)
		drop_forward(c);
}

/* Called after every netns_cluster_up(): a reload can add pods. */
static void offloads_off(const struct netns_cluster *c)
{
	netns_offload(c, "node", false);
	netns_offload(c, "world", false);
	for (size_t i = 0; i < c->store->n_pods; i++) {
		const struct kube_pod *pod = c->store->pods[i];
		_cleanup_(mem_free) char *where = mem_printf("%s/%s", pod->meta.ns, pod->meta.name);

		if (!pod->host_network)
			netns_offload(c, where, false);
	}
}

void netns_settle(struct netns_cluster *c)
{
	if (!c->settled)
		settle_once(c);
	c->settled = true;
	if (c->env->settings & NETNS_NO_OFFLOAD)
		offloads_off(c);
}
