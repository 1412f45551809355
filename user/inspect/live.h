/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel has, with names: the maps of an instance beside the plan file of the same
 * generation (/run/weir[-NAME]/plan-N). When generation and file disagree, ids take the place of
 * names. Reads only; needs no daemon.
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
	uint64_t generation; /* before anything was read */
	struct live_name *names; /* sorted by kind, id */
	size_t n_names, cap_names;
	struct plan_json *plan; /* NULL: no plan file of this generation */
};

/* name: of the instance, NULL for the default one. As node_open(). */
int live_open(struct live *l, const char *name, struct weir_err *err);
void live_close(struct live *l); /* also for _cleanup_() */
/*
 * Reads names and plan of the generation that is now; what was read before moves to ret_before,
 * which has no node.
 */
void live_reload(struct live *l, struct live *ret_before);
/* Did an apply happen since names and plan were read? To be asked after the tables were. */
bool live_was_replaced(const struct live *l);
/*
 * What an apply of p would change in the tables of an instance; devices are not looked at. 0 or
 * -errno.
 */
int live_compare(struct node *n, const char *name, const struct plan *p,
		 struct sync_delta *ret_delta, struct weir_err *err);
/* <run>/<prefix>-<generation>. The caller's. */
char *live_file(const struct live *l, enum instance_file file, uint64_t generation);

/*
 * "default/web", "ns/policy ingress[0]", …: what an id stands for. "#17" when it has no name.
 * Returns buf.
 */
const char *live_label(const struct live *l, enum weir_name_kind kind, uint32_t id, char *buf);
bool live_has(const struct live *l, enum weir_name_kind kind,
	      uint32_t id); /* does the id have a name now? */
/* A further fact about it from the plan file, by its key there; NULL when unknown. */
const char *live_fact(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key);
/* An integer fact, or -1. */
long long live_number(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key);
/* "ns/name" of the i-th policy that a policy set was compiled from, or NULL. */
const char *live_policy(const struct live *l, uint32_t set, size_t i);
/* "ns/name" of this node's pod with that address, or NULL. */
const char *live_pod(const struct live *l, const struct weir_addr *addr);
/* "ns/name" of a pod by its slot's element, or NULL. */
const char *live_pod_of(const struct live *l, const struct weir_pod *pod);
const char *live_pod_at(const struct live *l,
			uint32_t device); /* "ns/name" of the pod behind it, or NULL */
/* Whose address it is (compile/json_read.h); ret_name: "ns/name" of a pod or Service, else NULL. */
enum plan_owner live_who(const struct live *l, const struct weir_addr *addr, const char **ret_name);
/* Packets and bytes of a reason, all CPUs added up. */
struct weir_counter live_counter(const struct live *l, uint32_t reason);
/* Events of a reason that were not told, all CPUs added up. */
struct weir_event_count live_event_losses(const struct live *l, uint32_t reason);
/*
 * What was counted for an id of rule_hits or set_hits, all CPUs added up; false: beyond the table,
 * not counted.
 */
bool live_hits(const struct live *l, enum weir_map map, uint32_t id, struct weir_hits *ret_hits);
uint32_t live_ticks_now(void); /* the programs' clock: ticks of the monotonic one */
long long live_tick_age(uint32_t now, uint32_t tick); /* in seconds */

/* for (fd, key, next) loops over a map without reading values */
#define live_each_key(fd, key)                                              \
	for (int _more_ = !bpf_map_get_next_key((fd), NULL, (key)); _more_; \
	     _more_ = !bpf_map_get_next_key((fd), (key), (key)))
