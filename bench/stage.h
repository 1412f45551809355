/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The stage of live traffic: a node, a client pod, a server pod and a pod that may flood, as
 * network namespaces (`weir sandbox` without its datapath). Between them is plain forwarding, Weir
 * (`weir load` of manifests and attachment records, as a user does), or rules of peers.h. All of it
 * is in a mount namespace of the process and ends with it.
 */
#pragma once

#include "flood.h"
#include "sync/sync.h"
#include "traffic.h"

#define STAGE_CLIENT "10.244.0.1"
#define STAGE_SERVER "10.244.0.2"
#define STAGE_FLOOD "10.244.0.3"

/*
 * Enters a new network namespace, and a mount namespace with its own BPF file system and /run. Ends
 * the program on failure.
 */
void stage_enter(void);

/* Runs a shell command. Ends the program when it fails. */
void stage_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A node, its pods, and the load generator in client and server. */
struct stage {
	const char *name;
	struct traffic traffic;
};

void stage_up(struct stage *s, const char *name);
void stage_down(struct stage *s);
/* Enters the network namespace of the node: /run/netns/weir-NAME_node. */
void stage_enter_node(const struct stage *s);
/* Loads peers.h's rules for so many Services into the node. */
void stage_load_services(const struct stage *s, bool nft, int services);
/* Address of Service `services / 2`, whose only endpoint is the server, in network order. */
uint32_t stage_service_addr(int services);
/* Starts the flood in its pod; the node forwards what it sends to the world, which drops it. */
void stage_start_flood(const struct stage *s, struct flood *flood);
/* "count": entries of the kernel's own connection table for the node; "max": what it may have. */
uint64_t stage_conntrack(const struct stage *s, const char *what);

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
/* Flows that the connection table has and flows that pods lost to their own new ones. */
uint64_t instance_flows(const struct instance *i);
/* Packets forwarded and dropped since the last call. */
void instance_count(struct instance *i, uint64_t *ret_forwarded, uint64_t *ret_dropped);
