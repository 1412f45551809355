/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where live traffic is measured: a node, a client pod and a server pod as network namespaces
 * (`weir sandbox`, without its datapath), with nothing, with Weir (`weir load` of manifests and
 * attachment records, as a user would), or with the rules of others between them. Everything lies
 * in a mount namespace of the process and ends with it.
 */
#pragma once

#include "sync/sync.h"
#include "traffic.h"

#define STAGE_CLIENT "10.244.0.1"
#define STAGE_SERVER "10.244.0.2"

/*
 * A mount namespace with a BPF file system and a /run of its own, and a network namespace. Ends the
 * program on failure.
 */
void stage_enter(void);

/* Runs a command line of the shell; it must succeed. */
void stage_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A node with its two pods, and the load generator in them. */
struct stage {
	const char *name;
	struct traffic traffic;
};

void stage_up(struct stage *s, const char *name);
void stage_down(struct stage *s);
/* "/run/netns/weir-NAME_node" becomes this process's network namespace. */
void stage_enter_node(const struct stage *s);

/*
 * What one instance of Weir is loaded with; Service `services / 2` leads to the server, policies
 * select it.
 */
struct instance {
	const char *name;
	int services, endpoints, policies;
	bool egress; /* a policy for the client as well */
	struct node *node; /* while it is loaded */
	uint64_t forwarded, dropped; /* as counters said last */
	uint32_t last_reason; /* of those that dropped any */
};

/*
 * Afresh, from files, behind the pods of a stage whose node this process has entered. Hooks are
 * off.
 */
void instance_load(struct instance *i, const struct stage *s);
void instance_unload(struct instance *i);
void instance_hook(struct instance *i, bool on);
/* Packets forwarded and dropped since the last call. */
void instance_count(struct instance *i, uint64_t *ret_forwarded, uint64_t *ret_dropped);
