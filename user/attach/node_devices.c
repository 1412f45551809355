// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Masters and tunnels by rtnetlink and generic netlink. See node_devices.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fou.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>

#include <weir/config.h>

#include "attach/node_devices.h"
#include "base/mem.h"
#include "base/nl.h"

/* ---- Masters ---- */

static int read_master(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attr) == IFLA_MASTER)
			*(uint32_t *)arg = mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

uint32_t device_master(uint32_t ifindex)
{
	struct ifinfomsg body = { .ifi_index = ifindex };
	_cleanup_(nl_close) struct nl *nl = NULL;
	uint32_t master = 0;

	if (nl_open_own(NETLINK_ROUTE, &nl, NULL))
		return 0;
	nl_talk(nl, nl_begin(nl, RTM_GETLINK, NLM_F_ACK, &body, sizeof(body)), read_master,
		&master);
	return master;
}

/* ---- Ports of tunnels ---- */

/* Kinds of devices whose own attribute has the port, in network order. */
static const struct {
	const char *kind;
	uint16_t port;
} kinds[] = {
	{ "vxlan", IFLA_VXLAN_PORT },
	{ "geneve", IFLA_GENEVE_PORT },
	{ "bareudp", IFLA_BAREUDP_PORT },
};

struct overlay {
	uint64_t *ports;
	uint32_t *wireguard; /* ifindexes */
	size_t n_wireguard, cap_wireguard;
};

static void overlay_free(struct overlay *o)
{
	free(o->wireguard);
}

static void add_port(struct overlay *o, uint16_t port)
{
	if (port)
		o->ports[port / 64] |= 1ull << (port % 64);
}

/* The attribute of that type inside another one, or NULL. */
static const struct nlattr *inner(const struct nlattr *outer, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, outer)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static void read_info(const struct nlattr *info, uint32_t ifindex, struct overlay *o)
{
	const struct nlattr *kind = inner(info, IFLA_INFO_KIND),
			    *data = inner(info, IFLA_INFO_DATA);

	if (!kind)
		return;
	if (!strcmp(mnl_attr_get_str(kind), "wireguard"))
		*VEC_ADD(o->wireguard, o->n_wireguard, o->cap_wireguard) = ifindex;
	for (size_t i = 0; data && i < ARRAY_SIZE(kinds); i++) {
		const struct nlattr *port = inner(data, kinds[i].port);

		if (port && !strcmp(mnl_attr_get_str(kind), kinds[i].kind))
			add_port(o, ntohs(mnl_attr_get_u16(port)));
	}
}

static int read_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			read_info(attr, body->ifi_index, arg);
	}
	return MNL_CB_OK;
}

static int read_links(struct overlay *o, struct weir_err *err)
{
	struct ifinfomsg body = {};
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r = nl_open_own(NETLINK_ROUTE, &nl, err);

	if (r)
		return r;
	r = nl_talk(nl, nl_begin(nl, RTM_GETLINK, NLM_F_DUMP, &body, sizeof(body)), read_link, o);
	return r ? err_set(err, r, "list of devices: %s", strerror(-r)) : 0;
}

/* ---- Generic netlink: WireGuard and foo-over-UDP ---- */

struct wanted {
	uint16_t type; /* of the attribute */
	bool swap; /* it is in network order */
	struct overlay *o; /* gets a port; NULL: the value is left in found */
	uint16_t found;
};

static int read_attr(const struct nlmsghdr *h, void *arg)
{
	struct wanted *w = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, h, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(attr) != w->type)
			continue;
		w->found = mnl_attr_get_u16(attr);
		if (w->o)
			add_port(w->o, w->swap ? ntohs(w->found) : w->found);
	}
	return MNL_CB_OK;
}

/* The number of a generic netlink family; -ENOENT: the kernel has not loaded it. */
static int family_id(struct nl *nl, const char *name)
{
	struct genlmsghdr body = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	struct wanted w = { .type = CTRL_ATTR_FAMILY_ID };
	struct nlmsghdr *h = nl_begin(nl, GENL_ID_CTRL, NLM_F_ACK, &body, sizeof(body));
	int r;

	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, name);
	r = nl_talk(nl, h, read_attr, &w);
	return r ? r : w.found;
}

static int read_wireguard(struct nl *nl, struct overlay *o, struct weir_err *err)
{
	struct genlmsghdr body = { .cmd = WG_CMD_GET_DEVICE, .version = WG_GENL_VERSION };
	struct wanted w = { .type = WGDEVICE_A_LISTEN_PORT, .o = o };
	int family = o->n_wireguard ? family_id(nl, WG_GENL_NAME) : 0, r = 0;

	for (size_t i = 0; i < o->n_wireguard && family > 0 && !r; i++) {
		struct nlmsghdr *h = nl_begin(nl, family, NLM_F_DUMP, &body, sizeof(body));

		mnl_attr_put_u32(h, WGDEVICE_A_IFINDEX, o->wireguard[i]);
		r = nl_talk(nl, h, read_attr, &w);
		if (r == -ENODEV) /* removed meanwhile */
			r = 0;
	}
	if (family < 0)
		r = family;
	return r ? err_set(err, r, "ports of WireGuard devices: %s", strerror(-r)) : 0;
}

static int read_fou(struct nl *nl, struct overlay *o, struct weir_err *err)
{
	struct genlmsghdr body = { .cmd = FOU_CMD_GET, .version = FOU_GENL_VERSION };
	struct wanted w = { .type = FOU_ATTR_PORT, .swap = true, .o = o };
	int family = family_id(nl, FOU_GENL_NAME), r;

	if (family == -ENOENT)
		return 0;
	r = family < 0 ? family
		       : nl_talk(nl, nl_begin(nl, family, NLM_F_DUMP, &body, sizeof(body)),
				 read_attr, &w);
	return r ? err_set(err, r, "ports of foo-over-UDP: %s", strerror(-r)) : 0;
}

int overlay_ports_read(uint64_t *ret_ports, struct weir_err *err)
{
	_cleanup_(overlay_free) struct overlay o = { .ports = ret_ports };
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r;

	memset(ret_ports, 0, WEIR_OVERLAY_WORDS * sizeof(*ret_ports));
	r = read_links(&o, err);
	if (!r)
		r = nl_open_own(NETLINK_GENERIC, &nl, err);
	if (!r)
		r = read_wireguard(nl, &o, err);
	return r ? r : read_fou(nl, &o, err);
}
