// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Links and routes by rtnetlink. See device.h. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/nl.h"
#include "doctor/device.h"

struct device_list {
	struct device *items;
	size_t n, cap;
};

static void read_kind(const struct nlattr *nest, struct device *d)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			strncpy(d->kind, mnl_attr_get_str(attr), sizeof(d->kind) - 1);
	}
}

static void read_attr(const struct nlattr *attr, struct device *d)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		strncpy(d->name, mnl_attr_get_str(attr), sizeof(d->name) - 1);
		break;
	case IFLA_MASTER:
		d->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		d->peer = mnl_attr_get_u32(attr);
		break;
	case IFLA_MTU:
		d->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		read_kind(attr, d);
		break;
	}
}

static int read_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(h);
	struct device_list *l = arg;
	struct device *d = VEC_ADD(l->items, l->n, l->cap);
	const struct nlattr *attr;

	d->ifindex = body->ifi_index;
	d->up = body->ifi_flags & IFF_UP;
	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		read_attr(attr, d);
	}
	return MNL_CB_OK;
}

static int by_index(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

int devices_read(struct device **ret_devices, size_t *ret_n, size_t *ret_cap, struct weir_err *err)
{
	struct ifinfomsg body = {};
	_cleanup_(nl_close) struct nl *nl = NULL;
	struct device_list l = {};
	int r = nl_open_own(NETLINK_ROUTE, &nl, err);

	if (r)
		return r;
	r = nl_talk(nl, nl_begin(nl, RTM_GETLINK, NLM_F_DUMP, &body, sizeof(body)), read_link, &l);
	if (r) {
		free(l.items);
		return err_set(err, r, "list of devices: %s", strerror(-r));
	}
	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), by_index);
	*ret_devices = l.items;
	*ret_n = l.n;
	*ret_cap = l.cap;
	return 0;
}

const struct device *device_find(const struct doctor *d, uint32_t ifindex)
{
	struct device key = { .ifindex = ifindex };

	return d->n_devices ? bsearch(&key, d->devices, d->n_devices, sizeof(key), by_index) : NULL;
}

uint32_t device_mtu(uint32_t ifindex)
{
	struct ifinfomsg body = { .ifi_index = ifindex };
	_cleanup_(nl_close) struct nl *nl = NULL;
	_cleanup_(mem_free) struct device *found = NULL;
	struct device_list l = {};

	if (nl_open_own(NETLINK_ROUTE, &nl, NULL))
		return 0;
	nl_talk(nl, nl_begin(nl, RTM_GETLINK, NLM_F_ACK, &body, sizeof(body)), read_link, &l);
	found = l.items;
	return l.n ? found->mtu : 0;
}

static int read_route(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(struct rtmsg))
	{
		if (mnl_attr_get_type(attr) == RTA_OIF)
			*(uint32_t *)arg = mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

uint32_t device_towards(const struct weir_addr *a)
{
	bool v4 = weir_addr_is_v4(a);
	struct rtmsg body = { .rtm_family = v4 ? AF_INET : AF_INET6, .rtm_dst_len = v4 ? 32 : 128 };
	_cleanup_(nl_close) struct nl *nl = NULL;
	struct nlmsghdr *h;
	uint32_t ifindex = 0;

	if (nl_open_own(NETLINK_ROUTE, &nl, NULL))
		return 0;
	h = nl_begin(nl, RTM_GETROUTE, NLM_F_ACK, &body, sizeof(body));
	if (v4)
		mnl_attr_put(h, RTA_DST, 4, &a->w[3]);
	else
		mnl_attr_put(h, RTA_DST, 16, a->b);
	nl_talk(nl, h, read_route, &ifindex);
	return ifindex;
}
