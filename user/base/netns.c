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
