/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Behind live.h: the plan file of a generation, as names for hashes and addresses. Strings belong to it. */
#pragma once

#include "compile/plan.h"

struct live_plan;

struct live_plan *live_plan_read(const char *path); /* NULL when it is not there or is no plan */
void live_plan_free(struct live_plan **p);
bool live_plan_label(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash, char *buf,
		     size_t size);
/* A string member of the thing, or NULL. */
const char *live_plan_fact(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash,
			   const char *key);
/* An integer member of the thing, or -1. */
long long live_plan_number(const struct live_plan *p, enum weir_name_kind kind, const struct plan_hash *hash,
			   const char *key);
/* "ns/name" of the i-th policy of a policy set, or NULL. */
const char *live_plan_policy(const struct live_plan *p, const struct plan_hash *set, size_t i);

enum live_who {
	LIVE_NOBODY, /* known by its address only */
	LIVE_POD, /* of this node */
	LIVE_SERVICE,
	LIVE_NODE, /* this node itself */
};

/* Whose address it is; ret_name: "ns/name", NULL for NOBODY and NODE. */
enum live_who live_plan_who(const struct live_plan *p, const struct weir_addr *addr, const char **ret_name);
/* Address of a pod of this node, by "ns/name"; false when it has none in that family, or is not there. */
bool live_plan_pod_addr(const struct live_plan *p, const char *pod, int family, struct weir_addr *ret_addr);
