/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Queries to the BPF programs: a private, unpinned instance holds one plan, and each query is a
 * packet under BPF_PROG_TEST_RUN. For `--engine bpf`, `why` and the differential tests. Changes no
 * device and no loaded instance; loaded tables are queried through a copy.
 */
#pragma once

#include "analyze/oracle.h"
#include "kernel/node.h"

struct testrun;

/* Needs root, as loading does. The plan is not kept. */
int testrun_open(const struct plan *p, struct testrun **ret_testrun, struct weir_err *err);
void testrun_close(struct testrun **testrun); /* also for _cleanup_() */

/*
 * A private copy of a node's tables; live is only read. Answers are indexes of the plan p; what p
 * lacks is PLAN_NONE. -ESTALE: an apply changed the tables meanwhile; try again.
 */
int testrun_open_copy(const struct node *live, const struct plan *p, struct testrun **ret_testrun,
		      struct weir_err *err);

/* Is a pod with that address in the tables? A copy may lack pods of its plan. */
bool testrun_has_pod(const struct testrun *testrun, const struct weir_addr *addr);
/* The last answer in the tables' ids; the next query overwrites it. NULL: no program ran. */
const struct weir_decision *testrun_trace(const struct testrun *testrun);

/* Applies another plan to the same tables, by diff, as a reload does. */
int testrun_load(struct testrun *testrun, const struct plan *p, struct weir_err *err);

/*
 * Runs the first packet of a new flow where this node sees it: at the source's veth if that is a
 * local pod, else at the destination's; if neither is local, no program runs. p is the loaded plan.
 * q->pick is not used: the programs choose a backend by their own hash, see testrun_pick().
 */
int testrun_ask(struct testrun *testrun, const struct plan *p, const struct oracle_query *q,
		struct oracle_answer *ret_answer, struct weir_err *err);

/* The q->pick with which the oracle chooses the backend of this answer to q. */
uint32_t testrun_pick(const struct plan *p, const struct oracle_query *q,
		      const struct oracle_answer *a);
