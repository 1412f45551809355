/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The stage of live traffic: a node, a client pod and a server pod as network namespaces (`weir
 * sandbox` without its datapath). Between them is plain forwarding, Weir (`weir load` of manifests
 * and attachment records, as a user does), or rules of peers.h. All of it is in a mount namespace
 * of the process and ends with it.
 */
#pragma once

#include "sync/sync.h"
#include "traffic.h"

#define STAGE_CLIENT "10.244.0.1"
#define STAGE_SERVER "10.244.0.2"

/*
 * Enters a new network namespace, and a mount namespace with its own BPF file system and /run. Ends
 * the program on failure.
 */
void stage_enter(void);

/* Runs a shell command. Ends the program when it fails. */
void stage_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A node, its two pods, and the load generator in the pods. */
struct stage {
	const char *name;
	struct traffic traffic;
};

void stage_up(struct stage *s, const char *name);
void stage_down(struct stage *s);
/* Enters the network namespace of the node: /run/netns/weir-NAME_node. */
void stage_enter_node(const struct stage *s);

/*
 * An instance of Weir and what it is loaded with. The endpoint of Service `services / 2` is the
 * server; policies select the server.
 */
struct instance {
	const char *name;
	int services, endpoints, policies;
	bool egress; /* one policy selects the client */
	struct node *node; /* while it is loaded */
	uint64_t forwarded, dropped; /* counters at the last instance_count() */
	uint32_t last_reason; /* the highest drop reason with packets */
};

/*
 * Loads the instance from files, for the pods of a stage. This process must be in its node. Hooks
 * are off.
 */
void instance_load(struct instance *i, const struct stage *s);
void instance_unload(struct instance *i);
void instance_hook(struct instance *i, bool on);
/* Packets forwarded and dropped since the last call. */
void instance_count(struct instance *i, uint64_t *ret_forwarded, uint64_t *ret_dropped);
