/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The shrinker of the differential tests, tested with evaluators that are wrong on purpose: its
 * manifests must still show the defect and be about as small as possible, and the output must make
 * the failure repeatable by copy and paste.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "lib/differential.h"
#include "lib/shrink.h"

#define SEED 4711 /* arbitrary: a few clusters are enough to find the defects */
#define CLUSTERS 200
#define QUESTIONS 80

/* ---- Evaluators that are wrong on purpose ---- */

/* Ignores all but the first rule of a policy, for what `weir why` can ask. */
static bool only_first_rules(void *ctx, const struct differential_question *q, FILE *out)
{
	const struct reference_verdict *v = &q->want.sides[KUBE_INGRESS];
	bool same = !(v->judged && v->allow && v->policy && v->rule > 0 && q->q.port);

	if (!same)
		fputs("the first rule does not match\n", out);
	return same;
}

/* Ignores all but one endpoint of a Service. */
static bool one_endpoint(void *ctx, const struct differential_question *q, FILE *out)
{
	return q->want.n_candidates < 2;
}

/* Ignores the excepts of an ipBlock. */
static bool no_exceptions(void *ctx, const struct differential_question *question, FILE *out)
{
	const struct store *s = question->store;

	for (size_t i = 0; question->want.reason == WEIR_INGRESS_DENIED && i < s->n_policies; i++)
		for (size_t r = 0; r < s->policies[i]->n_rules[KUBE_INGRESS]; r++) {
			const struct kube_policy_rule *rule =
				&s->policies[i]->rules[KUBE_INGRESS][r];

			for (size_t k = 0; k < rule->n_peers; k++)
				for (size_t e = 0; e < rule->peers[k].n_except; e++)
					if (cidr_holds(&rule->peers[k].except[e], &question->q.src))
						return false;
		}
	return true;
}

/* ---- Shrunk manifests ---- */

struct result {
	struct differential_count count;
	struct store *store; /* of the shrunk manifests */
	char *output;
};

static void find(bool (*agrees)(void *, const struct differential_question *, FILE *),
		 struct result *ret)
{
	size_t size;
	struct differential d = {
		.clusters = CLUSTERS,
		.questions = QUESTIONS,
		.seed = SEED,
		.agrees = agrees,
		.out = open_memstream(&ret->output, &size),
	};
	bool same = differential_run(&d, &ret->count);

	fclose(d.out);
	assert_false(same);
	assert_non_null(ret->count.shrunk);
	ret->store = store_new();
	store_read_buffer(ret->store, "shrunk.yaml", ret->count.shrunk, strlen(ret->count.shrunk));
	store_apply_defaults(ret->store, STORE_ASSIGN | STORE_ADMIT);
	assert_int_equal(ret->store->diags.errors, 0);
	print_message("# %zu bytes, %zu pods, %zu policies, %zu Services:\n%s",
		      strlen(ret->count.shrunk), ret->store->n_pods, ret->store->n_policies,
		      ret->store->n_services, ret->count.shrunk);
}

static void release(struct result *r)
{
	store_free(&r->store);
	free(r->count.shrunk);
	free(r->output);
}

static size_t n_labels(const struct store *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_pods; i++)
		n += s->pods[i]->meta.labels.n;
	return n;
}

static void a_missed_rule_shrinks_to_one_pod_and_one_policy_of_two_rules(void **state)
{
	struct result r = {};

	find(only_first_rules, &r);
	assert_int_equal(r.store->n_policies, 1);
	assert_int_equal(r.store->policies[0]->n_rules[KUBE_INGRESS], 2);
	assert_int_equal(r.store->policies[0]->n_rules[KUBE_EGRESS], 0);
	assert_int_equal(r.store->n_services + r.store->n_slices, 0);
	assert_int_equal(r.store->n_pods, 1);
	assert_int_equal(n_labels(r.store), 0);
	release(&r);
}

static void a_missed_endpoint_shrinks_to_one_service_of_two_endpoints(void **state)
{
	struct result r = {};
	size_t endpoints = 0;

	find(one_endpoint, &r);
	assert_int_equal(r.store->n_policies, 0);
	assert_int_equal(r.store->n_services, 1);
	assert_int_equal(r.store->services[0]->n_ports, 1);
	for (size_t i = 0; i < r.store->n_slices; i++)
		endpoints += r.store->slices[i]->n_endpoints;
	assert_int_equal(endpoints, 2);
	/* the client, and two pods if the endpoints come from a selector */
	assert_true(r.store->n_pods <= 3);
	release(&r);
}

static void a_missed_exception_shrinks_to_one_block_with_one_exception(void **state)
{
	const struct kube_peer *peer;
	struct result r = {};

	find(no_exceptions, &r);
	assert_int_equal(r.store->n_policies, 1);
	assert_int_equal(r.store->policies[0]->n_rules[KUBE_INGRESS], 1);
	assert_int_equal(r.store->policies[0]->rules[KUBE_INGRESS][0].n_peers, 1);
	peer = &r.store->policies[0]->rules[KUBE_INGRESS][0].peers[0];
	assert_int_equal(peer->n_except, 1);
	assert_int_equal(r.store->n_services, 0);
	assert_true(r.store->n_pods <= 2);
	release(&r);
}

static void the_output_tells_how_to_repeat_the_failure(void **state)
{
	char seed[64];
	struct result r = {};

	find(only_first_rules, &r);
	assert_non_null(strstr(r.output, "Repeat with WEIR_SEED="));
	assert_true(sscanf(strstr(r.output, "WEIR_SEED="), "WEIR_SEED=%63[0-9] WEIR_ROUNDS=1",
			   seed) == 1);
	assert_non_null(strstr(r.output, "\n#   weir why "));
	assert_non_null(strstr(r.output, "\n# the first rule does not match\n"));
	assert_non_null(strstr(r.output, "\n# reference: "));
	assert_non_null(strstr(r.output, "\n# kind: NetworkPolicy\n"));
	for (const char *line = r.output; *line; line = strchr(line, '\n') + 1)
		assert_int_equal(*line, '#');
	release(&r);
}

/* ---- The shrinker alone ---- */

/* The "defect" needs two words in different objects. */
static bool two_words(void *ctx, const char *text, size_t len)
{
	return strstr(text, "needle") && strstr(text, "a: \"2\"");
}

static void shrinking_removes_all_that_the_defect_does_not_need(void **state)
{
	static const char yaml[] =
		"kind: A\nlist:\n- {x: 1, z: [1, 2, needle]}\n- other\n---\nkind: B\n"
		"---\nkind: C\nm: {a: '2', b: 3}\n---\n[]\n";
	static const char json[] =
		"{\"kind\":\"List\",\"items\":[{\"kind\":\"A\",\"list\":[{\"x\":1,\"z\":[1,2,\"needle\"]}]},"
		"{\"m\":{\"a\":\"2\",\"b\":null}}]}";
	static const char *const texts[] = { yaml, json };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct shrink_result once, twice;

		assert_true(
			shrink_manifests(texts[i], strlen(texts[i]), two_words, NULL, 1000, &once));
		assert_string_equal(once.text,
				    "---\nlist:\n- z:\n  - needle\n---\nm:\n  a: \"2\"\n");
		assert_true(once.minimal);
		assert_true(shrink_manifests(once.text, once.len, two_words, NULL, 1000, &twice));
		assert_string_equal(once.text, twice.text);
		assert_int_equal(twice.removed, 0);
		free(once.text);
		free(twice.text);
	}
}

static void input_without_the_defect_is_not_shrunk_and_tries_are_bounded(void **state)
{
	static const char text[] = "m: {a: '2', needle: {b: [1, 2, 3]}}\n";
	struct shrink_result r = {};

	assert_false(shrink_manifests("m: 1\n", 5, two_words, NULL, 1000, &r));
	assert_false(shrink_manifests("m: [\n", 5, two_words, NULL, 1000, &r));
	assert_null(r.text);
	assert_true(shrink_manifests(text, strlen(text), two_words, NULL, 3, &r));
	assert_int_equal(r.tries, 3);
	assert_false(r.minimal);
	assert_true(two_words(NULL, r.text, r.len));
	free(r.text);
}

/*
 * The shrinker must write scalars so that they keep their type and value: strings that YAML would
 * read as bool or number, line ends, quotes.
 */
static bool reads_the_same(void *ctx, const char *text, size_t len)
{
	return strstr(text, "\"yes\"") && strstr(text, "\"1e3\"") &&
	       strstr(text, "\"a\\\"b\\\\c\\x0a\"") && strstr(text, " plain-1.x/y\n") &&
	       strstr(text, "\"fd00::1\"") && strstr(text, " 12\n") && strstr(text, "\"\"");
}

static void written_strings_are_read_back_as_strings(void **state)
{
	static const char text[] =
		"[\"yes\", \"1e3\", \"a\\\"b\\\\c\\n\", plain-1.x/y, \"fd00::1\", 12, \"\", true, null]\n";
	struct shrink_result r = {};

	assert_true(shrink_manifests(text, strlen(text), reads_the_same, NULL, 1000, &r));
	assert_int_equal(r.removed, 2);
	free(r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shrinking_removes_all_that_the_defect_does_not_need),
		cmocka_unit_test(input_without_the_defect_is_not_shrunk_and_tries_are_bounded),
		cmocka_unit_test(written_strings_are_read_back_as_strings),
		cmocka_unit_test(a_missed_rule_shrinks_to_one_pod_and_one_policy_of_two_rules),
		cmocka_unit_test(a_missed_endpoint_shrinks_to_one_service_of_two_endpoints),
		cmocka_unit_test(a_missed_exception_shrinks_to_one_block_with_one_exception),
		cmocka_unit_test(the_output_tells_how_to_repeat_the_failure),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
