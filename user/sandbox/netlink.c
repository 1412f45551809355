// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rtnetlink by libmnl: one request, one acknowledgement. Must never get a socket of the machine's
 * own namespace: callers open one by namespace.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "base/mem.h"
#include "sandbox/netlink.h"
#include "sandbox/netns.h"

int nl_open(int netns_fd, struct nl **ret_nl, struct weir_err *err)
{
	_cleanup_(netns_leave) int back = -1;
	int r = netns_enter(netns_fd, &back, err);

	return r ? r : nl_open_own(NETLINK_ROUTE, ret_nl, err);
}

static void put_addr(struct nlmsghdr *h, uint16_t type, const struct weir_addr *a)
{
	if (weir_addr_is_v4(a))
		mnl_attr_put(h, type, 4, &a->w[3]);
	else
		mnl_attr_put(h, type, 16, a->b);
}

static unsigned char family_of(const struct weir_addr *a)
{
	return weir_addr_is_v4(a) ? AF_INET : AF_INET6;
}

static unsigned char prefix_of(const struct cidr *c)
{
	return weir_addr_is_v4(&c->addr) ? c->len - WEIR_V4_PREFIX_BITS : c->len;
}

int nl_veth_add(struct nl *nl, const struct nl_veth *veth, struct weir_err *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = veth->host_index };
	struct ifinfomsg peer = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &body,
				      sizeof(body));
	struct nlattr *info, *data, *other;
	int r;

	mnl_attr_put_strz(h, IFLA_IFNAME, veth->host);
	if (veth->host_mac)
		mnl_attr_put(h, IFLA_ADDRESS, 6, veth->host_mac);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(h, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(h, sizeof(peer)), &peer, sizeof(peer));
	mnl_attr_put_strz(h, IFLA_IFNAME, veth->peer);
	mnl_attr_put(h, IFLA_ADDRESS, 6, veth->mac);
	mnl_attr_put_u32(h, IFLA_NET_NS_FD, veth->peer_netns_fd);
	mnl_attr_nest_end(h, other);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	r = nl_talk(nl, h, NULL, NULL);
	return r ? err_set(err, r, "veth %s: %s", veth->host, strerror(-r)) : 0;
}

int nl_bridge_add(struct nl *nl, const char *name, const uint8_t mac[6], struct weir_err *err)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &body,
				      sizeof(body));
	struct nlattr *info;
	int r;

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	mnl_attr_nest_end(h, info);
	r = nl_talk(nl, h, NULL, NULL);
	return r ? err_set(err, r, "bridge %s: %s", name, strerror(-r)) : 0;
}

struct link_state {
	int index;
	unsigned char operstate;
};

static int read_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(h);
	struct link_state *state = arg;
	const struct nlattr *attr;

	state->index = body->ifi_index;
	mnl_attr_for_each(attr, h, sizeof(*body)) if (mnl_attr_get_type(attr) == IFLA_OPERSTATE)
		state->operstate = mnl_attr_get_u8(attr);
	return MNL_CB_STOP;
}

static int get_link(struct nl *nl, const char *name, struct link_state *ret_state)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *h = nl_begin(nl, RTM_GETLINK, 0, &body, sizeof(body));

	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	return nl_talk(nl, h, read_link, ret_state);
}

int nl_link_index(struct nl *nl, const char *name, struct weir_err *err)
{
	struct link_state state = {};
	int r = get_link(nl, name, &state);

	return r ? err_set(err, r, "device %s: %s", name, strerror(-r)) : state.index;
}

bool nl_link_operational(struct nl *nl, const char *name)
{
	struct link_state state = {};

	return !get_link(nl, name, &state) && state.operstate == IF_OPER_UP;
}

int nl_link_up(struct nl *nl, int ifindex, struct weir_err *err)
{
	struct ifinfomsg body = { .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	int r = nl_talk(nl, h, NULL, NULL);

	return r ? err_set(err, r, "device %d up: %s", ifindex, strerror(-r)) : 0;
}

int nl_link_master(struct nl *nl, int ifindex, int master, struct weir_err *err)
{
	struct ifinfomsg body = { .ifi_index = ifindex };
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	int r;

	mnl_attr_put_u32(h, IFLA_MASTER, master);
	r = nl_talk(nl, h, NULL, NULL);
	return r ? err_set(err, r, "device %d into bridge %d: %s", ifindex, master, strerror(-r))
		 : 0;
}

int nl_link_delete(struct nl *nl, int ifindex, struct weir_err *err)
{
	struct ifinfomsg body = { .ifi_index = ifindex };
	struct nlmsghdr *h = nl_begin(nl, RTM_DELLINK, NLM_F_ACK, &body, sizeof(body));
	int r = nl_talk(nl, h, NULL, NULL);

	return r && r != -ENODEV ? err_set(err, r, "delete device %d: %s", ifindex, strerror(-r))
				 : 0;
}

int nl_addr_add(struct nl *nl, int ifindex, const struct cidr *addr, unsigned int flags,
		struct weir_err *err)
{
	struct ifaddrmsg body = {
		.ifa_family = family_of(&addr->addr),
		.ifa_prefixlen = prefix_of(addr),
		.ifa_scope = flags & NL_ADDR_LINK_SCOPE ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.ifa_index = ifindex,
	};
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
				      &body, sizeof(body));
	char text[ADDR_TEXT_MAX];
	int r;

	put_addr(h, IFA_LOCAL, &addr->addr);
	put_addr(h, IFA_ADDRESS, &addr->addr);
	mnl_attr_put_u32(h, IFA_FLAGS,
			 IFA_F_NODAD | (flags & NL_ADDR_NO_ROUTE ? IFA_F_NOPREFIXROUTE : 0));
	r = nl_talk(nl, h, NULL, NULL);
	return r ? err_set(err, r, "address %s: %s", cidr_text(addr, text), strerror(-r)) : 0;
}

int nl_neighbour_add(struct nl *nl, int ifindex, const struct weir_addr *addr, const uint8_t mac[6],
		     struct weir_err *err)
{
	struct ndmsg body = {
		.ndm_family = family_of(addr),
		.ndm_ifindex = ifindex,
		.ndm_state = NUD_PERMANENT,
	};
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
				      &body, sizeof(body));
	char text[ADDR_TEXT_MAX];
	int r;

	put_addr(h, NDA_DST, addr);
	mnl_attr_put(h, NDA_LLADDR, 6, mac);
	r = nl_talk(nl, h, NULL, NULL);
	return r ? err_set(err, r, "neighbour %s: %s", addr_text(addr, text), strerror(-r)) : 0;
}

int nl_proxy_set(struct nl *nl, int ifindex, const struct weir_addr *addr, bool on,
		 struct weir_err *err)
{
	struct ndmsg body = {
		.ndm_family = family_of(addr),
		.ndm_ifindex = ifindex,
		.ndm_flags = NTF_PROXY,
	};
	struct nlmsghdr *h =
		nl_begin(nl, on ? RTM_NEWNEIGH : RTM_DELNEIGH,
			 NLM_F_ACK | (on ? NLM_F_CREATE | NLM_F_REPLACE : 0), &body, sizeof(body));
	char text[ADDR_TEXT_MAX];
	int r;

	put_addr(h, NDA_DST, addr);
	r = nl_talk(nl, h, NULL, NULL);
	if (!on && r == -ENOENT)
		return 0;
	return r ? err_set(err, r, "proxy for %s: %s", addr_text(addr, text), strerror(-r)) : 0;
}

int nl_route_add(struct nl *nl, const struct nl_route *route, struct weir_err *err)
{
	struct rtmsg body = {
		.rtm_family = family_of(&route->dst.addr),
		.rtm_dst_len = prefix_of(&route->dst),
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = route->gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = route->gateway ? RTNH_F_ONLINK : 0,
	};
	struct nlmsghdr *h = nl_begin(nl, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
				      &body, sizeof(body));
	char text[ADDR_TEXT_MAX];
	int r;

	if (body.rtm_dst_len)
		put_addr(h, RTA_DST, &route->dst.addr);
	if (route->gateway)
		put_addr(h, RTA_GATEWAY, route->gateway);
	if (route->source)
		put_addr(h, RTA_PREFSRC, route->source);
	mnl_attr_put_u32(h, RTA_OIF, route->ifindex);
	r = nl_talk(nl, h, NULL, NULL);
	return r ? err_set(err, r, "route %s: %s", cidr_text(&route->dst, text), strerror(-r)) : 0;
}
