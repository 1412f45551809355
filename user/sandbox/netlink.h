/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The few rtnetlink requests that a sandbox's wiring needs. A socket belongs to the namespace that
 * it was opened in and keeps working on it from anywhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/diag.h"
#include "base/nl.h"

/* netns_fd: the namespace to work on. */
int nl_open(int netns_fd, struct nl **ret_nl, struct weir_err *err);

/*
 * A pair: `host` here, down, and `peer` with that MAC in the other namespace. index: of `host`, 0:
 * any.
 */
struct nl_veth {
	const char *host, *peer;
	int host_index, peer_netns_fd;
	const uint8_t *host_mac, *mac; /* of either end; host_mac NULL: any */
};

int nl_veth_add(struct nl *nl, const struct nl_veth *veth, struct weir_err *err);
/* A bridge with that MAC, down. */
int nl_bridge_add(struct nl *nl, const char *name, const uint8_t mac[6], struct weir_err *err);
int nl_link_master(struct nl *nl, int ifindex, int master,
		   struct weir_err *err); /* makes it a port of a bridge */
int nl_link_index(struct nl *nl, const char *name,
		  struct weir_err *err); /* index, or -errno: -ENODEV */
/*
 * The kernel activates a device's queue some time after its carrier comes; before that it drops
 * what is sent.
 */
bool nl_link_operational(struct nl *nl, const char *name);
int nl_link_up(struct nl *nl, int ifindex, struct weir_err *err);
int nl_link_delete(struct nl *nl, int ifindex, struct weir_err *err);

enum nl_addr_flag {
	NL_ADDR_LINK_SCOPE = 1 << 0, /* never chosen as a source for other links */
	NL_ADDR_NO_ROUTE = 1 << 1, /* the rest of its prefix is not on the link */
};

/* Replaces what is there. len counts all 128 bits. */
int nl_addr_add(struct nl *nl, int ifindex, const struct cidr *addr, unsigned int flags,
		struct weir_err *err);

/* A neighbour that need not be asked for; replaces. */
int nl_neighbour_add(struct nl *nl, int ifindex, const struct weir_addr *addr, const uint8_t mac[6],
		     struct weir_err *err);

struct nl_route {
	struct cidr
		dst; /* len WEIR_V4_PREFIX_BITS or 0 with a zero address of the family: default */
	const struct weir_addr *gateway; /* NULL: on the link itself */
	const struct weir_addr *source; /* NULL: whatever the kernel chooses */
	int ifindex;
};

int nl_route_add(struct nl *nl, const struct nl_route *route, struct weir_err *err); /* replaces */
