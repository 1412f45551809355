// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Hits belong to what an id stands for: they stay while a rule stays, and start at zero when its id
 * is given to another rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "lib/kernel_env.h"

#define POLICY(name, port)                                                                         \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " name            \
	"}\nspec: "                                                                                \
	"{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {" \
	"app: client}}}], ports: [{port: " port "}]}]}\n"

#define MANY 300 /* more than one batch of zeroing */

static struct node *node;

static int setup(void **state)
{
	node = kernel_node(NULL, NODE_PRIVATE);
	return 0;
}

static int teardown(void **state)
{
	node_close(&node);
	return 0;
}

static void load(const char *a, const char *b)
{
	_cleanup_(plan_free) struct plan *p =
		kernel_plan(kernel_labels, kernel_service, a, b, NULL);

	kernel_apply(node, p);
}

/* Writes hits on every CPU. */
static void count(enum weir_map map, uint32_t id)
{
	int cpus = libbpf_num_possible_cpus();
	struct weir_hits hits[cpus];

	for (int i = 0; i < cpus; i++)
		hits[i] = (struct weir_hits){ .packets = 10 + i, .last = 5 };
	assert_int_equal(bpf_map_update_elem(node_map_fd(node, map), &id, hits, BPF_ANY), 0);
}

static uint64_t counted(enum weir_map map, uint32_t id)
{
	int cpus = libbpf_num_possible_cpus();
	struct weir_hits hits[cpus];
	uint64_t sum = 0;

	assert_int_equal(bpf_map_lookup_elem(node_map_fd(node, map), &id, hits), 0);
	for (int i = 0; i < cpus; i++)
		sum += hits[i].packets + hits[i].last;
	return sum;
}

/* The ids of all names of a kind, smallest first. */
static size_t ids_of(enum weir_name_kind kind, uint32_t *ret_ids, size_t max)
{
	int fd = node_map_fd(node, WEIR_MAP_names);
	struct weir_name key;
	struct weir_name_id id;
	size_t n = 0;

	for (int more = !bpf_map_get_next_key(fd, NULL, &key); more;
	     more = !bpf_map_get_next_key(fd, &key, &key)) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &id), 0);
		if (key.kind == (uint32_t)kind && n < max)
			ret_ids[n++] = id.id;
	}
	return n;
}

static uint32_t only_id(enum weir_name_kind kind)
{
	uint32_t ids[2];

	assert_int_equal(ids_of(kind, ids, 2), 1);
	return ids[0];
}

static void hits_stay_while_the_rule_stays(void **state)
{
	uint32_t rule, set;

	load(POLICY("one", "80"), NULL);
	rule = only_id(WEIR_NAME_RULE);
	set = only_id(WEIR_NAME_POLICY_SET);
	count(WEIR_MAP_rule_hits, rule);
	count(WEIR_MAP_set_hits, set);
	load(POLICY("one", "80"), POLICY("two", "90"));
	assert_int_not_equal(counted(WEIR_MAP_rule_hits, rule), 0);
	assert_int_not_equal(counted(WEIR_MAP_set_hits, set), 0);
}

static void a_reused_id_starts_at_zero(void **state)
{
	uint32_t rule, set;

	load(POLICY("one", "80"), NULL);
	rule = only_id(WEIR_NAME_RULE);
	set = only_id(WEIR_NAME_POLICY_SET);
	count(WEIR_MAP_rule_hits, rule);
	count(WEIR_MAP_set_hits, set);
	load(NULL, NULL);
	load(POLICY("two", "90"), NULL);
	assert_int_equal(only_id(WEIR_NAME_RULE), rule);
	assert_int_equal(only_id(WEIR_NAME_POLICY_SET), set);
	assert_int_equal(counted(WEIR_MAP_rule_hits, rule), 0);
	assert_int_equal(counted(WEIR_MAP_set_hits, set), 0);
}

static void ids_beyond_the_table_load_and_are_not_counted(void **state)
{
	_cleanup_(mem_free) char *text = NULL;
	uint32_t ids[MANY + 1];
	size_t len, n;
	FILE *f = open_memstream(&text, &len);

	assert_true(node_map_max(node, WEIR_MAP_rule_hits) < MANY);
	count(WEIR_MAP_rule_hits, 1);
	fputs("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: many}\nspec:\n"
	      "  podSelector: {matchLabels: {app: web}}\n  ingress:\n",
	      f);
	for (int i = 0; i < MANY; i++)
		fprintf(f, "  - {ports: [{port: %d}]}\n", 1000 + i % 60);
	fclose(f);
	load(text, NULL);
	n = ids_of(WEIR_NAME_RULE, ids, MANY + 1);
	assert_int_equal(n, MANY);
	assert_int_equal(counted(WEIR_MAP_rule_hits, 1), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hits_stay_while_the_rule_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reused_id_starts_at_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_beyond_the_table_load_and_are_not_counted,
						setup, teardown),
	};

	if (!kernel_env_enter())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
