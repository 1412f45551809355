/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A netlink socket (libmnl): one request and its whole answer at a time. The socket stays in the
 * network namespace where it was opened, whichever namespace the thread enters later.
 */
#pragma once

#include <stdint.h>

#include <libmnl/libmnl.h>

#include "base/diag.h"

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;
	char buf[32768]; /* the size that libmnl advises for dumps; the request, then the answer */
};

/* bus: NETLINK_ROUTE or NETLINK_NETFILTER, in the calling thread's namespace. 0 or -errno. */
int nl_open_own(int bus, struct nl **ret_nl, struct weir_err *err);
void nl_close(struct nl **nl); /* also for _cleanup_() */

/*
 * Begins a request in nl's buffer; the caller may append attributes. NLM_F_REQUEST is added to
 * flags.
 */
struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags, const void *body,
			  size_t len);
/* Sends it and calls cb (may be NULL) for each message of the answer or dump. 0 or -errno. */
int nl_talk(struct nl *nl, struct nlmsghdr *h, mnl_cb_t cb, void *arg);
