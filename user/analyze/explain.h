/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Why policies say what they say about one flow at one of its ends: each policy that selects the
 * pod in that direction, each rule, each selector, block and port with what failed, and the least
 * change that would help. For people: the verdict itself comes from the plan, and whoever shows
 * both must shout when they differ.
 */
#pragma once

#include "compile/plan.h"
#include "kube/store.h"

struct explain_flow {
	enum kube_direction direction; /* which end is judged */
	const struct kube_pod *subject; /* the pod whose policies are asked */
	const struct kube_pod *peer; /* the other end; NULL: no pod with an address of its own */
	struct weir_addr peer_addr;
	const struct kube_pod *dst; /* where named ports resolve; NULL: nowhere (NP-33) */
	int proto;
	uint16_t port; /* host order, at the destination */
	const struct kube_namespace
		*instead; /* asked in place of the store's Namespace of that name; NULL: none */
};

/* What would make a condition hold. */
enum explain_fix {
	EXPLAIN_NO_FIX,
	EXPLAIN_LABEL_POD, /* a label of the other end */
	EXPLAIN_LABEL_NAMESPACE, /* a label of its Namespace */
	EXPLAIN_EDIT_POLICY, /* the rule has to say more */
};

/* A condition that does not hold. */
struct explain_failure {
	const char *text; /* "web-7c9 has tier=web" */
	const char *hint; /* "it has kubernetes.io/metadata.name=production", or NULL */
	enum explain_fix fix;
	const char *key,
		*value; /* of a label, as it should be; value NULL: it should not be there */
	const char *now; /* the value that it has, or NULL */
	const char *edit; /* of the policy: "allow TCP/80" */
};

/* One selector, block or port: a part of an item, all of which must hold. */
struct explain_part {
	const char *text; /* "podSelector tier=api" */
	struct explain_failure *failures; /* none: it holds */
	size_t n_failures;
	struct src src;
};

/* One peer or one port of a rule. */
struct explain_item {
	const char *path; /* "from[0]", "ports[1]" */
	const char *text; /* of all parts: "namespaceSelector {} and podSelector tier=api",
			     "TCP/5432" */
	const char *failed; /* of all parts: "web-7c9 has tier=web"; NULL: it matches */
	unsigned int n_failed; /* how many conditions do not hold */
	struct explain_part parts[2];
	size_t n_parts;
	struct src src;
};

struct explain_rule {
	unsigned int index;
	bool match;
	struct src src;
	struct explain_item *peers, *ports; /* none: any */
	size_t n_peers, n_ports;
};

struct explain_policy {
	const struct kube_policy *policy;
	const char *name; /* "ns/name" */
	struct explain_rule *rules;
	size_t n_rules;
};

/* The least change after which this side would allow. Tried on the objects, not guessed. */
struct explain_nearest {
	const char *where; /* "ns/policy ingress[0].from[0]" */
	const char *lacks; /* what fails there */
	const char *change; /* "label Namespace production name=production" */
	const char *consequence; /* "for every pod in it", or NULL */
	const char *either; /* "from[0] and from[1] are OR", or NULL */
	const char *finding; /* code of the mistake that this looks like, "WEIR-P004", or NULL */
	bool all_allowed; /* both ends would allow then; else only this one */
};

struct explain_side {
	bool allow;
	struct explain_policy *
		policies; /* that select the subject and isolate it in this direction, by ns/name */
	size_t n_policies;
	const struct explain_nearest *nearest; /* NULL when allowed */
	/*
	 * allowed by one of two items that look as if both were meant ("from[0] and from[1] are
	 * OR"), or NULL
	 */
	const char *either;
};

#define EXPLAIN_FINDING_OR "WEIR-P004" /* two items (OR) where one (AND) was meant (NP-20) */
#define EXPLAIN_FINDING_NAME \
	"WEIR-P005" /* a Namespace label `name` that no Namespace has (NP-22) */

/* Everything that it points to lies in arena, or in the store. nearest is left out. */
void explain_flow(const struct store *s, const struct explain_flow *f, struct arena *arena,
		  struct explain_side *ret_side);

/*
 * Fills nearest of the sides that deny; both by enum kube_direction. flows[d] NULL: that end is not
 * judged, and sides[d] is not looked at. A change is carried out on copies of the objects and both
 * ends are asked again.
 */
void explain_nearest(const struct store *s, const struct explain_flow *const flows[2],
		     struct arena *arena, struct explain_side sides[2]);
