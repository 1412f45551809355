/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The BPF programs as evaluator: a private instance per plan, opened at the first query. Each
 * answer is compared with the oracle's.
 */
#pragma once

#include "analyze/evaluator.h"
#include "testrun/testrun.h"

struct evaluator_testrun;

struct program_evaluator {
	struct evaluator evaluator; /* evaluates the plan until program_evaluator_open() */
	struct evaluator_testrun *testruns; /* one per plan */
	size_t n_testruns, cap_testruns;
	size_t n_asked, n_differ;
	/* Called for each difference, after n_differ counts it; may be NULL. */
	void (*differs)(const struct program_evaluator *e, const struct evaluator_difference *d);
};

/* e must not move afterwards. */
void program_evaluator_open(struct program_evaluator *e);
void program_evaluator_close(struct program_evaluator *e); /* also for _cleanup_() */
/* Answers queries for p by this instance, which the evaluator owns from now on. */
void program_evaluator_adopt(struct program_evaluator *e, const struct plan *p,
			     struct testrun *testrun);

/*
 * Compares d->theirs with the oracle's answer: verdict, reason, rules, sets, service and backend.
 * Always fills d->oracle.
 */
bool evaluator_agrees(struct evaluator_difference *d);
