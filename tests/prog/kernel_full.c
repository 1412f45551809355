// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A plan that does not fit is refused whole, for every table that a plan fills: a small plan fits
 * exactly, a large one needs more. The error names object, table, need and size; no byte is
 * written; the small plan still applies without a write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "lib/kernel_env.h"
#include "lib/tables_text.h"

#define MORE                                                                                                      \
	"apiVersion: v1\nkind: Service\nmetadata: {name: more}\nspec: {clusterIP: 10.96.0.9, selector: {app: "    \
	"client}, ports: [{port: 80}]}\n---\n"                                                                    \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: more}\nspec: {podSelector: {}, " \
	"egress: [{to: [{podSelector: {matchLabels: {app: other}}}, {ipBlock: {cidr: 203.0.113.0/24}}], "         \
	"ports: [{port: 1}, {port: 3}, {port: 5}]}], policyTypes: [Egress]}\n---\n"                               \
	"apiVersion: v1\nkind: Node\nmetadata: {name: n3}\nstatus: {addresses: [{type: InternalIP, address: "     \
	"198.51.100.3}]}\n"

struct row {
	enum weir_map map;
	const char *object; /* in the error's text */
};

static const struct row rows[] = {
	{ WEIR_MAP_attachments, "Pod default/c" },
	{ WEIR_MAP_pods, "Pod default/" },
	{ WEIR_MAP_endpoints, "address 10.244.0.3" },
	{ WEIR_MAP_identities, "address " },
	{ WEIR_MAP_networks, "network 203.0.113.0" },
	{ WEIR_MAP_policy_sets, "NetworkPolicy default/" },
	{ WEIR_MAP_policy_rules, "NetworkPolicy default/" },
	{ WEIR_MAP_port_ranges, "NetworkPolicy default/more" },
	{ WEIR_MAP_frontends, "Service default/more" },
	{ WEIR_MAP_services, "Service default/more" },
	{ WEIR_MAP_backend_slots, "Service default/more" },
	{ WEIR_MAP_backends, "Service default/more" },
	{ WEIR_MAP_nodes, "address 198.51.100.3" },
	{ WEIR_MAP_names, "the plan" },
};

static struct plan *small, *large;

static int group_setup(void **state)
{
	static const char *const two[] = { "app: web", "app: client", NULL, "app: client" };

	small = kernel_plan(two, kernel_service, kernel_policy, NULL);
	large = kernel_plan(kernel_labels, kernel_service, kernel_policy, MORE, NULL);
	return 0;
}

static int group_teardown(void **state)
{
	plan_free(&small);
	plan_free(&large);
	return 0;
}

/* Entries that the small plan needs of each table. */
static void needs(uint32_t need[_WEIR_MAP_MAX])
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	struct sync_delta d = kernel_apply(n, small);

	memcpy(need, d.inserted, sizeof(d.inserted));
	need[WEIR_MAP_networks]++; /* the default of IPv4 is always present */
	need[WEIR_MAP_pods]++; /* id 0 is never given out */
	need[WEIR_MAP_services]++;
	need[WEIR_MAP_backends]++;
	need[WEIR_MAP_policy_sets]++;
}

static void refused(const struct row *row, uint32_t size)
{
	_cleanup_(mem_free) char *before = NULL, *after = NULL,
				 *number = mem_printf("size is %u", size);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(large);
	_cleanup_(node_close) struct node *n = NULL;
	struct node_setup sizes = kernel_sizes;
	struct weir_err err = {};
	struct sync_delta d;

	sizes.max[row->map] = size;
	assert_int_equal(node_open(NULL, NODE_PRIVATE, &sizes, &n, &err), 0);
	kernel_apply(n, small);
	before = tables_bytes(n);
	if (sync_apply(n, large, &l, SYNC_NO_DEVICES, &d, &err) != -ENOSPC)
		fail_msg("map %s with %u entries accepted the plan", map_info(row->map)->name,
			 size);
	if (!strstr(err.text, map_info(row->map)->name) || !strstr(err.text, row->object) ||
	    !strstr(err.text, number))
		fail_msg("map %s: the error is \"%s\"", map_info(row->map)->name, err.text);
	after = tables_bytes(n);
	assert_string_equal(before, after);
	d = kernel_apply(n, small);
	assert_delta(&d, "");
}

static void a_plan_that_does_not_fit_is_refused_whole(void **state)
{
	uint32_t need[_WEIR_MAP_MAX];

	needs(need);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused(&rows[i], need[rows[i].map]);
}

/* During an apply, old and new entries exist together: this peak must fit too. */
static void old_and_new_together_are_counted(void **state)
{
	static const char other_range[] =
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: in}\nspec: {podSelector: "
		"{matchLabels: {app: web}}, ingress: [{ports: [{port: 7}]}]}\n";
	_cleanup_(plan_free) struct plan *other = kernel_plan(kernel_labels, other_range, NULL);
	_cleanup_(plan_free) struct plan *one = kernel_plan(kernel_labels, kernel_policy, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(other);
	_cleanup_(node_close) struct node *n = NULL;
	struct node_setup sizes = kernel_sizes;
	struct weir_err err = {};
	struct sync_delta d;

	sizes.max[WEIR_MAP_port_ranges] = 1;
	assert_int_equal(node_open(NULL, NODE_PRIVATE, &sizes, &n, &err), 0);
	kernel_apply(n, one);
	assert_int_equal(sync_apply(n, other, &l, SYNC_NO_DEVICES, &d, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "need 2 entries, size is 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_that_does_not_fit_is_refused_whole),
		cmocka_unit_test(old_and_new_together_are_counted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, group_setup, group_teardown) : 0;
}
