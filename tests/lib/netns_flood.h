/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A pod that floods: a process on a CPU of its own sends as many packets as it can, both families
 * in turn. Each packet begins a flow that no recent packet had.
 */
#pragma once

#include <sys/types.h>

#include "lib/netns_cluster.h"

enum netns_flood_kind {
	NETNS_FLOOD_UDP,
	NETNS_FLOOD_ANSWERED, /* the same, and answers from a socket at the target */
	NETNS_FLOOD_SYN,
	NETNS_FLOOD_SEGMENT, /* a SYN, and a segment without ACK after it */
	NETNS_FLOOD_ECHO,
	NETNS_FLOOD_FRAGMENT, /* first fragments of UDP datagrams */
};

struct netns_flood_spec {
	enum netns_flood_kind kind;
	const char *from; /* "ns/pod" */
	struct weir_addr src[2], dst[2]; /* by family */
	uint16_t port; /* of the target; 0: many */
	/* ANSWERED: the socket at the target, by family */
	const char *answers_in; /* "ns/pod" */
	struct weir_addr answers_at[2];
	uint16_t answers_port;
};

struct netns_flood {
	pid_t pid;
	struct netns_flood_shared *shared;
};

/* The CPU of floods; the calling process, and what it starts, leaves it alone from now on. */
void netns_flood_reserve_cpu(void);
/* The flood ends by itself after a minute. */
void netns_flood_start(const struct netns_cluster *c, const struct netns_flood_spec *spec,
		       struct netns_flood *f);
/* Packets so far; those that were answered. */
uint64_t netns_flood_sent(const struct netns_flood *f);
uint64_t netns_flood_answered(const struct netns_flood *f);
void netns_flood_stop(struct netns_flood *f);
