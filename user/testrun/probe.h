/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Asks the BPF programs themselves: a private, unpinned instance holds one plan, and each question
 * is a packet under BPF_PROG_TEST_RUN. For `--engine bpf` and the differential tests. Touches no
 * device and nothing that is loaded; what is loaded can be asked by way of a copy.
 */
#pragma once

#include "analyze/oracle.h"
#include "kernel/node.h"

struct probe;

/* Needs root, like loading does. The plan is not kept. */
int probe_open(const struct plan *p, struct probe **ret_probe, struct weir_err *err);
void probe_close(struct probe **probe); /* also for _cleanup_() */

/*
 * A private copy of what a node's tables say now; live is only read. p is the plan in whose terms
 * answers come: what the tables name otherwise than it is PLAN_NONE in them. -ESTALE: an apply came
 * in between, ask again.
 */
int probe_open_copy(const struct node *live, const struct plan *p, struct probe **ret_probe,
		    struct weir_err *err);

/* Is a pod with that address plugged in here? Always, but on a copy. */
bool probe_has_pod(const struct probe *probe, const struct weir_addr *addr);
/*
 * The last answer in the tables' own numbers; overwritten by the next. NULL: no program ran for it.
 */
const struct weir_trace *probe_trace(const struct probe *probe);

/* Makes the same tables say another plan, by diff, as a reload does. */
int probe_load(struct probe *probe, const struct plan *p, struct weir_err *err);

/*
 * The first packet of a flow that no table knows, where this node meets it: at the source's veth if
 * that is a pod of this node, else at the destination's; nowhere if neither is. p is the plan that
 * was loaded. q->pick is not used: the programs choose a backend by their own hash, see
 * probe_pick().
 */
int probe_ask(struct probe *probe, const struct plan *p, const struct oracle_query *q,
	      struct oracle_answer *ret_answer, struct weir_err *err);

/* The q->pick for which the oracle translates to the backend of this answer. */
uint32_t probe_pick(const struct plan *p, const struct oracle_answer *a);
