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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_cluster_compiles_in_bounded_time_and_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
