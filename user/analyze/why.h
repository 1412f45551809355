/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One question, FROM and TO as people write them, answered with everything that has a say in it:
 * each way that it can go, its verdict by the plan, and by the objects what decides. Prints
 * nothing.
 */
#pragma once

#include "analyze/explain.h"
#include "analyze/report.h"
#include "analyze/target.h"

/* What the kernel's own tables and programs say about it. */
struct why_datapath {
	const char *text; /* for people, without "datapath:"; NULL: nothing to say */
	bool asked;
	bool agrees; /* asked, and it is the plan's answer */
	uint64_t generation; /* of the instance that was asked; 0: none, but a private one */
};

/* One way that the question can go: a family, and for a Service one of its backends. */
struct why_flow {
	struct report_item item; /* from and to as they are called */
	const struct kube_service *service; /* NULL: asked for directly */
	struct weir_addr frontend; /* with a service */
	uint16_t service_port;
	const char *no_such_port; /* as in struct why_ask */
	struct explain_side sides[2]; /* by enum kube_direction */
	bool judged[2]; /* that end is a pod with an address of its own */
	const char *exempt; /* why no policy is asked although an end is a pod; NULL: policies are
			       asked */
	/* other ways that say the same; they are not shown to people again */
	bool one_family; /* what it says holds for its family only */
	const char **alike; /* "ns/pod" of other backends */
	size_t n_alike, cap_alike;
	bool repeated; /* the one that is not shown */
	struct why_datapath datapath;
	bool disagree; /* objects and plan say different things: a defect */
};

struct why_flows {
	struct why_flow *items;
	size_t n, cap;
};

struct why_ask {
	const struct store *store;
	struct report *report;
	struct arena *arena;
	struct target from, to;
	const char *from_text, *to_text;
	struct report_end from_end, to_end;
	const struct kube_service *service; /* TO is this; to_end is not used */
	int proto; /* of TO, after defaulting */
	uint16_t port;
	const struct evaluator *evaluator; /* also asked about cluster IPs; NULL: none is */
	const char *no_such_port; /* the Service does not define it: what it defines, in words; else
				     NULL */
};

/* Reads FROM and TO as people write them. 0 or -EINVAL with err. */
int why_parse(struct why_ask *ask, const char *from, const char *to, struct weir_err *err);
/* Finds what FROM and TO name, and the port. 0, -ENOENT or -EINVAL with err. */
int why_resolve(struct why_ask *ask, struct weir_err *err);
/*
 * Is this an address of the node that hosts the other end (NP-41, NP-42), by whatever the node is
 * known to have?
 */
bool why_is_own_node(const struct why_ask *ask, const struct report_end *end,
		     const struct report_end *peer);
/*
 * Judges every way. 0, or -errno with err: -EAFNOSUPPORT when the two ends have no family in
 * common.
 */
int why_judge(struct why_ask *ask, struct why_flows *flows, struct weir_err *err);

void why_flows_free(struct why_flows *flows); /* also for _cleanup_() */

/*
 * Marks flows that differ in nothing but their family, or in which backend of a Service they reach.
 */
void why_merge(struct why_flows *flows);

/* No backend was found: the flow ends at the frontend. */
bool why_ends_at_frontend(const struct why_flow *flow);
