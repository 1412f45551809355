/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The model of `why`: FROM and TO are parsed and resolved to flows, one for each family and
 * backend. Each flow has the plan's verdict and an explanation from the objects. Prints nothing.
 */
#pragma once

#include "analyze/explain.h"
#include "analyze/report.h"
#include "analyze/target.h"

/* The answer of the kernel's tables and programs. */
struct why_datapath {
	const char *text; /* for people, without "datapath:"; NULL: nothing to say */
	bool asked;
	bool agrees; /* asked, and the answer is the plan's */
	uint64_t generation; /* of the instance that was asked; 0: a private instance */
};

/* One flow: of one family, and to one backend where TO is a Service. */
struct why_flow {
	struct report_item item; /* from and to: names to show */
	const struct kube_service *service; /* NULL: TO is not a Service */
	struct weir_addr frontend; /* with a service */
	uint16_t service_port;
	const char *no_such_port; /* as in struct why_ask */
	bool left_out; /* the Service does not fit the tables, and is not served */
	struct explain_side sides[2]; /* by enum kube_direction */
	bool judged[2]; /* that end is a pod with its own address, and policies apply */
	const char *exempt; /* why no policy applies although an end is a pod, or NULL */
	/* other flows with the same answer; people are shown only the first of them */
	bool one_family; /* the answer holds only for this family */
	const char **alike; /* "ns/pod" of other backends */
	size_t n_alike, cap_alike;
	bool repeated; /* not shown: an earlier flow has the same answer */
	struct why_datapath datapath;
	bool disagree; /* explanation and plan differ: a defect */
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
	const struct kube_service *service; /* TO; to_end is then unused. NULL: not a Service */
	/* with a service: the address of TO that is a frontend of it; zero: its cluster IPs */
	struct weir_addr external;
	int proto; /* of TO, after defaulting */
	uint16_t port;
	const struct evaluator *evaluator; /* also judges cluster IPs, as a check; may be NULL */
	const char *no_such_port; /* the Service's ports, where TO's is not one of them; or NULL */
};

/* Parses FROM and TO. 0 or -EINVAL with err. */
int why_parse(struct why_ask *ask, const char *from, const char *to, struct weir_err *err);
/* Finds the objects that FROM and TO name, and the port. 0, -ENOENT or -EINVAL with err. */
int why_resolve(struct why_ask *ask, struct weir_err *err);
/* Is end any address of the node that hosts peer (NP-41, NP-42)? */
bool why_is_own_node(const struct why_ask *ask, const struct report_end *end,
		     const struct report_end *peer);
/* Adds every flow. 0, or -errno with err: -EAFNOSUPPORT when the ends share no family. */
int why_judge(struct why_ask *ask, struct why_flows *flows, struct weir_err *err);

void why_flows_free(struct why_flows *flows); /* also for _cleanup_() */

/* Marks flows as repeated that differ from an earlier one only in family or backend. */
void why_merge(struct why_flows *flows);

/* The Service has no backend for this flow. */
/* Is it dropped whatever the policies say? Then none is explained; item.reason says why. */
bool why_never_allowed(const struct why_flow *flow);
bool why_ends_at_frontend(const struct why_flow *flow);
