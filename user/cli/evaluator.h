/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * --engine of report and why: chooses the evaluator, and reports when two evaluators disagree.
 */
#pragma once

#include "testrun/evaluator.h"

/* engine: "plan", "bpf" or NULL for plan. e must not move afterwards. */
void evaluator_choose(struct program_evaluator *e, const char *engine);
/*
 * The banner of a defect, on stderr: the question, both answers, and what to report. name: of the
 * second evaluator, such as "the programs"; further: a line that narrows it down, or NULL.
 */
void evaluator_banner(const struct evaluator_difference *d, const char *name, const char *further);
/* EXIT_OK, or EXIT_DISAGREE after printing how often the two differed. */
int evaluator_verdict(const struct program_evaluator *e);
