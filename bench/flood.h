/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A flood of new flows: a process in a network namespace, on one CPU, that sends empty UDP
 * datagrams as fast as it can, each to another port or address of FLOOD_NETWORK. Bounded in count
 * and time.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define FLOOD_NETWORK "198.18.0.0/15" /* for measurements (RFC 2544) */

struct flood {
	pid_t pid;
	int ask, answer; /* pipes to the process */
};

struct flood_result {
	uint64_t datagrams;
	double seconds;
};

/* Name below /run/netns. It sends nothing yet. Ends the program on failure. */
void flood_start(struct flood *f, const char *netns);
void flood_stop(struct flood *f);

/* Begins to send, and returns after so many datagrams; sending goes on until flood_end(). */
void flood_begin(struct flood *f, uint64_t datagrams);
/* Ends the program when the flood ended by its own bounds before this call. */
struct flood_result flood_end(struct flood *f);
