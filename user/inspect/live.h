/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A loaded instance with names: its maps, and the plan file of the same generation
 * (/run/weir[-NAME]/plan-N). Without a plan file of that generation, ids replace names. Reads only;
 * needs no daemon.
 */
#pragma once

#include "compile/json_read.h"
#include "base/instance.h"
#include "kernel/node.h"
#include "sync/sync.h"

#define LIVE_TEXT_MAX 600

struct live_name {
	uint32_t kind, id, len; /* kind: enum weir_name_kind */
	struct plan_hash hash;
};

struct live {
	struct node *node;
	uint64_t generation; /* read before everything else */
	struct live_name *names; /* sorted by kind, id */
	size_t n_names, cap_names;
	struct plan_json *plan; /* NULL: no plan file of this generation */
};

/* A plan was applied, and its file is missing or not valid: what is planned is unknown. */
bool live_lacks_plan(const struct live *l);
/* What does not fit (plan_json_unfit()); nothing without a plan. Free with plan_unfit_free(). */
void live_unfit(const struct live *l, struct plan_unfit *ret_unfit);

/* name: of the instance, NULL for the default one. As node_open(). */
int live_open(struct live *l, const char *name, struct weir_err *err);
void live_close(struct live *l); /* also for _cleanup_() */
/*
 * Reads names and plan of the current generation; the old ones move to ret_before, whose node is
 * NULL.
 */
void live_reload(struct live *l, struct live *ret_before);
/* An apply finished since names and plan were read. Call it after reading the tables. */
bool live_was_replaced(const struct live *l);
/* What an apply of p would change in the tables, without devices. 0 or -errno. */
int live_compare(struct node *n, const char *name, const struct plan *p,
		 struct sync_delta *ret_delta, struct weir_err *err);
/* <run>/<prefix>-<generation>; the caller frees it. */
char *live_file(const struct live *l, enum instance_file file, uint64_t generation);

/* The name of an id: "default/web", "ns/policy ingress[0]"; "#17" if it has none. Returns buf. */
const char *live_label(const struct live *l, enum weir_name_kind kind, uint32_t id, char *buf);
/* The id has a name now. */
bool live_has(const struct live *l, enum weir_name_kind kind, uint32_t id);
/* A text of its item in the plan file, by key; NULL: unknown. */
const char *live_fact(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key);
/* An integer of that item, or -1. */
long long live_number(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key);
/* "ns/name" of the i-th policy that a policy set was compiled from, or NULL. */
const char *live_policy(const struct live *l, uint32_t set, size_t i);
/* "ns/name" of this node's pod with that address, or NULL. */
const char *live_pod(const struct live *l, const struct weir_addr *addr);
/* "ns/name" of the pod in an element of `pods`, or NULL. */
const char *live_pod_of(const struct live *l, const struct weir_pod *pod);
/* The same by its slot in `pods`; "#17" if the pod is not in the plan. Returns buf. */
const char *live_pod_label(const struct live *l, uint32_t slot, char *buf);
/* "ns/name" of the pod behind a device, or NULL. */
const char *live_pod_at(const struct live *l, uint32_t device);
/* Owner of an address (compile/json_read.h); ret_name: "ns/name" of a pod or Service, else NULL. */
enum plan_owner live_owner(const struct live *l, const struct weir_addr *addr,
			   const char **ret_name);
/* Packets and bytes of a reason: sum over all CPUs. */
struct weir_counter live_counter(const struct live *l, uint32_t reason);
/* Events of a reason that were not sent: sum over all CPUs. */
struct weir_event_count live_event_losses(const struct live *l, uint32_t reason);
/*
 * Packets counted for an id of rule_hits or set_hits: sum over all CPUs. False: the id is beyond
 * the table, which counts nothing for it.
 */
bool live_hits(const struct live *l, enum weir_map map, uint32_t id, struct weir_hits *ret_hits);
uint32_t live_ticks_now(void); /* the programs' clock: CLOCK_MONOTONIC in ticks */
long long live_tick_age(uint32_t now, uint32_t tick); /* in seconds */

/* Loops over the keys of a map. */
#define live_each_key(fd, key)                                              \
	for (int _more_ = !bpf_map_get_next_key((fd), NULL, (key)); _more_; \
	     _more_ = !bpf_map_get_next_key((fd), (key), (key)))
