/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs of somebody else on a pod's device, before and behind Weir's: they count packets and
 * pass them on.
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
	int map_fd, fd[_FOREIGN_MAX]; /* tcx links, which end with their descriptors; filters end
					 with the device */
};

/*
 * All four of them on the pod's device ("ns/pod"), by the way that the environment attaches Weir's.
 */
void netns_foreign_attach(const struct netns_cluster *c, const char *pod, struct netns_foreign *f);
uint64_t netns_foreign_count(const struct netns_foreign *f, int which); /* packets so far */
void netns_foreign_close(struct netns_foreign *f); /* also for _cleanup_() */
