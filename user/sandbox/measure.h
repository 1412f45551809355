/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The report's expectations beside measurements by real connections in a sandbox. */
#pragma once

#include "analyze/report.h"
#include "inspect/live.h"
#include "sandbox/sandbox.h"

/* One item of the report and its measurement. */
struct measure_result {
	struct report_item item;
	enum sandbox_measured measured;
	uint32_t us;
};

/* A backend and its answers to the requests of one spread. */
struct measure_backend {
	char name[160]; /* "ns/pod" */
	unsigned int answers;
};

/* The requests of one source to one service port, by backend. */
struct measure_spread {
	const char *from;
	char *service; /* "ns/name:port/proto" */
	/* of the first family that was probed */
	const struct plan_service *port;
	const struct plan_frontend *frontend;
	unsigned int candidates; /* expected: backends */
	unsigned int allowed; /* expected: candidates that the source may reach */
	/* not measurable: backends that are no pod of the sandbox, requests by SCTP */
	unsigned int elsewhere;
	unsigned int rejects; /* expected: requests refused for lack of a backend (SVC-60) */
	unsigned int requests, answered, refused; /* measured */
	struct measure_backend *backends;
	size_t n, cap;
};

/* What is loaded on a node, and what should be. */
struct measure_node {
	char *instance, *where; /* as of sandbox_netns() */
	struct plan *plan;
	struct live live; /* its tables; node NULL: none */
	/* of the loaded tables, for plan_input; 0 without tables: the defaults */
	uint32_t sizes[_WEIR_MAP_MAX];
	uint64_t overlay_ports[WEIR_OVERLAY_WORDS];
	struct plan_unfit unfit; /* likewise */
};

struct measure {
	const struct store *store;
	struct sandbox_net net;
	struct report *report;
	struct measure_node *nodes; /* as net.nodes */
	struct report_plan *plans; /* theirs */
	const char *name; /* of the sandbox; NULL: SANDBOX_DEFAULT_NAME */
	unsigned int timeout_ms, requests;
	bool all_ports; /* every port at every destination; else only ports that it declares */
	struct measure_result *results;
	size_t n, cap;
	struct measure_spread *spreads;
	size_t n_spreads, cap_spreads;
};

/*
 * Compiles the plans of all nodes. Of each node's tables it reads what a load took of the node, so
 * that the plan of the same manifests is the loaded one: also what does not fit. 0 or -errno.
 */
int measure_compile(struct measure *m, struct weir_err *err);

/* What an apply of the plans would change, on all nodes. */
struct measure_drift {
	unsigned int writes, extra_pods, missing_pods;
};

/*
 * If there is any drift, expectations and measurements have different causes. None without tables
 * (no_datapath). 0 or -errno.
 */
int measure_compare(const struct measure *p, struct measure_drift *ret_drift, struct weir_err *err);
int measure_matrix(struct measure *p, struct weir_err *err);
int measure_services(struct measure *p, struct weir_err *err);
void measure_free(struct measure *p); /* also for _cleanup_() */

bool measure_agrees(const struct measure_result *r); /* true too if it was not measurable */
bool measure_spread_agrees(const struct measure_spread *s);
/* "allow", "deny", "refused", "partly" */
const char *measure_spread_expected(const struct measure_spread *s);
size_t measure_differences(const struct measure *p);
