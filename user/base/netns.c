// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Enters another network namespace. See netns.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/netns.h"

int netns_enter(int fd, int *ret_back, struct weir_err *err)
{
	_cleanup_(fd_close) int own = open(NETNS_OWN, O_RDONLY | O_CLOEXEC);

	if (own < 0 || setns(fd, CLONE_NEWNET))
		return err_set(err, -errno, "enter network namespace: %s", strerror(errno));
	*ret_back = TAKE_FD(own);
	return 0;
}

void netns_leave(int *back)
{
	if (*back < 0)
		return;
	/* continuing in the wrong namespace could change another network: abort */
	if (setns(*back, CLONE_NEWNET)) {
		perror("weir: cannot leave a network namespace");
		abort();
	}
	fd_close(back);
}

uint64_t netns_cookie(void)
{
	_cleanup_(fd_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		return 0;
	return cookie;
}
