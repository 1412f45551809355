/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Compares the oracle on the compiled plan with the naive reference: the same random queries on the
 * same random clusters must give no difference. Needs neither kernel nor root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/differential.h"

#define CLUSTERS 1000
#define QUESTIONS 80 /* a node */
#define PACKETS_WANTED 100000

static struct differential_count count;

static bool agrees(void *ctx, const struct differential_question *question, FILE *out)
{
	const struct plan *p = question->plan;
	struct oracle_answer got = {};
	const struct plan_list *list = oracle_candidates(p, &question->q);
	size_t candidates;

	oracle_judge(p, &question->q, &got);
	if (!differential_same(p, &got, &question->want, out))
		return false;
	/* the driver picks every candidate of the reference; the plan must not have more */
	candidates = list && question->want.n_candidates ? list->n : 0;
	if (candidates == question->want.n_candidates)
		return true;
	fprintf(out, "the plan has %zu candidates, the reference %zu\n", candidates,
		question->want.n_candidates);
	return false;
}

static void plan_and_reference_agree_on_random_clusters(void **state)
{
	struct differential d = { .clusters = CLUSTERS, .questions = QUESTIONS, .agrees = agrees };

	assert_true(differential_run(&d, &count));
}

/* Agreement means little unless every answer is frequent. */
static void random_clusters_give_every_answer(void **state)
{
	static const enum weir_reason wanted[] = { WEIR_FORWARDED,       WEIR_EGRESS_DENIED,
						   WEIR_POLICY_CLOSED,   WEIR_INGRESS_DENIED,
						   WEIR_NO_ENDPOINT,     WEIR_NO_LOCAL_ENDPOINT,
						   WEIR_NO_SERVICE_PORT, WEIR_SOURCE_RANGE };

	if (random_rounds(CLUSTERS) < CLUSTERS)
		skip();
	assert_true(count.packets >= PACKETS_WANTED);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		assert_true(count.reasons[wanted[i]] >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_and_reference_agree_on_random_clusters),
		cmocka_unit_test(random_clusters_give_every_answer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
