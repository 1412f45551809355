/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * --engine of report and why: which evaluator answers, and what is said when two of them disagree.
 */
#pragma once

#include "testrun/evaluator.h"

/* engine: "plan", "bpf" or NULL for plan. e must not move afterwards. */
void evaluator_choose(struct program_evaluator *e, const char *engine);
/*
 * The banner of a defect, on stderr: what was asked, what each of the two says, and what to report.
 * who: "the programs", …; further: a line that narrows it down, or NULL.
 */
void evaluator_banner(const struct evaluator_difference *d, const char *who, const char *further);
/* EXIT_OK, or EXIT_DISAGREE after saying how often the two differed. */
int evaluator_verdict(const struct program_evaluator *e);
