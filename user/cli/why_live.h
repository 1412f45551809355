/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Private to why*.c: what the tables of a loaded instance say. The real
 * programs run on a copy of the live tables (user/kernel/probe_copy.h): no
 * connection entry is made and nothing is counted in the instance itself.
 */
#pragma once

#include "cli/live.h"
#include "cli/origin.h"
#include "analyze/why.h"

struct why_live {
	struct live live; /* node NULL: nothing is loaded, or it may not be read */
	struct origin origin; /* store NULL: objects-<generation> is not there */
	const struct plan *plan; /* of the instance's node */
	struct probe *probe; /* on a copy of the tables */
	struct weir_err err; /* why there is no copy */
};

/*
 * Opens the instance of c->name and what it was made from. needed: there is nothing else to answer from, so its absence
 * is an error (EXIT_REACH); else it is not there, silently. EXIT_OK or the status to end with.
 */
int why_live_open(struct why_live *l, const struct common_options *c, bool needed);
void why_live_close(struct why_live *l); /* also for _cleanup_() */

/* Fills datapath of all flows. own: the store asked about is the instance's own. EXIT_OK, or EXIT_DISAGREE after a banner. */
int why_live_ask(struct why_live *l, const struct why_ask *ask, const struct common_options *c,
		 struct why_flows *flows, bool own);

/* Answers by ids, without objects: FROM and TO by address, or by name as far as the plan file has it. An exit status. */
int why_live_by_ids(struct why_live *l, const struct why_ask *ask, const struct common_options *c);
