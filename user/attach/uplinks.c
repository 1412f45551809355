// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Devices, addresses and default routes by rtnetlink. See uplinks.h. */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "attach/uplinks.h"
#include "base/mem.h"
#include "base/nl.h"

struct device {
	struct uplink uplink;
	uint32_t master;
	bool up, ethernet, virtual; /* a veth or a dummy */
	bool default_route, has_addr;
	bool pod; /* a pod's device, or the bridge of one */
};

struct devices {
	struct device *items;
	size_t n, cap;
};

static void devices_free(struct devices *d)
{
	free(d->items);
}

static struct device *by_index(struct devices *d, uint32_t ifindex)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].uplink.ifindex == ifindex)
			return &d->items[i];
	return NULL;
}

static struct device *by_name(struct devices *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (!strcmp(d->items[i].uplink.name, name))
			return &d->items[i];
	return NULL;
}

/* ---- Reading ---- */

static bool is_virtual(const struct nlattr *info)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			return !strcmp(mnl_attr_get_str(attr), "veth") ||
			       !strcmp(mnl_attr_get_str(attr), "dummy");
	}
	return false;
}

static int read_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(h);
	struct devices *devices = arg;
	struct device *d = VEC_ADD(devices->items, devices->n, devices->cap);
	const struct nlattr *attr;

	d->uplink.ifindex = body->ifi_index;
	d->up = body->ifi_flags & IFF_UP;
	d->ethernet = body->ifi_type == ARPHRD_ETHER;
	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			strncpy(d->uplink.name, mnl_attr_get_str(attr), UPLINK_NAME_MAX - 1);
			break;
		case IFLA_MASTER:
			d->master = mnl_attr_get_u32(attr);
			break;
		case IFLA_LINKINFO:
			d->virtual = is_virtual(attr);
			break;
		}
	}
	return MNL_CB_OK;
}

/* The first address of a family is the one that the kernel prefers. */
static void take_addr(struct device *d, int family, const struct nlattr *attr)
{
	struct weir_addr a = {};

	if (family == AF_INET)
		a = weir_addr_from_v4(mnl_attr_get_u32(attr));
	else
		memcpy(a.b, mnl_attr_get_payload(attr), sizeof(a.b));
	d->has_addr = true;
	if (weir_addr_is_zero(&d->uplink.addr[family == AF_INET6]))
		d->uplink.addr[family == AF_INET6] = a;
}

static int read_addr(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *body = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr, *found = NULL;
	struct device *d = by_index(arg, body->ifa_index);

	if (!d || body->ifa_scope != RT_SCOPE_UNIVERSE ||
	    (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) ||
	    body->ifa_flags & (IFA_F_DEPRECATED | IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		/* of a point-to-point device IFA_ADDRESS is the other end */
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
		    (mnl_attr_get_type(attr) == IFA_ADDRESS && !found))
			found = attr;
	}
	if (found)
		take_addr(d, body->ifa_family, found);
	return MNL_CB_OK;
}

static void note_default(struct devices *devices, uint32_t ifindex)
{
	struct device *d = by_index(devices, ifindex);

	if (d)
		d->default_route = true;
}

static void note_hops(struct devices *devices, const struct nlattr *attr)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		note_default(devices, hop->rtnh_ifindex);
}

static int read_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *body = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	if (body->rtm_dst_len || body->rtm_type != RTN_UNICAST || body->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF)
			note_default(arg, mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			note_hops(arg, attr);
	}
	return MNL_CB_OK;
}

static int read_routes(struct nl *nl, int family, struct devices *d)
{
	struct rtmsg body = { .rtm_family = family };

	return nl_talk(nl, nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP, &body, sizeof(body)), read_route,
		       d);
}

static int read_devices(struct devices *d, struct weir_err *err)
{
	struct ifinfomsg link = {};
	struct ifaddrmsg addr = {};
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r = nl_open_own(NETLINK_ROUTE, &nl, err);

	if (r)
		return r;
	r = nl_talk(nl, nl_begin(nl, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link)), read_link, d);
	if (!r)
		r = nl_talk(nl, nl_begin(nl, RTM_GETADDR, NLM_F_DUMP, &addr, sizeof(addr)),
			    read_addr, d);
	if (!r)
		r = read_routes(nl, AF_INET, d);
	if (!r)
		r = read_routes(nl, AF_INET6, d);
	return r ? err_set(err, r, "devices, addresses and routes of this node: %s", strerror(-r))
		 : 0;
}

/* ---- Choosing ---- */

static void note_pods(struct devices *devices, const struct attachment_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct device *d = by_index(devices, l->items[i].ifindex);
		struct device *master = d && d->master ? by_index(devices, d->master) : NULL;

		if (d)
			d->pod = true;
		if (master)
			master->pod = true;
	}
}

static bool is_uplink(const struct device *d)
{
	if (!d->up || !d->ethernet || d->pod)
		return false;
	return d->default_route || (d->has_addr && !d->virtual);
}

static void add(struct attachment_list *l, const struct device *d,
		const struct uplinks_wanted *wanted)
{
	struct uplink *u = VEC_ADD(l->uplinks, l->n_uplinks, l->cap_uplinks);

	*u = d->uplink;
	for (int f = 0; f < 2; f++)
		if (weir_addr_is_zero(&u->addr[f]))
			u->addr[f] = wanted->main[f];
}

static int add_named(const char *name, struct devices *devices, struct attachment_list *l,
		     const struct uplinks_wanted *wanted, struct weir_err *err)
{
	const struct device *d = by_name(devices, name);

	if (!d)
		return err_set(err, -EINVAL, "this node has no device %s", name);
	if (!d->ethernet)
		return err_set(err, -EINVAL,
			       "device %s is no Ethernet device: only those can be uplinks", name);
	if (d->pod)
		return err_set(err, -EINVAL,
			       "device %s is the device of a pod, or the bridge of one", name);
	add(l, d, wanted);
	return 0;
}

int uplinks_find(const struct uplinks_wanted *wanted, struct attachment_list *l,
		 struct weir_err *err)
{
	_cleanup_(devices_free) struct devices devices = {};
	int r = read_devices(&devices, err);

	if (r)
		return r;
	note_pods(&devices, l);
	for (size_t i = 0; i < wanted->n && !r; i++)
		r = add_named(wanted->names[i], &devices, l, wanted, err);
	for (size_t i = 0; !wanted->n && i < devices.n; i++)
		if (is_uplink(&devices.items[i]))
			add(l, &devices.items[i], wanted);
	l->uplinks_known = !r;
	return r;
}
