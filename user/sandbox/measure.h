/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the report expects beside what real connections between the pods of a sandbox measured. */
#pragma once

#include "analyze/report.h"
#include "sandbox/sandbox.h"

/* One question of the report and its answer from the wire. */
struct measure_result {
	struct report_item item;
	enum sandbox_measured measured;
	uint32_t us;
};

/* A backend that answered, of the requests of one source to one service port. */
struct measure_backend {
	char name[160]; /* "ns/pod" */
	unsigned int answers;
};

struct measure_spread {
	const char *from;
	char *service; /* "ns/name:port/proto" */
	const struct plan_frontend *frontend; /* of the first family that was asked */
	unsigned int candidates,
		allowed; /* expected: backends, and those that the source may reach */
	/*
	 * of those, backends that are no pod of the sandbox, and requests of a protocol that cannot
	 * be spoken
	 */
	unsigned int elsewhere;
	unsigned int rejects; /* expected: requests that are refused, because there is no backend
				 (B.4) */
	unsigned int requests, answered, refused;
	struct measure_backend *backends;
	size_t n, cap;
};

struct measure {
	const struct store *store;
	struct sandbox_net net;
	struct report *report;
	struct plan *plan;
	const char *name; /* of the sandbox; NULL: SANDBOX_DEFAULT_NAME */
	unsigned int timeout_ms, requests;
	bool all_ports; /* every port at every destination, as asked for; else those that the
			   destination declares */
	struct measure_result *results;
	size_t n, cap;
	struct measure_spread *spreads;
	size_t n_spreads, cap_spreads;
};

/*
 * What is expected comes from the plan, what is measured from what was loaded: what an apply of the
 * plan would change. Without tables (no_datapath) nothing. Each 0 or -errno.
 */
int measure_compare(const struct measure *p, struct sync_delta *ret_delta, struct weir_err *err);
int measure_matrix(struct measure *p, struct weir_err *err);
int measure_services(struct measure *p, struct weir_err *err);
void measure_free(struct measure *p); /* also for _cleanup_() */

bool measure_agrees(const struct measure_result *r); /* true too where nothing can be measured */
bool measure_spread_agrees(const struct measure_spread *s);
const char *
measure_spread_expected(const struct measure_spread *s); /* "allow", "deny", "refused", "partly" */
size_t measure_differences(const struct measure *p);
