// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N001, N002, N004: sysctls that affect pods' packets in the stack. See device.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/addr.h"
#include "doctor/device.h"

#define STRICT 1

int setting_read(const char *key)
{
	_cleanup_(mem_free) char *path = mem_printf("/proc/sys/net/%s", key);
	_cleanup_(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	return atoi(text);
}

static int device_setting(const char *device, const char *key)
{
	_cleanup_(mem_free) char *path = mem_printf("ipv4/conf/%s/%s", device, key);

	return setting_read(path);
}

static bool has_family(const struct doctor *d, int family)
{
	for (size_t i = 0; i < d->n_pods; i++)
		if (!weir_addr_is_zero(&d->pods[i].record->addr[family]))
			return true;
	return false;
}

static void forwarding_is_off(struct doctor *d, int family, const char *key)
{
	struct finding *f = finding_add(d->f, FINDING_N001, SEVERITY_ERROR);

	f->text = arena_printf(
		&d->f->arena, "IPv%d forwarding is off: pods can reach only this node and its pods",
		family ? 6 : 4);
	f->evidence = arena_printf(&d->f->arena, "%s = 0", key);
	f->fix = arena_printf(&d->f->arena, "sysctl -w %s=1", key);
}

/* IPv4 also needs forwarding on the device that a packet arrives on. */
static void check_device_forwarding(struct doctor *d, const struct device *dev)
{
	struct finding *f;

	if (device_setting(dev->name, "forwarding"))
		return;
	f = finding_add(d->f, FINDING_N001, SEVERITY_ERROR);
	f->text = arena_printf(
		&d->f->arena,
		"IPv4 forwarding is off on device %s: pods behind it can reach only this node and its pods",
		dev->name);
	f->evidence = arena_printf(&d->f->arena, "net.ipv4.conf.%s.forwarding = 0", dev->name);
	f->fix = arena_printf(&d->f->arena, "sysctl -w net.ipv4.conf.%s.forwarding=1", dev->name);
}

/* Pods on one bridge share its l3 device: check each device once. */
bool pod_is_first(const struct doctor *d, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (d->pods[j].l3 == d->pods[i].l3)
			return false;
	return true;
}

static void check_forwarding(struct doctor *d)
{
	if (has_family(d, 0) && !setting_read("ipv4/ip_forward"))
		forwarding_is_off(d, 0, "net.ipv4.ip_forward");
	else
		for (size_t i = 0; i < d->n_pods; i++)
			if (d->pods[i].l3 && !weir_addr_is_zero(&d->pods[i].record->addr[0]) &&
			    pod_is_first(d, i))
				check_device_forwarding(d, d->pods[i].l3);
	if (has_family(d, 1) && !setting_read("ipv6/conf/all/forwarding"))
		forwarding_is_off(d, 1, "net.ipv6.conf.all.forwarding");
}

/*
 * The kernel uses the larger of `all` and the device's value. Strict: the route back to the source
 * must use the device that the packet arrived on.
 */
static void check_reverse_path(struct doctor *d, const struct doctor_pod *pod)
{
	int all = setting_read("ipv4/conf/all/rp_filter"),
	    own = device_setting(pod->l3->name, "rp_filter");
	const struct weir_addr *addr = &pod->record->addr[0];
	const struct device *back;
	char text[ADDR_TEXT_MAX];
	struct finding *f;

	if (weir_addr_is_zero(addr) || (all > own ? all : own) != STRICT)
		return;
	back = device_find(d, device_towards(addr));
	if (back == pod->l3)
		return;
	f = finding_add(d->f, FINDING_N002, SEVERITY_ERROR);
	f->text = arena_printf(
		&d->f->arena,
		"rp_filter is strict on device %s, but the route to its pod %s/%s goes through %s: packets of the pod that the stack routes are dropped",
		pod->l3->name, pod->record->ns, pod->record->name, back ? back->name : "no device");
	f->evidence =
		arena_printf(&d->f->arena, "rp_filter: all %d, %s %d; route to %s: dev %s", all,
			     pod->l3->name, own, addr_text(addr, text), back ? back->name : "none");
	f->fix = arena_printf(
		&d->f->arena,
		"sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.%s.rp_filter=2, or correct the route",
		pod->l3->name);
}

/*
 * Traffic between local pods is redirected, so the bridge doesn't see it, except IPv6 neighbour
 * discovery, which crosses the bridge as IPv6 packets. These settings don't apply to ARP.
 */
static void check_bridge(struct doctor *d, const struct device *bridge)
{
	int v4 = setting_read("bridge/bridge-nf-call-iptables"),
	    v6 = setting_read("bridge/bridge-nf-call-ip6tables");
	bool discovery = v6 > 0 && d->forward6_drops && has_family(d, 1);
	struct finding *f;

	if (v4 <= 0 && v6 <= 0)
		return;
	f = finding_add(d->f, FINDING_N004, discovery ? SEVERITY_ERROR : SEVERITY_INFO);
	f->text = arena_printf(
		&d->f->arena,
		discovery
			? "neighbour discovery between pods on bridge %s passes through a FORWARD chain that drops by default (N003): the pods cannot reach each other by IPv6"
			: "frames on bridge %s pass through the rules of iptables and nftables, which can drop or translate traffic between pods and other hosts on the bridge",
		bridge->name);
	f->evidence =
		arena_printf(&d->f->arena,
			     "bridge-nf-call-iptables = %d, bridge-nf-call-ip6tables = %d", v4, v6);
	f->fix =
		"sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0";
}

void check_settings(struct doctor *d)
{
	check_forwarding(d);
	for (size_t i = 0; i < d->n_pods; i++)
		if (d->pods[i].l3)
			check_reverse_path(d, &d->pods[i]);
	for (size_t i = 0; i < d->n_pods; i++)
		if (d->pods[i].l3 && d->pods[i].l3 != d->pods[i].dev && pod_is_first(d, i))
			check_bridge(d, d->pods[i].l3);
}
