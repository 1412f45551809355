/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reads the plan's JSON (plan_write_json()): items by hash, owners of addresses. A missing item is
 * never an error, it only has no name. Strings belong to the struct plan_json.
 */
#pragma once

#include "base/json.h"
#include "compile/plan.h"

struct plan_json;

struct plan_json *plan_json_parse(const char *text); /* NULL: not a plan */
void plan_json_free(struct plan_json **p);
/* The item of rules, policySets, portSets, identities or services with this name; absent: none. */
struct json_value plan_json_find(const struct plan_json *p, enum weir_name_kind kind,
				 const struct plan_hash *hash);

enum plan_owner {
	PLAN_OWNER_NONE, /* the plan names no owner */
	PLAN_OWNER_POD, /* of this node */
	PLAN_OWNER_SERVICE,
	PLAN_OWNER_NODE, /* this node itself */
};

/* The owner of an address; ret_name: "ns/name", NULL for NONE and NODE. */
enum plan_owner plan_json_owner(const struct plan_json *p, const struct weir_addr *addr,
				const char **ret_name);
/* A pod of this node. */
struct plan_json_pod {
	const char *pod; /* "ns/name" */
	const char *uid; /* "": unknown */
	struct weir_addr addr[2]; /* by family; zero: none */
	bool deleting;
};

void plan_json_each_pod(struct plan_json *p, void (*fn)(const struct plan_json_pod *pod, void *arg),
			void *arg);
/*
 * Address of a pod of this node, by "ns/name"; false without the pod or an address of the family.
 */
bool plan_json_pod_addr(struct plan_json *p, const char *pod, int family,
			struct weir_addr *ret_addr);

/*
 * What did not fit, as for plan_input.unfit. Free with plan_unfit_free(); its texts are the plan's.
 */
void plan_json_unfit(struct plan_json *p, struct plan_unfit *ret_unfit);
