/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Many new TCP connections from one pod, several at the same time, each with a time limit:
 * connects, sends a line, waits for the server's, closes.
 */
#pragma once

#include <poll.h>

#include "lib/netns_cluster.h"

#define NETNS_DIALS_WINDOW 128

struct netns_dial {
	int fd;
	uint64_t began_us;
	bool asked;
};

struct netns_dials {
	/* set by the caller */
	struct weir_addr to[4]; /* used in turn */
	uint16_t port;
	unsigned int n; /* in all */
	unsigned int window; /* at the same time */
	int limit_ms;
	/* results */
	unsigned int begun, ok, late, failed; /* late: nothing came back in time */
	int error; /* errno of the last one that failed */
	uint32_t slowest_us; /* of those that are ok */
	struct netns_dial dials[NETNS_DIALS_WINDOW];
};

bool netns_dials_done(const struct netns_dials *d);
/*
 * Begins what the window allows, waits at most wait_ms, and takes what came. Sockets are made in
 * the calling thread's namespace.
 */
void netns_dials_turn(struct netns_dials *lanes, size_t n_lanes, int wait_ms);
