/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A pod far away: what it sends arrives later. By a process that keeps each frame for a time,
 * because the netem qdisc is not in every kernel on which the tests run. One direction is enough:
 * it adds the whole round-trip time.
 */
#pragma once

#include <sys/types.h>

#include "lib/netns_cluster.h"

struct netns_delay {
	pid_t pid;
};

/* Frames that leave eth0 of that namespace are delayed by rtt_ms; whatever offloads they use. */
void netns_delay_start(const struct netns_cluster *c, const char *where, int rtt_ms,
		       struct netns_delay *d);
void netns_delay_stop(struct netns_delay *d); /* frames that wait are lost */
