/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Explains the policy verdict on a flow at one of its ends: each policy that selects the pod in
 * that direction, each rule, each selector, block and port with the condition that fails, and the
 * smallest change that would allow the flow. The verdict itself comes from the plan; callers that
 * show both must report a difference as a defect.
 */
#pragma once

#include "compile/plan.h"
#include "kube/store.h"

struct explain_flow {
	enum kube_direction direction; /* the end to judge */
	const struct kube_pod *subject; /* the pod at that end */
	const struct kube_pod *peer; /* the other end; NULL: not a pod with its own address */
	struct weir_addr peer_addr;
	const struct kube_pod *dst; /* resolves named ports; NULL: they don't match (NP-33) */
	int proto;
	uint16_t port; /* host order, at the destination */
	/* replaces the store's Namespace of that name; NULL: none */
	const struct kube_namespace *changed_ns;
};

/* The change that would make a condition hold. */
enum explain_fix {
	EXPLAIN_NO_FIX,
	EXPLAIN_LABEL_POD, /* a label of the other end */
	EXPLAIN_LABEL_NAMESPACE, /* a label of its Namespace */
	EXPLAIN_EDIT_POLICY, /* the rule itself */
};

/* A condition that does not hold. */
struct explain_failure {
	const char *text; /* "web-7c9 has tier=web" */
	const char *hint; /* "it has kubernetes.io/metadata.name=production", or NULL */
	enum explain_fix fix;
	const char *key, *value; /* the label that is needed; value NULL: remove it */
	const char *now; /* its present value, or NULL */
	const char *edit; /* of the policy: "allow TCP/80" */
};

/* One selector, block or port. All parts of an item must hold. */
struct explain_part {
	const char *text; /* "podSelector tier=api" */
	struct explain_failure *failures; /* n_failures 0: the part holds */
	size_t n_failures;
	struct src src;
};

/* One peer or one port of a rule. */
struct explain_item {
	const char *path; /* "from[0]", "ports[1]" */
	/* of all parts: "namespaceSelector {} and podSelector tier=api", "TCP/5432" */
	const char *text;
	const char *failed; /* of all parts: "web-7c9 has tier=web"; NULL: it matches */
	unsigned int n_failed; /* number of conditions that do not hold */
	struct explain_part parts[2];
	size_t n_parts;
	struct src src;
};

struct explain_rule {
	unsigned int index;
	bool match;
	struct src src;
	struct explain_item *peers, *ports; /* empty: any */
	size_t n_peers, n_ports;
};

struct explain_policy {
	const struct kube_policy *policy;
	const char *name; /* "ns/name" */
	struct explain_rule *rules;
	size_t n_rules;
	bool hidden; /* its rules count for nothing: the pod is closed */
};

/* The smallest change after which this side would allow. It was tried on copies of the objects. */
struct explain_nearest {
	const char *where; /* "ns/policy ingress[0].from[0]" */
	const char *lacks; /* the conditions that fail there */
	const char *change; /* "label Namespace production name=production" */
	const char *consequence; /* "for every pod in it", or NULL */
	const char *either; /* "from[0] and from[1] are ORed", or NULL */
	const char *finding; /* code of the likely mistake, "P004", or NULL */
	bool all_allowed; /* both ends would then allow; else only this one */
};

struct explain_side {
	bool allow;
	/* that select the subject and isolate it in this direction, sorted by ns/name */
	struct explain_policy *policies;
	size_t n_policies;
	const struct explain_nearest *nearest; /* NULL when allowed */
	/*
	 * allowed only by one of two items that were probably meant as one: "from[0] and from[1]
	 * are ORed"; or NULL
	 */
	const char *either;
};

/* two items (OR) where one (AND) was meant (NP-20) */
#define EXPLAIN_FINDING_OR "P004"
/* a Namespace label `name` that no Namespace has (NP-22) */
#define EXPLAIN_FINDING_NAME "P005"

/* The result points into arena and the store. Leaves nearest and either NULL. */
void explain_flow(const struct store *s, const struct explain_flow *f, struct arena *arena,
		  struct explain_side *ret_side);

/*
 * Fills nearest of the sides that deny and either of those that allow; flows and sides are by enum
 * kube_direction. flows[d] NULL: that end is not judged and sides[d] is not read.
 */
void explain_nearest(const struct store *s, const struct explain_flow *const flows[2],
		     struct arena *arena, struct explain_side sides[2]);
