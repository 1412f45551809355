/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Foreign programs on a pod's device, before and after Weir's: they count packets and pass them on.
 */
#pragma once

#include "lib/netns_cluster.h"

enum {
	FOREIGN_EGRESS = 1 << 0, /* else ingress: what the pod sends */
	FOREIGN_AFTER = 1 << 1, /* else before */
	_FOREIGN_MAX = 1 << 2,
};

struct netns_foreign {
	uint32_t ifindex;
	int map_fd, fd[_FOREIGN_MAX]; /* fd: tcx links; clsact filters end with the device */
};

/* Attaches all four to the device of the pod ("ns/pod"), by tcx or clsact as Weir's own are. */
void netns_foreign_attach(const struct netns_cluster *c, const char *pod, struct netns_foreign *f);
uint64_t netns_foreign_count(const struct netns_foreign *f, int which); /* packets so far */
void netns_foreign_close(struct netns_foreign *f); /* also for _cleanup_() */
