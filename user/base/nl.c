// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See nl.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/nl.h"

int nl_open_own(int bus, struct nl **ret_nl, struct weir_err *err)
{
	_cleanup_(nl_close) struct nl *nl = mem_zalloc(sizeof(*nl));

	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_set(err, -errno, "netlink socket: %s", strerror(errno));
	*ret_nl = TAKE_PTR(nl);
	return 0;
}

void nl_close(struct nl **nl)
{
	if (!*nl)
		return;
	if ((*nl)->sock)
		mnl_socket_close((*nl)->sock);
	free(*nl);
	*nl = NULL;
}

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags, const void *body,
			  size_t len)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(nl->buf);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++nl->seq;
	memcpy(mnl_nlmsg_put_extra_header(h, len), body, len);
	return h;
}

int nl_talk(struct nl *nl, struct nlmsghdr *h, mnl_cb_t cb, void *arg)
{
	unsigned int port = mnl_socket_get_portid(nl->sock);
	int more = MNL_CB_OK;
	ssize_t n;

	if (mnl_socket_sendto(nl->sock, h, h->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		do
			n = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		while (n < 0 && errno == EINTR);
		more = n < 0 ? MNL_CB_ERROR : mnl_cb_run(nl->buf, n, nl->seq, port, cb, arg);
	}
	return more < 0 ? -errno : 0;
}
