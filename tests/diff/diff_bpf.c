/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All three evaluators: the naive reference, the plan as the oracle reads it, and the BPF programs
 * under BPF_PROG_TEST_RUN on tables that sync wrote. One instance meets plan after plan by diff, as
 * a node does. The programs choose a backend by their own hash: any candidate will do, and the rest
 * of the answer must be the one for that backend. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "testrun/probe.h"
#include "lib/differential.h"

#define CLUSTERS 120
#define QUESTIONS 500 /* a node */
#define PACKETS_WANTED 100000
#define REOPEN_EVERY 16 /* plans that one instance sees before another one is made */

struct bpf_run {
	struct probe *probe;
	unsigned int plans;
};

static struct differential_count count;

static bool begin(void *ctx, const struct plan *p, FILE *said)
{
	struct bpf_run *run = ctx;
	struct weir_err err = {};
	int r;

	if (run->plans++ % REOPEN_EVERY == 0)
		probe_close(&run->probe);
	r = run->probe ? probe_load(run->probe, p, &err) : probe_open(p, &run->probe, &err);
	if (r)
		fprintf(said, "%s\n", err.text);
	return !r;
}

/* What the reference does not know: the plan's own things by which it was decided. */
static bool same_attribution(const struct oracle_answer *a, const struct oracle_answer *b)
{
	return a->service == b->service && a->backend == b->backend &&
	       a->egress.set == b->egress.set && a->ingress.set == b->ingress.set;
}

static bool is_candidate(const struct plan *p, const struct oracle_answer *bpf,
			 const struct reference_answer *want)
{
	const struct plan_backend *b = &p->backends[bpf->backend];

	if (!want->n_candidates)
		return bpf->backend == PLAN_NONE;
	for (size_t i = 0; bpf->backend != PLAN_NONE && i < want->n_candidates; i++)
		if (weir_addr_equal(&b->addr, &want->candidates[i].addr) &&
		    b->port == want->candidates[i].port)
			return true;
	return false;
}

/*
 * The answer of the programs, held against both others as if they had been asked for the same
 * backend.
 */
static bool agrees(void *ctx, const struct differential_question *question, FILE *said)
{
	struct oracle_query q = question->q;
	struct bpf_run *run = ctx;
	struct oracle_answer bpf = {}, oracle;
	struct reference_answer want;
	struct weir_err err = {};
	int r = probe_ask(run->probe, question->plan, &q, &bpf, &err);

	if (r || !is_candidate(question->plan, &bpf, &question->want)) {
		fprintf(said, "%s\n", r ? err.text : "what the programs chose is no candidate");
		differential_print(question->plan, &bpf, said);
		return false;
	}
	q.pick = question->want.n_candidates ? probe_pick(question->plan, &bpf) : 0;
	reference_judge(question->store, question->node, &q, &want);
	if (!differential_same(question->plan, &bpf, &want, said))
		return false;
	oracle_judge(question->plan, &q, &oracle);
	if (same_attribution(&bpf, &oracle))
		return true;
	fprintf(said, "attribution differs, from the programs and from the plan:\n");
	differential_print(question->plan, &bpf, said);
	differential_print(question->plan, &oracle, said);
	return false;
}

static void programs_plan_and_reference_agree_on_random_clusters(void **state)
{
	struct bpf_run run = {};
	struct differential d = { .clusters = CLUSTERS,
				  .questions = QUESTIONS,
				  .ctx = &run,
				  .begin = begin,
				  .agrees = agrees };
	bool same = differential_run(&d, &count);

	probe_close(&run.probe);
	assert_true(same);
}

static void random_clusters_ask_the_programs_for_every_answer(void **state)
{
	static const enum weir_reason wanted[] = { WEIR_FORWARDED,         WEIR_EGRESS_DENIED,
						   WEIR_INGRESS_DENIED,    WEIR_NO_ENDPOINT,
						   WEIR_NO_LOCAL_ENDPOINT, WEIR_NO_SERVICE_PORT };

	if (random_rounds(CLUSTERS) < CLUSTERS)
		skip();
	assert_true(count.packets >= PACKETS_WANTED);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		assert_true(count.reasons[wanted[i]] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_plan_and_reference_agree_on_random_clusters),
		cmocka_unit_test(random_clusters_ask_the_programs_for_every_answer),
	};

	if (geteuid()) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
