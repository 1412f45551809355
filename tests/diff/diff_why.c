/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Random targets on random clusters, through the code of `weir why --engine bpf`: targets from
 * text, the explanation from the objects, the oracle, and the BPF programs under BPF_PROG_TEST_RUN,
 * on the plan of every node that is involved. All must agree. Then the programs get the tables of
 * other manifests, and the difference must be reported. Needs root.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/evaluator.h"
#include "cli/talk.h"
#include "cli/why_print.h"
#include "lib/kernel_env.h"
#include "lib/random_cluster.h"

#define CLUSTERS 14
#define QUESTIONS 250 /* a cluster */

struct count {
	unsigned long asked, refused, allowed, denied, services, programs, nearest, both;
};

static struct count count;

/* "ns/pod", "svc/ns/name", "world", "node" or an address. */
static void end_text(struct random *r, const struct store *s, const struct weir_addr *addr,
		     bool service, char *buf, size_t size)
{
	const struct kube_pod *pod = store_pod_by_addr(s, addr);
	char text[ADDR_TEXT_MAX];

	if (random_percent(r, 4))
		snprintf(buf, size, "world");
	else if (random_percent(r, 4))
		snprintf(buf, size, "node");
	else if (service && s->n_services && random_percent(r, 35)) {
		const struct kube_service *svc = s->services[random_below(r, s->n_services)];

		snprintf(buf, size, "svc/%s/%s", svc->meta.ns, svc->meta.name);
	} else if (pod && random_percent(r, 80))
		snprintf(buf, size, "%s/%s", pod->meta.ns, pod->meta.name);
	else
		snprintf(buf, size, service && !weir_addr_is_v4(addr) ? "[%s]" : "%s",
			 addr_text(addr, text));
}

static bool ask_text(struct random *r, const struct store *s, const char *node, char *from,
		     char *to, size_t size)
{
	struct oracle_query q;
	size_t used;

	if (!random_query(r, s, node, &q))
		return false;
	end_text(r, s, &q.src, false, from, size);
	end_text(r, s, &q.dst, true, to, size);
	used = strlen(to);
	if (random_percent(r, 97))
		snprintf(to + used, size - used, ":%u/%s", q.port ? q.port : 80,
			 q.proto == IPPROTO_UDP    ? "UDP"
			 : q.proto == IPPROTO_SCTP ? "SCTP"
						   : "TCP");
	return true;
}

static void count_flow(const struct why_flow *f)
{
	count.asked++;
	count.allowed += f->item.allow;
	count.denied += !f->item.allow;
	count.services += f->service != NULL;
	count.both += f->judged[0] && f->judged[1];
	for (int d = 0; d < 2; d++)
		count.nearest += f->judged[d] && f->sides[d].nearest;
}

/* A side has a nearest miss exactly when it denies, and printing must not crash. */
static bool is_sound(const struct why_flow *f)
{
	bool sound = !f->disagree;

	static const struct style narrow = { .utf8 = true, .tty = true, .width = 70 };
	FILE *out = fopen("/dev/null", "w");

	why_print(f, &narrow, out);
	fclose(out);
	for (int d = 0; d < 2; d++)
		sound &= !f->judged[d] || f->sides[d].allow == !f->sides[d].nearest;
	if (!sound)
		why_print(f, &narrow, stderr);
	return sound;
}

/* Runs one `why` as user/cli/why.c does. False: the answers differ. */
static bool ask(const struct store *s, struct report *report, struct program_evaluator *evaluator,
		const char *from, const char *to)
{
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(why_flows_free) struct why_flows flows = {};
	struct why_ask w = {
		.store = s, .report = report, .arena = &arena, .evaluator = &evaluator->evaluator
	};
	struct weir_err err = {};
	bool sound = true;
	int r = why_parse(&w, from, to, &err);

	if (!r)
		r = why_resolve(&w, &err);
	if (!r)
		r = why_judge(&w, &flows, &err);
	count.refused += r != 0;
	if (r && r != -ENOENT && r != -EINVAL && r != -EAFNOSUPPORT)
		printf("# %s\n", err.text);
	if (r)
		return r == -ENOENT || r == -EINVAL || r == -EAFNOSUPPORT;
	why_merge(&flows);
	for (size_t i = 0; i < flows.n; i++) {
		count_flow(&flows.items[i]);
		sound &= is_sound(&flows.items[i]);
	}
	return sound && !evaluator->n_differ;
}

static bool ask_cluster(uint64_t seed)
{
	struct random r = { .state = seed };
	_cleanup_(random_cluster_free) struct random_cluster cluster = random_cluster_make(&r);
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(report_free) struct report *report = NULL;
	_cleanup_(program_evaluator_close) struct program_evaluator evaluator = {};
	char from[300], to[300];
	bool same = true;

	store_read_buffer(s, cluster.name, cluster.text, cluster.len);
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	evaluator_choose(&evaluator, "bpf");
	report =
		report_new(&(struct report_input){ .store = s, .evaluator = &evaluator.evaluator });
	for (int i = 0; i < QUESTIONS && same; i++) {
		if (!ask_text(&r, s, random_cluster_node(random_below(&r, RANDOM_NODES)), from, to,
			      sizeof(from)))
			continue;
		same = ask(s, report, &evaluator, from, to);
	}
	count.programs += evaluator.n_asked;
	if (!same)
		printf("# DIFFERENCE: weir why %s %s --engine bpf. Repeat with WEIR_SEED=%llu WEIR_ROUNDS=1\n",
		       from, to, (unsigned long long)seed);
	return same;
}

static void why_and_the_programs_agree_on_random_questions(void **state)
{
	unsigned int rounds = random_rounds(CLUSTERS);
	uint64_t seed = random_seed();
	bool same = true;

	printf("# %u clusters from WEIR_SEED=%llu\n", rounds, (unsigned long long)seed);
	for (unsigned int i = 0; i < rounds && same; i++)
		same = ask_cluster(seed + i);
	printf("# %lu answers (%lu allowed, %lu denied, %lu through a Service), %lu refused, %lu nearest misses; "
	       "%lu answers of programs\n",
	       count.asked, count.allowed, count.denied, count.services, count.refused,
	       count.nearest, count.programs);
	assert_true(same);
	if (rounds < CLUSTERS)
		return;
	assert_true(count.allowed > 500 && count.denied > 500 && count.services > 200 &&
		    count.both > 200);
	assert_true(count.programs > 2000 && count.nearest > 200);
}

/* ---- Disagreement ---- */

static const char head[] =
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: p, name: a}\nspec: {nodeName: n1, containers: [{name: "
	"c, image: i}]}\nstatus: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: p, name: b}\nspec: {nodeName: n1, containers: [{name: "
	"c, image: i}]}\nstatus: {phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}]}\n---\n";
static const char policy[] =
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: p, name: deny}\n"
	"spec: {podSelector: {}}\n";

static struct store *read_store(const char *first, const char *second)
{
	struct store *s = store_new();

	store_read_buffer(s, "a.yaml", first, strlen(first));
	if (second)
		store_read_buffer(s, "b.yaml", second, strlen(second));
	store_apply_defaults(s, 0);
	assert_int_equal(s->diags.errors, 0);
	return s;
}

/* Makes the programs answer for plan p from the tables of another plan. */
static void adopt_other_tables(struct program_evaluator *evaluator, const struct plan *p,
			       const struct plan *other)
{
	_cleanup_(node_close) struct node *node = kernel_node("other", NODE_WRITE);
	struct weir_err err = {};
	struct testrun *testrun;

	kernel_apply(node, other);
	assert_int_equal(testrun_open_copy(node, p, &testrun, &err), 0);
	program_evaluator_adopt(evaluator, p, testrun);
}

/* Runs one `why` with different tables; returns the exit status and what goes to stderr. */
static int run_with_difference(struct program_evaluator *evaluator, const struct store *s,
			       struct report *report, char *output, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(2), status;
	size_t n;

	fflush(stderr);
	dup2(fileno(file), 2);
	assert_false(ask(s, report, evaluator, "p/a", "p/b:80"));
	status = evaluator_verdict(evaluator);
	fflush(stderr);
	dup2(kept, 2);
	close(kept);
	rewind(file);
	n = fread(output, 1, size - 1, file);
	output[n] = 0;
	fclose(file);
	return status;
}

static void a_difference_between_evaluators_prints_a_banner_and_ends_with_status_7(void **state)
{
	_cleanup_(store_free) struct store *s = read_store(head, policy),
					   *other = read_store(head, NULL);
	_cleanup_(plan_free) struct plan *other_plan =
		plan_compile(&(struct plan_input){ .store = other, .node = "n1" });
	_cleanup_(report_free) struct report *report = NULL;
	_cleanup_(program_evaluator_close) struct program_evaluator evaluator = {};
	char output[4096];

	evaluator_choose(&evaluator, "bpf");
	report =
		report_new(&(struct report_input){ .store = s, .evaluator = &evaluator.evaluator });
	adopt_other_tables(&evaluator, report_plan(report, "n1"), other_plan);
	assert_int_equal(run_with_difference(&evaluator, s, report, output, sizeof(output)),
			 EXIT_DISAGREE);
	assert_non_null(strstr(output, "INTERNAL BUG: two evaluators disagree"));
	assert_non_null(strstr(output, "10.0.0.1 -> 10.0.0.2 TCP/80 on node n1"));
	assert_non_null(strstr(output, "DENIED (ingress-denied)"));
	assert_non_null(strstr(output, "ALLOWED (forwarded)"));
	assert_non_null(strstr(output, "Please report it"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(why_and_the_programs_agree_on_random_questions),
		cmocka_unit_test(
			a_difference_between_evaluators_prints_a_banner_and_ends_with_status_7),
	};

	if (!kernel_env_enter())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
