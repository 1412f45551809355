// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What `sandbox probe` prints, on results made by hand: without a sandbox. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/measure_table.h"

#define STACK_TO_SPOIL 16384

static const char two_pods_one_policy[] =
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: p, name: a}\n"
	"spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n"
	"status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: p, name: b}\n"
	"spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}\n"
	"status: {phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: p, name: none}\n"
	"spec: {podSelector: {}, policyTypes: [Ingress]}\n";

static int measured_as_expected(const struct report_item *item, void *ctx)
{
	struct measure *m = ctx;

	*VEC_ADD(m->results, m->n, m->cap) =
		(struct measure_result){ .item = *item,
					 .measured = item->allow ? SANDBOX_ALLOW : SANDBOX_DENY };
	return 0;
}

/* Uninitialised pointers of the next call are invalid, not NULL by chance. */
static __attribute__((noinline)) void spoil_stack(void)
{
	volatile char bytes[STACK_TO_SPOIL];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0x5a;
}

static void a_denial_is_printed_where_there_is_no_service(void **state)
{
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(measure_free) struct measure m = { .store = s };
	_cleanup_(mem_free) char *text = NULL;
	struct common_options options = {};
	struct weir_err err = {};
	size_t len;
	FILE *out;

	store_read_buffer(s, "p.yaml", two_pods_one_policy, strlen(two_pods_one_policy));
	store_apply_defaults(s, 0);
	m.report = report_new(&(struct report_input){ .store = s });
	assert_int_equal(report_each(m.report, measured_as_expected, &m, &err), 0);
	out = open_memstream(&text, &len);
	spoil_stack();
	measure_print(&m, &options, out);
	fclose(out);
	assert_non_null(strstr(text, "DENIED AT"));
	assert_non_null(strstr(text, "ingress to p/b"));
	assert_null(strstr(text, "SERVICE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_denial_is_printed_where_there_is_no_service),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
