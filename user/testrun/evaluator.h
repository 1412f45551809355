/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The BPF programs as evaluator: a private instance for each plan, made when it is first asked.
 * Each of their answers is held against the oracle's.
 */
#pragma once

#include "analyze/evaluator.h"
#include "testrun/probe.h"

struct evaluator_probe;

struct program_evaluator {
	struct evaluator evaluator; /* the plan's until program_evaluator_open() */
	struct evaluator_probe *probes; /* one a plan */
	size_t n_probes, cap_probes;
	size_t n_asked, n_differ;
	/* Called for each difference, after it was counted; may be NULL. */
	void (*differs)(const struct program_evaluator *e, const struct evaluator_difference *d);
};

/* e must not move afterwards. */
void program_evaluator_open(struct program_evaluator *e);
void program_evaluator_close(struct program_evaluator *e); /* also for _cleanup_() */
/*
 * A private instance that answers for p from now on, and is the evaluator's: made on demand where
 * none was given.
 */
void program_evaluator_adopt(struct program_evaluator *e, const struct plan *p,
			     struct probe *probe);

/*
 * Verdict, reason, rules, sets, service and backend of theirs, against the plan. Fills oracle in
 * any case.
 */
bool evaluator_agrees(struct evaluator_difference *d);
