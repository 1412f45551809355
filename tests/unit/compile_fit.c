// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policies that do not fit the tables: the namespace that needs the most gives way, its pods are
 * closed in that direction and nowhere else, and everything else is compiled as if they were not
 * there.
 */
#include <stdio.h>

#include <netinet/in.h>
#include <weir/maps.h>

#include "compile_fixture.h"

#define POD(name, ns, addr)                                                    \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns \
	", labels: {app: " name "}}\nspec: {nodeName: " HERE                   \
	", containers: [{name: c, image: i}]}\nstatus: {phase: "               \
	"Running, podIPs: [{ip: " addr "}]}\n---\n"
#define POLICY(name, ns, spec)                                                          \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " name \
	", namespace: " ns "}\nspec: {" spec "}\n---\n"
#define CLUSTER                                                                             \
	POD("a", "big", "192.168.9.1")                                                      \
	POD("b", "big", "192.168.9.2")                                                      \
	POD("c", "good", "192.168.9.3")                                                     \
	POLICY("in", "good",                                                                \
	       "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: " \
	       "[{port: 80}]}]")

static uint32_t sizes[_WEIR_MAP_MAX];

/* Compiles for tables of the given sizes; the others are large. */
static void compile_for(struct fixture *f, const char *yaml, enum weir_map map, uint32_t size)
{
	struct plan_input in = { .node = HERE, .sizes = sizes };

	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		sizes[i] = 1 << 20;
	sizes[map] = size;
	f->store = store_new();
	store_read_buffer(f->store, "test.yaml", yaml, strlen(yaml));
	store_apply_defaults(f->store, 0);
	assert_int_equal(f->store->diags.errors, 0);
	in.store = f->store;
	f->plan = plan_compile(&in);
}

/* A policy of n rules on app=a of Namespace big. */
static char *with_rules(unsigned int n, const char *key, const char *list, const char *more)
{
	char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	fprintf(out,
		CLUSTER
		"%sapiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: many, "
		"namespace: big}\nspec:\n  podSelector: {matchLabels: {app: a}}\n  policyTypes: [%s]\n  "
		"%s:\n",
		more, strcmp(key, "ingress") ? "Egress" : "Ingress", key);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out,
			"  - {%s: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.%u.0/24]}}], ports: [{port: %u}]}\n",
			list, i % 250, 1000 + 2 * i);
	fclose(out);
	return yaml;
}

static void pods_of_the_largest_policy_are_closed_and_no_others(void **state)
{
	static const struct {
		enum weir_map map;
		uint32_t size;
	} rows[] = {
		{ WEIR_MAP_networks, 50 },
		{ WEIR_MAP_policy_rules, 50 },
		{ WEIR_MAP_port_ranges, 90 },
		{ WEIR_MAP_names, 90 },
	};
	_cleanup_(mem_free) char *yaml = with_rules(60, "ingress", "from", "");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(fixture_close) struct fixture f = {};

		compile_for(&f, yaml, rows[i].map, rows[i].size);
		assert_int_equal(f.plan->n_closed, 1);
		assert_string_equal(f.plan->closed[0].policy, "big/many");
		assert_int_equal(f.plan->closed[0].table, rows[i].map);
		assert_true(f.plan->closed[0].need > rows[i].size);
		check_lines(
			&f,
			"10.1.0.1 big/a tcp/1000 policy-closed\n8.8.8.8 big/a udp/1 policy-closed\n"
			"big/b big/a tcp/1000 policy-closed\n8.8.8.8 big/a icmp/0 policy-closed\n"
			"big/a 8.8.8.8 tcp/80 yes\n8.8.8.8 big/b tcp/1 yes\n"
			"10.1.0.1 good/c tcp/80 yes\n10.1.0.1 good/c tcp/81 ingress-denied\n"
			"11.0.0.1 good/c tcp/80 ingress-denied\nbig/a big/a tcp/5 yes");
	}
}

static void egress_is_closed_alone(void **state)
{
	_cleanup_(mem_free) char *yaml = with_rules(60, "egress", "to", "");
	_cleanup_(fixture_close) struct fixture f = {};

	compile_for(&f, yaml, WEIR_MAP_networks, 50);
	check_lines(
		&f,
		"big/a 10.1.0.1 tcp/1000 policy-closed\nbig/a big/b tcp/1000 policy-closed\n"
		"big/b 8.8.8.8 tcp/80 yes\n8.8.8.8 big/a tcp/1 yes\n10.1.0.1 good/c tcp/80 yes");
}

/* What another policy allows the same pods does not open them: they are closed as a whole. */
static void no_other_policy_opens_a_closed_pod(void **state)
{
	_cleanup_(mem_free) char *yaml = with_rules(
		60, "ingress", "from", POLICY("open", "big", "podSelector: {}, ingress: [{}]"));
	_cleanup_(fixture_close) struct fixture f = {};

	compile_for(&f, yaml, WEIR_MAP_networks, 50);
	check_lines(&f, "8.8.8.8 big/a tcp/1000 policy-closed\n8.8.8.8 big/b tcp/1000 yes");
}

static void a_policy_that_fits_again_is_open_again(void **state)
{
	_cleanup_(mem_free) char *yaml = with_rules(40, "ingress", "from", "");
	_cleanup_(fixture_close) struct fixture f = {};

	compile_for(&f, yaml, WEIR_MAP_networks, 50);
	assert_int_equal(f.plan->n_closed, 0);
	assert_int_equal(f.plan->notes.errors, 0);
	check_lines(&f, "8.8.8.8 big/a tcp/1000 yes\n8.8.8.8 big/a tcp/1001 ingress-denied");
}

/* Many small policies of one namespace weigh as much as a large one. */
static void a_namespace_cannot_hide_its_share_in_many_policies(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(mem_free) char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	fputs(CLUSTER, out);
	for (int i = 0; i < 8; i++)
		fprintf(out,
			"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: g%d, namespace: "
			"good}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 172.16.%d.0/24}}]}]}\n---\n",
			i, i);
	for (int i = 0; i < 60; i++)
		fprintf(out,
			"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p%d, namespace: "
			"big}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 172.17.%d.0/24}}]}]}\n---\n",
			i, i);
	fclose(out);
	compile_for(&f, yaml, WEIR_MAP_networks, 40);
	assert_true(f.plan->n_closed && f.plan->n_closed < 40);
	for (size_t i = 0; i < f.plan->n_closed; i++)
		assert_int_equal(strncmp(f.plan->closed[i].policy, "big/", 4), 0);
	check_lines(&f, "8.8.8.8 big/b tcp/1 policy-closed\n172.16.7.1 good/c tcp/1 yes\n"
			"172.16.9.1 good/c tcp/1 ingress-denied");
}

/* More rules than can be compiled in bounded memory: found before anything is made of them. */
static void the_work_of_compiling_is_bounded(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(mem_free) char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	fputs(CLUSTER
	      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: many, namespace: "
	      "big}\nspec:\n  podSelector: {matchLabels: {app: a}}\n  ingress:\n",
	      out);
	for (unsigned int i = 0; i < 4500; i++)
		fprintf(out,
			"  - {from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.%u.%u.0/24]}}], ports: [{port: %u}]}\n",
			i / 250, i % 250, 1 + i);
	fclose(out);
	compile_for(&f, yaml, WEIR_MAP_nodes, 1 << 20);
	assert_int_equal(f.plan->n_closed, 1);
	assert_int_equal(f.plan->closed[0].table, _WEIR_MAP_MAX);
	check_lines(&f, "8.8.8.8 big/a tcp/1 policy-closed\n10.1.0.1 good/c tcp/80 yes");
}

static void the_error_names_policy_field_table_and_what_would_be_right(void **state)
{
	_cleanup_(mem_free) char *yaml = with_rules(60, "egress", "to", ""), *text = NULL;
	_cleanup_(fixture_close) struct fixture f = {};
	size_t size;
	FILE *out = open_memstream(&text, &size);

	compile_for(&f, yaml, WEIR_MAP_networks, 50);
	diag_print(&f.plan->notes, out);
	fclose(out);
	assert_non_null(
		strstr(text, ": error E035: NetworkPolicy big/many: spec.egress: does not fit: "));
	assert_non_null(strstr(text, "of map networks, of 50"));
	assert_non_null(strstr(text, "until it has fewer rules, ipBlocks or ports"));
	assert_int_equal(f.plan->notes.errors, 1);
}

/* As sync/fitting.c closes a policy to make room for others: the table's size is no lie. */
static void the_error_of_a_policy_that_fits_only_alone_advises_a_rebuild(void **state)
{
	_cleanup_(mem_free) char *yaml = with_rules(60, "ingress", "from", ""), *text = NULL;
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(plan_free) struct plan *p = NULL;
	struct plan_closed closed = { "big/many", KUBE_INGRESS, WEIR_MAP_networks, 62, 100 };
	struct plan_unfit unfit = { .closed = &closed, .n_closed = 1 };
	struct plan_input in = { .node = HERE, .unfit = &unfit };
	size_t size;
	FILE *out = open_memstream(&text, &size);

	compile_for(&f, yaml, WEIR_MAP_networks, 100);
	in.store = f.store;
	p = plan_compile(&in);
	diag_print(&p->notes, out);
	fclose(out);
	assert_non_null(
		strstr(text, "old and new entries of map networks do not fit together, of 100"));
	assert_non_null(strstr(text, "load --rebuild"));
}

static void a_plan_with_its_closed_policies_given_is_the_same(void **state)
{
	_cleanup_(mem_free) char *yaml = with_rules(60, "ingress", "from", ""), *one = NULL,
				 *two = NULL;
	_cleanup_(fixture_close) struct fixture f = {};
	_cleanup_(plan_free) struct plan *again = NULL;
	struct plan_input in = { .node = HERE };
	struct plan_unfit unfit;

	compile_for(&f, yaml, WEIR_MAP_networks, 50);
	in.store = f.store;
	unfit = plan_unfit_of(f.plan);
	in.unfit = &unfit;
	again = plan_compile(&in);
	one = plan_json(f.plan);
	two = plan_json(again);
	assert_string_equal(one, two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_of_the_largest_policy_are_closed_and_no_others),
		cmocka_unit_test(egress_is_closed_alone),
		cmocka_unit_test(no_other_policy_opens_a_closed_pod),
		cmocka_unit_test(a_policy_that_fits_again_is_open_again),
		cmocka_unit_test(a_namespace_cannot_hide_its_share_in_many_policies),
		cmocka_unit_test(the_work_of_compiling_is_bounded),
		cmocka_unit_test(the_error_names_policy_field_table_and_what_would_be_right),
		cmocka_unit_test(the_error_of_a_policy_that_fits_only_alone_advises_a_rebuild),
		cmocka_unit_test(a_plan_with_its_closed_policies_given_is_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
