/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who judges for report and why: the compiled plan, or the BPF programs
 * themselves. Whoever it is, the plan is asked too, and a difference is shouted.
 */
#pragma once

#include "cli/talk.h"
#include "analyze/report.h"
#include "testrun/probe.h"

struct engine_probe;

struct engine {
	struct report_judge judge;
	struct engine_probe *probes; /* one a plan; none with the plan as engine */
	size_t n_probes, cap_probes;
	bool programs; /* they are the engine */
	size_t n_asked, n_differ;
};

/*
 * Is what the programs answered what the plan says, for the backend that they chose? Verdict, reason, rules, sets,
 * service and backend; the oracle's answer is returned in any case.
 */
bool engine_agrees(const struct plan *p, const struct oracle_query *q, const struct oracle_answer *programs,
		   struct oracle_answer *ret_oracle);
/* "DENIED (ingress-denied); egress: not isolated; ingress: no rule of ns/a, ns/b". The caller's. */
char *engine_answer_text(const struct plan *p, const struct oracle_answer *a);
/*
 * The banner of a defect, on stderr: what was asked, what each of the two says, and what to report. who: "the
 * programs", …; further: a line that narrows it down, or NULL.
 */
void engine_banner(const struct plan *p, const struct oracle_query *q, const char *who,
		   const struct oracle_answer *theirs, const struct oracle_answer *oracle, const char *further);
/* A question that is asked for its own sake: with the programs as engine, they are held against the plan. 0 or -errno. */
int engine_check(struct engine *e, const struct plan *p, const struct oracle_query *q, struct weir_err *err);

/* A private instance that answers for p from now on, and is the engine's: made so on demand, unless somebody did it before. */
void engine_adopt(struct engine *e, const struct plan *p, struct probe *probe);

/* name: "plan", "bpf" or NULL for plan. e must not move afterwards. */
void engine_open(struct engine *e, const char *name);
void engine_close(struct engine *e); /* also for _cleanup_() */
/* EXIT_OK, or EXIT_DISAGREE after saying how often the two differed. */
int engine_verdict(const struct engine *e);
