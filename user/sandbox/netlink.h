/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The rtnetlink requests of a sandbox's wiring. A socket works on the namespace that it was opened
 * in, wherever the thread is later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/nl.h"

/* netns_fd: the namespace to work on. */
int nl_open(int netns_fd, struct nl **ret_nl, struct weir_err *err);

/* A veth pair: `host` in the socket's namespace, down; `peer` in another one. */
struct nl_veth {
	const char *host, *peer;
	int host_index; /* ifindex of host; 0: any */
	int peer_netns_fd;
	const uint8_t *host_mac; /* NULL: any */
	const uint8_t *mac; /* of peer */
};

int nl_veth_add(struct nl *nl, const struct nl_veth *veth, struct weir_err *err);
/* A bridge with that MAC, down. */
int nl_bridge_add(struct nl *nl, const char *name, const uint8_t mac[6], struct weir_err *err);
/* Makes the device a port of bridge `master`. */
int nl_link_master(struct nl *nl, int ifindex, int master, struct weir_err *err);
/* ifindex or -errno; -ENODEV: no such device. */
int nl_link_index(struct nl *nl, const char *name, struct weir_err *err);
/*
 * Up and active. The kernel activates a device's queue some time after its carrier appears, and
 * drops what is sent before.
 */
bool nl_link_operational(struct nl *nl, const char *name);
int nl_link_up(struct nl *nl, int ifindex, struct weir_err *err);
int nl_link_delete(struct nl *nl, int ifindex, struct weir_err *err);

enum nl_addr_flag {
	NL_ADDR_LINK_SCOPE = 1 << 0, /* never chosen as a source for other links */
	NL_ADDR_NO_ROUTE = 1 << 1, /* no route for its prefix */
};

/* Replaces. addr->len counts all 128 bits, for IPv4 too. */
int nl_addr_add(struct nl *nl, int ifindex, const struct cidr *addr, unsigned int flags,
		struct weir_err *err);

/* A static neighbour entry; replaces. */
int nl_neighbour_add(struct nl *nl, int ifindex, const struct weir_addr *addr, const uint8_t mac[6],
		     struct weir_err *err);

/* The device answers ARP and neighbour solicitations for another host's address; or no longer. */
int nl_proxy_set(struct nl *nl, int ifindex, const struct weir_addr *addr, bool on,
		 struct weir_err *err);

struct nl_route {
	struct cidr dst; /* default: zero address of the family, len WEIR_V4_PREFIX_BITS or 0 */
	const struct weir_addr *gateway; /* NULL: dst is on the link */
	const struct weir_addr *source; /* NULL: the kernel chooses */
	int ifindex;
};

int nl_route_add(struct nl *nl, const struct nl_route *route, struct weir_err *err); /* replaces */
