// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * N017, N019, N020: ways in which a pod or a stranger passes for somebody else below Weir, or
 * beside it. See device.h.
 */
#include <string.h>

#include "doctor/device.h"

/* ---- N017 ---- */

/* The kernel uses `all` or the device's value. */
static void check_loopback(struct doctor *d, const struct device *dev)
{
	_cleanup_(mem_free) char *key = mem_printf("ipv4/conf/%s/route_localnet", dev->name);
	int all = setting_read("ipv4/conf/all/route_localnet"), own = setting_read(key);
	struct finding *f;

	if (all <= 0 && own <= 0)
		return;
	f = finding_add(d->f, FINDING_N017, SEVERITY_WARNING);
	f->text = arena_printf(
		&d->f->arena,
		"the stack accepts packets to 127.0.0.0/8 on device %s: pods can reach what this node serves to itself only",
		dev->name);
	f->evidence =
		arena_printf(&d->f->arena, "route_localnet: all %d, %s %d", all, dev->name, own);
	f->fix = arena_printf(
		&d->f->arena,
		"sysctl -w net.ipv4.conf.all.route_localnet=0 net.ipv4.conf.%s.route_localnet=0",
		dev->name);
}

/* ---- N019 ---- */

static int v6_setting(const struct device *dev, const char *key)
{
	_cleanup_(mem_free) char *path = mem_printf("ipv6/conf/%s/%s", dev->name, key);

	return setting_read(path);
}

/* 1: unless the device forwards; 2: always. */
static void check_router(struct doctor *d, const struct device *dev)
{
	int accept = v6_setting(dev, "accept_ra"), forwarding = v6_setting(dev, "forwarding");
	struct finding *f;

	if (v6_setting(dev, "disable_ipv6") || accept <= 0 || (accept == 1 && forwarding > 0))
		return;
	f = finding_add(d->f, FINDING_N019, SEVERITY_WARNING);
	f->text = arena_printf(
		&d->f->arena,
		"router advertisements are accepted on device %s: a pod behind it can become this node's IPv6 router",
		dev->name);
	f->evidence =
		arena_printf(&d->f->arena, "net.ipv6.conf.%s: accept_ra = %d, forwarding = %d",
			     dev->name, accept, forwarding);
	f->fix = arena_printf(&d->f->arena, "sysctl -w net.ipv6.conf.%s.accept_ra=0", dev->name);
}

/* ---- N020 ---- */

/* Devices that decapsulate what any host sends; those of WireGuard and IPsec prove the sender. */
static bool is_tunnel(const struct device *dev)
{
	static const char *const kinds[] = { "vxlan",  "geneve",    "bareudp", "ipip",
					     "sit",    "ip6tnl",    "gre",     "gretap",
					     "ip6gre", "ip6gretap", "erspan",  "ip6erspan" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (dev->up && !strcmp(dev->kind, kinds[i]))
			return true;
	return false;
}

static void check_tunnel(struct doctor *d, const struct device *dev)
{
	struct finding *f;

	if (!is_tunnel(dev))
		return;
	f = finding_add(d->f, FINDING_N020, SEVERITY_WARNING);
	f->text = arena_printf(
		&d->f->arena,
		"device %s (%s) accepts packets of any host that can send to this node: such a host passes for any pod of another node",
		dev->name, dev->kind);
	f->evidence = arena_printf(
		&d->f->arena, "%s is up, and no rule of nftables says weir-overlay", dev->name);
	f->fix =
		"drop tunnel packets that are not from nodes: nft 'add rule FAMILY TABLE CHAIN udp dport PORT ip saddr != NODES drop comment \"weir-overlay\"', at the hook input";
}

void check_trust(struct doctor *d)
{
	for (size_t i = 0; i < d->n_pods; i++)
		if (d->pods[i].l3 && pod_is_first(d, i)) {
			check_loopback(d, d->pods[i].l3);
			check_router(d, d->pods[i].l3);
		}
	for (size_t i = 0; i < d->n_devices && !d->overlay_settled; i++)
		check_tunnel(d, &d->devices[i]);
}
