/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Compares all three evaluators: the naive reference, the oracle on the plan, and the BPF programs
 * under BPF_PROG_TEST_RUN on tables that sync wrote. One instance gets plan after plan as table
 * diffs, as on a node. The programs choose a backend by hash: it must be a candidate, and the rest
 * of the answer must be right for that backend. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "testrun/testrun.h"
#include "lib/differential.h"

#define CLUSTERS 120
#define QUESTIONS 500 /* a node */
#define PACKETS_WANTED 100000
#define REOPEN_EVERY 16 /* plans that one instance gets before a new one is opened */

struct bpf_run {
	struct testrun *testrun;
	unsigned int plans;
};

static struct differential_count count;

static bool begin(void *ctx, const struct plan *p, FILE *out)
{
	struct bpf_run *run = ctx;
	struct weir_err err = {};
	int r;

	if (run->plans++ % REOPEN_EVERY == 0)
		testrun_close(&run->testrun);
	r = run->testrun ? testrun_load(run->testrun, p, &err)
			 : testrun_open(p, &run->testrun, &err);
	if (r)
		fprintf(out, "%s\n", err.text);
	return !r;
}

/* The reference has no service, backend and set indexes: compare these with the oracle. */
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

/* Compares the programs' answer with both others, which are asked for the backend it chose. */
static bool agrees(void *ctx, const struct differential_question *question, FILE *out)
{
	struct oracle_query q = question->q;
	struct bpf_run *run = ctx;
	struct oracle_answer bpf = {}, oracle;
	struct reference_answer want;
	struct weir_err err = {};
	int r = testrun_ask(run->testrun, question->plan, &q, &bpf, &err);

	if (r || !is_candidate(question->plan, &bpf, &question->want)) {
		fprintf(out, "%s\n",
			r ? err.text : "the programs chose a backend that is not a candidate");
		differential_print(question->plan, &bpf, out);
		return false;
	}
	q.pick = question->want.n_candidates ? testrun_pick(question->plan, &q, &bpf) : 0;
	reference_judge(question->store, question->node, &q, &want);
	if (!differential_same(question->plan, &bpf, &want, out))
		return false;
	oracle_judge(question->plan, &q, &oracle);
	if (same_attribution(&bpf, &oracle))
		return true;
	fprintf(out, "attribution differs: first the programs', then the plan's answer\n");
	differential_print(question->plan, &bpf, out);
	differential_print(question->plan, &oracle, out);
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

	testrun_close(&run.testrun);
	assert_true(same);
}

static void random_clusters_give_every_answer_of_the_programs(void **state)
{
	static const enum weir_reason wanted[] = { WEIR_FORWARDED,      WEIR_EGRESS_DENIED,
						   WEIR_POLICY_CLOSED,  WEIR_INGRESS_DENIED,
						   WEIR_NO_ENDPOINT,    WEIR_NO_LOCAL_ENDPOINT,
						   WEIR_NO_SERVICE_PORT };

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
		cmocka_unit_test(random_clusters_give_every_answer_of_the_programs),
	};

	if (geteuid()) {
		puts("1..0 # SKIP needs root");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
