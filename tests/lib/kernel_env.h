/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For the tests of user/kernel, user/sync and user/attach: private mount and network namespaces
 * with a BPF file system and /run of their own, plans from YAML, and records for their pods.
 */
#pragma once

#include "sync/sync.h"

/* Enters the namespaces. False: not possible, and a TAP skip was printed. */
bool kernel_env_enter(void);

/*
 * Pods a, b and c on node n1, r on another node, both families; labels[i] is flow YAML, NULL: no
 * such pod.
 */
#define KERNEL_PODS 4
extern const char *const kernel_labels[KERNEL_PODS];
extern const char kernel_service[]; /* Service web to app=web, UDP and TCP, dual stack */
extern const char kernel_policy[]; /* NetworkPolicy in: app=web takes TCP 8000-8010 from app=client
				      and a block */

/*
 * A plan for n1; parts are YAML documents, NULL ends them. Fails the test when the input has
 * errors.
 */
struct plan *kernel_plan(const char *const *labels, ...);
/* The same, not compiled. Free with store_free(). */
struct store *kernel_store(const char *const *labels, ...);
/*
 * A record for each pod of the plan; pod a has device 100, b 101, … Free with
 * attachment_list_free().
 */
struct attachment_list kernel_records(const struct plan *p);

/* Small sizes, so that a hundred instances cost little. */
extern const struct node_setup kernel_sizes;
struct node *kernel_node(const char *name, enum node_mode mode);

/* sync_apply() with records of all pods, without devices; fails the test on an error. */
struct sync_delta kernel_apply(struct node *n, const struct plan *p);

/*
 * The delta is exactly this: "frontends +3 services +1 …", in the order of the maps; epochs as
 * "policy-epoch", "service-epoch".
 */
void kernel_assert_delta(const struct sync_delta *d, const char *want, const char *file, int line);
#define assert_delta(d, want) kernel_assert_delta(d, want, __FILE__, __LINE__)
