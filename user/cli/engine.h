/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who judges for report and why: the compiled plan, or the BPF programs
 * themselves. Whoever it is, the plan is asked too, and a difference is shouted.
 */
#pragma once

#include "cli/cli.h"
#include "compile/report.h"

struct engine_probe;

struct engine {
	struct report_judge judge;
	struct engine_probe *probes; /* one a plan; none with the plan as engine */
	size_t n_probes, cap_probes;
	size_t n_asked, n_differ;
};

/* name: "plan", "bpf" or NULL for plan. e must not move afterwards. */
void engine_open(struct engine *e, const char *name);
void engine_close(struct engine *e); /* also for _cleanup_() */
/* EXIT_OK, or EXIT_DISAGREE after saying how often the two differed. */
int engine_verdict(const struct engine *e);
