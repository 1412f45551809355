/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The connectivity matrix: for each ordered pair of pods (and `world` and `node` as one end), port
 * asked for, and family that both ends have, may a connection be opened, and which rule of which
 * end says so. Pure; the format as JSON is in docs/design.md, written by report_item_emit().
 *
 * Each end is judged as on its own node (spec.nodeName), by that node's plan. Who answers is
 * exchangeable: evaluator.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/emit.h"
#include "analyze/evaluator.h"
#include "compile/plan.h"
#include "kube/store.h"

struct report_port {
	int proto; /* IPPROTO_*; 0 with a name: whatever protocol the pod declares it with */
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
	bool isolated; /* some policy selects that end in that direction */
};

struct report_item {
	const char *from, *to; /* "ns/pod", "world", "node" */
	size_t from_row, to_row,
		port_row; /* numbers of the ends and of the port asked for, from 0 */
	enum report_end_kind from_kind, to_kind;
	const struct kube_pod *from_pod, *to_pod; /* NULL for world and node */
	struct weir_addr src, dst;
	int family, proto; /* 0 IPv4, 1 IPv6; IPPROTO_* */
	uint16_t port; /* host order */
	const char *port_name; /* as it was asked for, or NULL */
	bool allow;
	enum weir_reason reason;
	struct report_side egress, ingress;
};

/*
 * The item as an object of JSON, without its braces, so that a caller can add members of its own.
 */
void report_item_emit(struct emit *e, const struct report_item *item);
/* "egress-denied", …: label of a reason (include/weir/reason.h); and its sentence. */
const char *reason_label(enum weir_reason reason);
const char *reason_text(enum weir_reason reason);

struct report;

struct report_input {
	const struct store *store; /* completed; must stay */
	const struct report_port *ports; /* NULL or n_ports 0: all that pods declare. Copied */
	size_t n_ports;
	const struct evaluator *evaluator; /* NULL: the plan */
	/* Addresses to use instead of chosen ones; may be NULL. own: further addresses of nodes. */
	const struct weir_addr *world; /* [2], by family; zero: none in that family */
	const struct weir_addr *own;
	size_t n_own;
	const char *own_node; /* whose addresses they are; NULL: every node's */
};

/* Pods that have ended (Succeeded, Failed) are left out: they have no traffic (NP-56). */
struct report *report_new(const struct report_input *in);
void report_free(struct report **r); /* also for _cleanup_() */

/*
 * In order of from, to (pods by ns/name, then world, node), port as asked, family. Stops at the
 * first non-zero of fn.
 */
int report_each(struct report *r, int (*fn)(const struct report_item *item, void *ctx), void *ctx,
		struct weir_err *err);

/*
 * What is asked for, after defaulting; the ends in order; and the plan that an end on that node is
 * judged by.
 */
size_t report_ports(const struct report *r, const struct report_port **ret_ports);
size_t report_n_rows(const struct report *r);
const char *report_row_text(const struct report *r, size_t row);
const struct plan *report_plan(struct report *r, const char *node);

/* One question of the same kind: ends as given, all else as report_each() does it. Used by why. */
struct report_end {
	enum report_end_kind kind; /* WORLD and NODE with a non-zero addr: exactly that address */
	const struct kube_pod *pod;
	struct weir_addr addr; /* of the family asked for */
};

int report_ask(struct report *r, const struct report_end *from, const struct report_end *to,
	       int proto, uint16_t port, int family, struct report_item *ret_item,
	       struct weir_err *err);
/*
 * Address of an end in a family; false when it has none. node is whose own node is meant, for
 * REPORT_NODE.
 */
bool report_end_addr(struct report *r, const struct report_end *end, const char *node, int family,
		     struct weir_addr *ret_addr);
