/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The answer of a loaded instance's tables to a query of `why`. The real programs run on a copy of
 * the live tables (testrun/testrun.h): the instance gets no connection entry and counts nothing.
 */
#pragma once

#include "analyze/why.h"
#include "inspect/live.h"
#include "inspect/origin.h"

struct why_live {
	const char *name; /* of the instance */
	struct live live; /* node NULL: nothing is loaded, or the caller may not read it */
	struct origin origin; /* store NULL: objects-<generation> does not exist */
	const struct plan *plan; /* of the instance's node */
	struct testrun *testrun; /* on a copy of the tables */
	struct weir_err err; /* why there is no origin, or no copy */
	uint32_t sizes[_WEIR_MAP_MAX]; /* of the tables, for plan_input */
	struct plan_unfit unfit; /* what did not fit */
	/*
	 * The first defect that why_live_ask() found; plan NULL: none. further: a line that narrows
	 * it down, or NULL.
	 */
	struct evaluator_difference difference;
	const char *further;
};

/* Opens an instance and the objects it was loaded from. Errors as node_open(). */
int why_live_open(struct why_live *l, const char *name, struct weir_err *err);
void why_live_close(struct why_live *l); /* also for _cleanup_() */

/* Fills datapath of all flows. own: ask's objects are the instance's own. True: found a defect. */
bool why_live_ask(struct why_live *l, const struct why_ask *ask, struct why_flows *flows, bool own);

/* The answer without the objects, in the tables' ids. */
struct why_ids {
	struct oracle_query query;
	struct oracle_answer answer;
	bool judged; /* a program ran: one of the ends is attached here */
	/* with the tables' ids: */
	uint32_t service;
	struct oracle_side egress, ingress;
};

/*
 * One answer for each family in which both ends have an address, given or from the plan file; there
 * may be none. ask->to has a numeric port. 0, or -errno with l->err.
 */
int why_live_by_ids(struct why_live *l, const struct why_ask *ask, struct why_ids ret_answers[2],
		    size_t *ret_n);
