// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See stale_sockets.h. bpf/stale.bpf.c finds them, the kernel's socket diagnosis ends them, by
 * tuple and cookie: a socket that its process has connected elsewhere meanwhile is not met.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <weir/socket.h>

#include "attach/stale_sockets.h"
#include "base/mem.h"
#include "base/nl.h"

#define BATCH 64 /* sockets read at once */

/* ---- Ending one ---- */

static void put_address(__be32 to[4], const struct weir_addr *a, uint32_t family)
{
	if (family == AF_INET)
		to[0] = a->w[3];
	else
		memcpy(to, a->w, sizeof(a->w));
}

static int end_socket(struct nl *nl, const struct weir_stale_socket *s)
{
	struct inet_diag_req_v2 body = {
		.sdiag_family = s->family,
		.sdiag_protocol = IPPROTO_UDP,
		.idiag_states = -1,
		.id = { .idiag_sport = s->local_port_be,
			.idiag_dport = s->peer_port_be,
			.idiag_if = s->device,
			.idiag_cookie = { s->cookie, s->cookie >> 32 } },
	};

	put_address(body.id.idiag_src, &s->local, s->family);
	put_address(body.id.idiag_dst, &s->peer, s->family);
	return nl_talk(nl, nl_begin(nl, SOCK_DESTROY, NLM_F_ACK, &body, sizeof(body)), NULL, NULL);
}

static int cannot_end(int r, struct weir_err *err)
{
	return err_set(err, r, "end UDP sockets of removed backends: %s%s", strerror(-r),
		       r == -EOPNOTSUPP ? " (the kernel is built without INET_DIAG_DESTROY)" : "");
}

/* ---- Finding them ---- */

/* A descriptor to read struct weir_stale_socket from. */
static int open_iterator(const struct node *n, struct weir_err *err)
{
	int prog = node_prog_fd(n, WEIR_PROGRAM_stale_sockets);
	_cleanup_(fd_close) int link = -1;
	int fd;

	if (prog < 0)
		return err_set(err, -EOPNOTSUPP, "%s", node_no_stale(n));
	link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);
	if (link < 0)
		return err_set(err, -errno, "iterator of UDP sockets: %s", strerror(errno));
	fd = bpf_iter_create(link);
	return fd < 0 ? err_set(err, -errno, "iterator of UDP sockets: %s", strerror(errno)) : fd;
}

static int end_batch(struct nl *nl, const struct weir_stale_socket *sockets, size_t n,
		     unsigned int *ended, struct weir_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = end_socket(nl, &sockets[i]);

		if (r && r != -ENOENT) /* closed or connected elsewhere meanwhile */
			return cannot_end(r, err);
		*ended += !r;
	}
	return 0;
}

int stale_sockets_end(const struct node *n, unsigned int *ret_ended, struct weir_err *err)
{
	struct weir_stale_socket sockets[BATCH];
	_cleanup_(nl_close) struct nl *nl = NULL;
	_cleanup_(fd_close) int fd = open_iterator(n, err);
	unsigned int ended = 0;
	ssize_t len = 1;
	int r = fd < 0 ? fd : nl_open_own(NETLINK_SOCK_DIAG, &nl, err);

	while (!r && len > 0) {
		len = read(fd, sockets, sizeof(sockets));
		if (len < 0)
			r = err_set(err, -errno, "read UDP sockets: %s", strerror(errno));
		else
			r = end_batch(nl, sockets, len / sizeof(*sockets), &ended, err);
	}
	if (ret_ended)
		*ret_ended = ended;
	return r;
}

/* A socket without ports does not exist: ENOENT says that one could be ended. */
int stale_sockets_check(const struct node *n, struct weir_err *err)
{
	const struct weir_stale_socket none = { .family = AF_INET };
	_cleanup_(nl_close) struct nl *nl = NULL;
	int r;

	if (node_no_stale(n))
		return err_set(err, -EOPNOTSUPP, "%s", node_no_stale(n));
	r = nl_open_own(NETLINK_SOCK_DIAG, &nl, err);
	if (r)
		return r;
	r = end_socket(nl, &none);
	return !r || r == -ENOENT ? 0 : cannot_end(r, err);
}
