/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A large cluster compiles for one node in bounded time and memory: 10,000 Services of 10
 * endpoints, 150,000 pods, 10,000 policies. The bounds are generous, for slow and shared machines:
 * they catch quadratic passes, not percents. The figures are printed as a TAP comment.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "compile/plan.h"
#include "lib/large_cluster.h"

#define PODS 150000
#define POLICIES 10000
#define SERVICES 10000
#define ENDPOINTS 10
#define LOCALS 246
#define SECONDS_MAX 10.0
#define BYTES_MAX (150u << 20)

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void large_cluster_compiles_in_bounded_time_and_memory(void **state)
{
	static const struct large_cluster large = { PODS, POLICIES, SERVICES, ENDPOINTS };
	_cleanup_(store_free) struct store *s = large_store(&large);
	struct plan_input in = { .store = s, .node = LARGE_NODE };
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, bytes;
	_cleanup_(plan_free) struct plan *p = NULL;
	double start, seconds;
	size_t elements = 0;

	assert_int_equal(s->diags.errors, 0);
	start = cpu_seconds();
	p = plan_compile(&in);
	seconds = cpu_seconds() - start;
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	for (size_t i = 0; i < p->n_sets; i++)
		elements += p->sets[i].n_elements;
	print_message(
		"# %.2f s, %zu MB: %zu local pods, %zu rules, %zu identities, %zu addresses, %zu sets with %zu "
		"elements, %zu port sets, %zu backends\n",
		seconds, bytes >> 20, p->n_pods, p->n_rules, p->n_identities, p->n_addresses,
		p->n_sets, elements, p->n_port_sets, p->n_backends);
	assert_int_equal(p->n_pods, LOCALS);
	assert_int_equal(p->n_backends, SERVICES * ENDPOINTS);
	assert_true(p->n_addresses > PODS);
	assert_true(elements > LOCALS);
	assert_true(seconds < SECONDS_MAX);
	assert_true(bytes < BYTES_MAX);
}

/* ---- One tenant's selectors ---- */

#define NAMESPACES 1000
#define PODS_EACH 10
#define SELECTOR_SECONDS_MAX 10.0

/* form: each $ is the number. */
static void put_peer(FILE *out, const char *form, unsigned int number)
{
	for (; *form; form++)
		if (*form == '$')
			fprintf(out, "%u", number);
		else
			fputc(*form, out);
}

/*
 * 10,000 pods of 1,000 namespaces, each pod with a label value of its own. Namespace evil has a
 * policy with so many peers on its pods of this node, and one more on each pod but the first;
 * namespace good one that allows app=web.
 */
static char *selectors(unsigned int peers, unsigned int locals, const char *form)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned int i = 0; i < NAMESPACES * PODS_EACH; i++)
		fprintf(out,
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p%u, namespace: n%u, labels: {app: web, one: v%u}}\n"
			"spec: {nodeName: other, containers: [{name: c, image: i}]}\n"
			"status: {phase: Running, podIPs: [{ip: 10.%u.%u.%u}]}\n---\n",
			i, i % NAMESPACES, i, 1 + i / 62500, i / 250 % 250, 1 + i % 250);
	for (unsigned int i = 0; i <= locals; i++)
		fprintf(out,
			"apiVersion: v1\nkind: Pod\nmetadata: {name: l%u, namespace: %s, labels: {local: l%u}}\n"
			"spec: {nodeName: here, containers: [{name: c, image: i}]}\n"
			"status: {phase: Running, podIPs: [{ip: 10.9.0.%u}]}\n---\n",
			i, i ? "evil" : "good", i, 1 + i);
	for (unsigned int i = 2; i <= locals; i++)
		fprintf(out,
			"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: l%u, namespace: evil}\n"
			"spec: {podSelector: {matchLabels: {local: l%u}}, ingress: [{ports: [{port: %u}]}]}\n---\n",
			i, i, i);
	fputs("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: in, namespace: good}\n"
	      "spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}]}\n---\n"
	      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: many, namespace: evil}\n"
	      "spec:\n  podSelector: {}\n  ingress:\n  - from:\n",
	      out);
	for (unsigned int i = 0; i < peers; i++)
		put_peer(out, form, i);
	fclose(out);
	return text;
}

/* Seconds of compiling; whether evil's policy was compiled or closed. */
static double compile_selectors(unsigned int peers, unsigned int locals, const char *form,
				bool *ret_closed)
{
	_cleanup_(mem_free) char *text = selectors(peers, locals, form);
	_cleanup_(store_free) struct store *s = store_new();
	struct plan_input in = { .store = s, .node = "here" };
	_cleanup_(plan_free) struct plan *p = NULL;
	double start;

	store_read_buffer(s, "selectors.yaml", text, strlen(text));
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	start = cpu_seconds();
	p = plan_compile(&in);
	start = cpu_seconds() - start;
	*ret_closed = p->n_closed;
	for (size_t i = 0; i < p->n_closed; i++)
		assert_string_equal(p->closed[i].policy, "evil/many");
	print_message("# %5u peers %-60.60s %6.2f s, %zu identities%s\n", peers, form + 6, start,
		      p->n_identities, p->n_closed ? ", closed" : "");
	return start;
}

static void thousands_of_selectors_compile_in_bounded_time(void **state)
{
	static const struct {
		const char *form;
		bool closed; /* too many pairs of peers and pods */
	} rows[] = {
		{ "    - {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: n$}}, podSelector: {matchLabels: {one: v$}}}\n",
		  false },
		{ "    - {namespaceSelector: {}, podSelector: {matchLabels: {one: v$}}}\n", false },
		{ "    - {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [n$]}]}}\n",
		  true },
		{ "    - {namespaceSelector: {}, podSelector: {matchExpressions: [{key: one, operator: NotIn, values: [v$]}]}}\n",
		  true },
	};
	bool closed;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned int peers = 2500; peers <= 10000; peers *= 4) {
			assert_true(compile_selectors(peers, 1, rows[i].form, &closed) <
				    SELECTOR_SECONDS_MAX);
			assert_true(!closed || rows[i].closed);
		}
}

/* Each pod under another combination of policies: the pairs are looked at once for each. */
static void pairs_of_many_sets_compile_in_bounded_time(void **state)
{
	static const char form[] =
		"    - {namespaceSelector: {}, podSelector: {matchExpressions: [{key: one, operator: NotIn, values: [v$]}]}}\n";
	bool closed;

	for (unsigned int locals = 10; locals <= 250; locals *= 25)
		assert_true(compile_selectors(1250, locals, form, &closed) < SELECTOR_SECONDS_MAX);
	assert_true(closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_cluster_compiles_in_bounded_time_and_memory),
		cmocka_unit_test(thousands_of_selectors_compile_in_bounded_time),
		cmocka_unit_test(pairs_of_many_sets_compile_in_bounded_time),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
