/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the tables of a loaded instance say to a question of why. The real programs run on a copy of
 * the live tables (testrun/probe.h): no connection entry is made and nothing is counted in the
 * instance itself.
 */
#pragma once

#include "analyze/why.h"
#include "inspect/live.h"
#include "inspect/origin.h"

struct why_live {
	const char *name; /* of the instance */
	struct live live; /* node NULL: nothing is loaded, or it may not be read */
	struct origin origin; /* store NULL: objects-<generation> is not there */
	const struct plan *plan; /* of the instance's node */
	struct probe *probe; /* on a copy of the tables */
	struct weir_err err; /* why there is no origin, or no copy */
	/*
	 * The first defect that why_live_ask() found; plan NULL: none. further: a line that narrows
	 * it down, or NULL.
	 */
	struct evaluator_difference difference;
	const char *further;
};

/* Opens an instance and what it was made from. As node_open(). */
int why_live_open(struct why_live *l, const char *name, struct weir_err *err);
void why_live_close(struct why_live *l); /* also for _cleanup_() */

/*
 * Fills datapath of all flows. own: the store asked about is the instance's own. True: a defect was
 * found.
 */
bool why_live_ask(struct why_live *l, const struct why_ask *ask, struct why_flows *flows, bool own);

/*
 * The same question where the objects are not there any more: an answer in the tables' own numbers.
 */
struct why_ids {
	struct oracle_query query;
	struct oracle_answer answer;
	bool judged; /* a program ran: one of the ends is plugged in here */
	uint32_t service; /* what follows is in the tables' numbers */
	struct oracle_side egress, ingress;
};

/*
 * One answer for each family that both ends have an address in, by themselves or by the plan file.
 * TO has a port by number. 0, or -errno with l->err; without any answer that is 0, too.
 */
int why_live_by_ids(struct why_live *l, const struct why_ask *ask, struct why_ids ret_answers[2],
		    size_t *ret_n);
