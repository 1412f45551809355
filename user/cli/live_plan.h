/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Private to live.c: the plan file of a generation, as names for hashes. Strings belong to it. */
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
/* "ns/name" of the pod of this node with that address, or NULL. */
const char *live_plan_pod(const struct live_plan *p, const struct weir_addr *addr);
