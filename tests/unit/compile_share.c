// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Many rules that each match nearly all peers, with other ports each: port sets share their ranges,
 * so that N rules need N entries and not N * N. The verdicts are those of a policy that shares
 * nothing.
 */
#include <stdio.h>

#include <weir/limits.h>

#include "compile_fixture.h"

#define CLUSTER                                                                                  \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x, labels: {app: a}}\nspec: " \
	"{nodeName: " HERE ", containers: [{name: c, image: i}]}\nstatus: {phase: Running, "     \
	"podIPs: [{ip: 192.168.9.1}, {ip: 'fd99::1'}]}\n"

/* A cluster with a policy of n rules; rule(out, i) writes the i-th one as a line of YAML. */
static void open_rules(struct fixture *f, const char *direction, unsigned int n,
		       void (*rule)(FILE *out, unsigned int i))
{
	_cleanup_(mem_free) char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	fprintf(out,
		"%s---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, "
		"namespace: x}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n  %s:\n",
		CLUSTER, direction);
	for (unsigned int i = 0; i < n; i++)
		rule(out, i);
	fclose(out);
	fixture_open(f, yaml);
}

static size_t count_ranges(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_port_sets; i++)
		n += p->port_sets[i].n_ranges;
	return n;
}

static void v4_rule(FILE *out, unsigned int i)
{
	fprintf(out,
		"  - {from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.%u.%u.0/24]}}], ports: [{port: %u, endPort: "
		"%u}]}\n",
		i / 250, i % 250, 1 + i * 20, 10 + i * 20);
}

/* Half of all rules match no address of a family. */
static void egress_rule_of_either_family(FILE *out, unsigned int i)
{
	fprintf(out,
		"  - {to: [{ipBlock: {cidr: '%s', except: ['%s%u%s']}}], ports: [{port: %u}, {port: %u, protocol: "
		"UDP}]}\n",
		i % 2 ? "0.0.0.0/0" : "::/0", i % 2 ? "10.0." : "fd00:", i % 250,
		i % 2 ? ".0/24" : "::/32", 1 + i * 20, 1 + i * 20);
}

/* Blocks inside blocks: the rules of an outer one are missing in all of its inner ones. */
static void nested_rule(FILE *out, unsigned int i)
{
	fprintf(out,
		"  - {from: [{ipBlock: {cidr: 0.0.0.0/0, except: [%s%u%s]}}], ports: [{port: %u}]}\n",
		i % 2 ? "10.0.0.0/" : "10.0.", i % 2 ? 8 : i % 250, i % 2 ? "" : ".0/24",
		1 + i * 20);
}

static void rules_for_nearly_all_peers_need_few_ranges_each(void **state)
{
	static const struct {
		const char *direction;
		unsigned int n;
		void (*rule)(FILE *out, unsigned int i);
	} rows[] = {
		{ "ingress", 370, v4_rule },
		{ "ingress", 3000, v4_rule },
		{ "egress", 370, egress_rule_of_either_family },
		{ "ingress", 370, nested_rule },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(fixture_close) struct fixture f = {};

		open_rules(&f, rows[i].direction, rows[i].n, rows[i].rule);
		print_message("# %u rules: %zu port sets, %zu ranges\n", rows[i].n,
			      f.plan->n_port_sets, count_ranges(f.plan));
		assert_true(f.plan->n_port_sets > rows[i].n / 4);
		assert_true(count_ranges(f.plan) <= 10 * rows[i].n);
	}
}

static void no_rule_is_lost_and_none_is_added(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	struct oracle_answer a;

	open_rules(&f, "ingress", 40, v4_rule);
	for (unsigned int from = 0; from < 41; from++)
		for (unsigned int port = 1; port <= 820; port++) {
			unsigned int rule = (port - 1) / 20;
			bool allowed = rule < 40 && (port - 1) % 20 < 10 && rule != from;
			struct oracle_query q = { .src = addr_of("10.0.0.7"),
						  .dst = addr_of("192.168.9.1"),
						  .proto = IPPROTO_TCP,
						  .port = port };

			q.src.b[14] = from;
			oracle_judge(f.plan, &q, &a);
			assert_int_equal(a.ingress.allow, allowed);
			assert_true(!allowed || f.plan->rules[a.ingress.rule].index == rule);
			q.proto = IPPROTO_UDP;
			oracle_judge(f.plan, &q, &a);
			assert_false(a.ingress.allow);
		}
}

/* References are one level deep, and shorter than the search of the packet path allows. */
static void a_port_set_refers_to_plain_ones_that_come_before_it(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {};
	size_t references = 0;

	open_rules(&f, "ingress", 300, nested_rule);
	for (size_t i = 0; i < f.plan->n_port_sets; i++) {
		const struct plan_port_set *set = &f.plan->port_sets[i];

		for (size_t r = 0; r < set->n_ranges; r++) {
			const struct plan_word *word = &set->ranges[r].word;

			assert_true(set->ranges[r].low <= set->ranges[r].high);
			assert_true(!r || set->ranges[r - 1].high < set->ranges[r].low);
			if (word->kind != WEIR_WORD_PORTS)
				continue;
			references++;
			assert_true(set->refers && word->ports < i);
			assert_false(f.plan->port_sets[word->ports].refers);
			assert_true(set->n_ranges < 1u << WEIR_OVERLAY_BITS);
		}
	}
	assert_true(references);
}

/* The words of one policy do not depend on another policy's blocks: an apply leaves them alone. */
static void shared_ranges_do_not_depend_on_other_policies(void **state)
{
	_cleanup_(fixture_close) struct fixture f = {}, more = {};
	_cleanup_(mem_free) char *yaml = NULL;
	size_t size, same = 0;
	FILE *out = open_memstream(&yaml, &size);

	open_rules(&f, "ingress", 60, v4_rule);
	fprintf(out, CLUSTER
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: w}\nspec: {nodeName: " HERE
		", containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIPs: [{ip: "
		"192.168.9.2}]}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
		"{name: q, namespace: w}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "
		"10.0.0.0/9}}]}]}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
		"{name: p, namespace: x}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n  "
		"ingress:\n");
	for (unsigned int i = 0; i < 60; i++)
		v4_rule(out, i);
	fclose(out);
	fixture_open(&more, yaml);
	for (size_t i = 0; i < f.plan->n_port_sets; i++)
		for (size_t j = 0; j < more.plan->n_port_sets; j++)
			same += !plan_hash_compare(&f.plan->port_sets[i].name,
						   &more.plan->port_sets[j].name);
	assert_int_equal(same, f.plan->n_port_sets);
	assert_int_equal(same, more.plan->n_port_sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_for_nearly_all_peers_need_few_ranges_each),
		cmocka_unit_test(no_rule_is_lost_and_none_is_added),
		cmocka_unit_test(a_port_set_refers_to_plain_ones_that_come_before_it),
		cmocka_unit_test(shared_ranges_do_not_depend_on_other_policies),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
