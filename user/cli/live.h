/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel has, with names: the maps of an instance beside the plan file
 * of the same generation (/run/weir[-NAME]/plan-N). When generation and file
 * disagree, ids are shown and it is said so. Reads only; needs no daemon.
 */
#pragma once

#include "cli/cli.h"
#include "kernel/node.h"

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
	struct live_plan *plan; /* NULL: no plan file of this generation */
};

/* Opens the instance of c->name. EXIT_OK, or the status to end with, after saying why. */
int live_open(struct live *l, const struct common_options *c);
void live_close(struct live *l); /* also for _cleanup_() */
/* To be called after printing: says so when an apply happened meanwhile. */
void live_check(const struct live *l, const struct common_options *c);

extern const char *const live_programs[]; /* that an instance may have; ended by NULL */

/* How many elements a map holds: for arrays, what is in use. -1: it cannot be counted. */
long long live_fill(const struct live *l, enum weir_map map);
/* "default/web", "ns/policy ingress[0]", …: what an id stands for. "#17" when it has no name. Returns buf. */
const char *live_label(const struct live *l, enum weir_name_kind kind, uint32_t id, char *buf);
/* A further fact about it from the plan file, by its key there; NULL when unknown. */
const char *live_fact(const struct live *l, enum weir_name_kind kind, uint32_t id, const char *key);
/* "ns/name" of this node's pod with that address, or NULL. */
const char *live_pod(const struct live *l, const struct weir_addr *addr);
/* Packets and bytes of a reason, all CPUs added up. */
struct weir_counter live_counter(const struct live *l, uint32_t reason);

/* for (fd, key, next) loops over a map without reading values */
#define live_each_key(fd, key)                                              \
	for (int _more_ = !bpf_map_get_next_key((fd), NULL, (key)); _more_; \
	     _more_ = !bpf_map_get_next_key((fd), (key), (key)))
