/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The connectivity matrix: for each ordered pair of ends (pods, and `world` and `node` with a pod),
 * each requested port and each family that both ends have: may a connection be opened, and which
 * rule of which end decides. Pure. report_item_emit() writes the JSON.
 *
 * Each end is judged on its own node (spec.nodeName), by that node's plan. The evaluator can be
 * exchanged (evaluator.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/emit.h"
#include "analyze/evaluator.h"
#include "compile/plan.h"
#include "kube/store.h"

struct report_port {
	int proto; /* IPPROTO_*; 0 with a name: any protocol that the pod declares it with */
	uint16_t port; /* host order; 0 with a name */
	const char *name; /* resolved on the destination pod (NP-32); NULL: a number */
};

/*
 * "80/TCP,81/UDP,http" (protocol TCP when none is given). The array is the caller's; names lie in
 * arena. 0 or -EINVAL.
 */
int report_ports_parse(const char *text, struct arena *arena, struct report_port **ret_ports,
		       size_t *ret_n, struct weir_err *err);

enum report_end_kind {
	REPORT_POD,
	REPORT_WORLD, /* an address in no ipBlock but /0, of no pod, Service or node */
	REPORT_NODE, /* the node of the other end */
};

struct report_side {
	bool allow;
	const char *policy; /* "ns/name"; NULL: default deny, or nothing isolates that end */
	int rule; /* -1 with policy NULL */
	bool isolated; /* a policy selects that end in that direction */
	bool closed; /* one of these policies does not fit the tables */
};

struct report_item {
	const char *from, *to; /* "ns/pod", "world", "node" */
	size_t from_row, to_row, port_row; /* indexes of the ends and of the requested port */
	enum report_end_kind from_kind, to_kind;
	const struct kube_pod *from_pod, *to_pod; /* NULL for world and node */
	struct weir_addr src, dst;
	int family, proto; /* 0 IPv4, 1 IPv6; IPPROTO_* */
	uint16_t port; /* host order */
	const char *port_name; /* as requested, or NULL */
	bool allow;
	enum weir_reason reason;
	struct report_side egress, ingress;
};

/* The item as a JSON object without its braces, so that a caller can add members. */
void report_item_emit(struct emit *e, const struct report_item *item);
const char *reason_label(enum weir_reason reason); /* "egress-denied" */
const char *reason_text(enum weir_reason reason); /* its sentence */

struct report;

/* The plan of a node that the caller has compiled. */
struct report_plan {
	const char *node;
	const struct plan *plan;
};

struct report_input {
	const struct store *store; /* with defaults applied; must outlive the report */
	const struct report_port *ports; /* n_ports 0: all that pods declare. Copied */
	size_t n_ports;
	const struct evaluator *evaluator; /* NULL: the plan */
	/* [2], by family; zero: none in that family. NULL: free addresses are chosen */
	const struct weir_addr *world;
	const struct weir_addr *own; /* further addresses of nodes; may be NULL */
	size_t n_own;
	/* UDP ports of the nodes' tunnels (plan_input.overlay_ports); must outlive the report */
	const uint64_t *overlay_ports;
	const char *own_node; /* the node that has these; NULL: every node */
	struct plan_node_ports node_ports; /* of own_node; blocks must outlive the report */
	/* of own_node: as those of plan_input; they must outlive the report; may be NULL */
	const uint32_t *sizes;
	const struct plan_unfit *unfit;
	/* of all nodes with pods, instead of the above from own on; they must outlive the report */
	const struct report_plan *plans;
	size_t n_plans;
};

/* Leaves out pods that have ended (Succeeded, Failed): they have no traffic (NP-56). */
struct report *report_new(const struct report_input *in);
void report_free(struct report **r); /* also for _cleanup_() */

/*
 * Calls fn in order of from, to (pods by ns/name, then world, node), port as requested, family.
 * Stops at the first non-zero result of fn and returns it.
 */
int report_each(struct report *r, int (*fn)(const struct report_item *item, void *ctx), void *ctx,
		struct weir_err *err);

/* The requested ports, or the default ones. */
size_t report_ports(const struct report *r, const struct report_port **ret_ports);
size_t report_n_rows(const struct report *r);
const char *report_row_text(const struct report *r, size_t row);
/* The plan that judges the ends on that node; NULL: no such node. */
const struct plan *report_plan(struct report *r, const char *node);

struct report_end {
	enum report_end_kind kind; /* WORLD and NODE with a non-zero addr: just that address */
	const struct kube_pod *pod;
	struct weir_addr addr; /* of the requested family */
};

/* One item, between the given ends. -EAFNOSUPPORT: one has no address of the family. */
int report_ask(struct report *r, const struct report_end *from, const struct report_end *to,
	       int proto, uint16_t port, int family, struct report_item *ret_item,
	       struct weir_err *err);
/* Address of an end in a family; false when it has none. node: the node of REPORT_NODE. */
bool report_end_addr(struct report *r, const struct report_end *end, const char *node, int family,
		     struct weir_addr *ret_addr);
