/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A netlink socket by libmnl: one request, all of its answer. It belongs to the network namespace
 * that it was opened in and keeps working on it from anywhere.
 */
#pragma once

#include <stdint.h>

#include <libmnl/libmnl.h>

#include "base/diag.h"

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	char buf[32768]; /* what libmnl advises for dumps; the request, then the answer */
};

/* bus: NETLINK_ROUTE, NETLINK_NETFILTER. In the calling thread's namespace. 0 or -errno. */
int nl_open_own(int bus, struct nl **ret_nl, struct weir_err *err);
void nl_close(struct nl **nl); /* also for _cleanup_() */

/* A request in nl's buffer; attributes may be put behind the body. flags: besides NLM_F_REQUEST. */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags, const void *body,
			  size_t len);
/*
 * Sends it and calls cb (may be NULL) for each message of the answer, a dump's as well. 0 or
 * -errno.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *h, mnl_cb_t cb, void *arg);
