// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policies that do not fit the tables of a node: their pods are closed, the rest is applied, and a
 * mended policy opens them again, by difference. A policy that fits only without its own old
 * entries is closed first and opened by a second apply.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lib/kernel_env.h"
#include "sync/fitting.h"

static void put_ports(FILE *out, const char *name, const char *app, unsigned int n,
		      unsigned int first)
{
	fprintf(out,
		"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s}\nspec: "
		"{podSelector: {matchLabels: {app: %s}}, policyTypes: [Egress], egress: [{ports: [",
		name, app);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{port: %u}", i ? ", " : "", first + 2 * i);
	fputs("]}]}\n", out);
}

/* An egress policy on app=client (pod b) with n ports from first on. */
static char *many_ports(unsigned int n, unsigned int first)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	put_ports(out, "many", "client", n, first);
	fclose(out);
	return text;
}

static void store_of(const char *policy, struct store **ret_store)
{
	*ret_store = kernel_store(kernel_labels, kernel_service, kernel_policy, policy, NULL);
}

/* sync_apply_fitting() with records of all pods; the plan's pods do not depend on what is closed.
 */
static struct sync_delta apply_fitting(struct node *n, const char *policy, unsigned int flags,
				       int want, struct plan **ret_plan)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};
	_cleanup_(store_free) struct store *store = NULL;
	_cleanup_(plan_free) struct plan *any = NULL;
	struct plan_input in = { .node = "n1" };
	struct weir_err err = {};
	struct sync_delta d = {};
	int r;

	store_of(policy, &store);
	in.store = store;
	any = plan_compile(&in);
	l = kernel_records(any);
	r = sync_apply_fitting(n, &in, &l, SYNC_NO_DEVICES | flags, ret_plan, &d, &err);
	if (r != want)
		fail_msg("%d instead of %d: %s", r, want, err.text);
	return d;
}

/* The kind of the default word of a live pod's set, or -1: no set. */
static int live_kind(struct node *n, char pod, bool egress)
{
	const uint64_t *sets = node_array(n, WEIR_MAP_policy_sets);
	const struct weir_pod *pods = node_array(n, WEIR_MAP_pods);

	for (uint32_t slot = 1; slot < node_map_max(n, WEIR_MAP_pods); slot++) {
		uint32_t set = egress ? weir_pod_egress_set(pods[slot].word)
				      : weir_pod_ingress_set(pods[slot].word);

		if (pods[slot].ref && pods[slot].mac[5] == pod)
			return set ? (int)weir_word_kind(sets[set]) : -1;
	}
	fail_msg("no pod %c", pod);
	return -1;
}

static void a_policy_that_does_not_fit_closes_its_pods_alone(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *large = many_ports(300, 1), *small = many_ports(5, 1);
	_cleanup_(plan_free) struct plan *p = NULL, *mended = NULL, *again = NULL;
	struct sync_delta d;

	d = apply_fitting(n, large, 0, 0, &p);
	assert_int_equal(p->n_closed, 1);
	assert_string_equal(p->closed[0].policy, "default/many");
	assert_int_equal(p->closed[0].direction, KUBE_EGRESS);
	assert_int_equal(p->closed[0].size, 256);
	assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_CLOSED);
	assert_int_equal(live_kind(n, 'b', false), -1);
	assert_int_equal(live_kind(n, 'a', false), WEIR_WORD_DENY);
	assert_true(d.inserted[WEIR_MAP_frontends] && d.inserted[WEIR_MAP_backends]);
	d = apply_fitting(n, large, 0, 0, &again);
	assert_delta(&d, "");

	d = apply_fitting(n, small, 0, 0, &mended);
	assert_int_equal(mended->n_closed, 0);
	assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_PORTS);
	assert_int_equal(d.changed[WEIR_MAP_pods], 1);
	assert_true(d.policy_epoch_raised);
	assert_int_equal(d.inserted[WEIR_MAP_frontends] + d.inserted[WEIR_MAP_policy_rules], 0);
}

/* 150 old ranges and 150 new ones in a table of 256. */
static void old_and_new_that_do_not_fit_together_are_applied_in_two_steps(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *old = many_ports(150, 1), *new = many_ports(150, 1001);
	_cleanup_(plan_free) struct plan *p = NULL, *dry = NULL, *next = NULL;
	struct sync_delta d = apply_fitting(n, old, 0, 0, &p);

	assert_int_equal(p->n_closed, 0);
	assert_int_equal(d.generation, 1);
	apply_fitting(n, new, SYNC_DRY_RUN, -ENOSPC, &dry);
	d = apply_fitting(n, new, 0, 0, &next);
	assert_int_equal(next->n_closed, 0);
	assert_int_equal(d.generation, 3);
	assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_PORTS);
}

/*
 * 100 old ranges at the begin of a table of 256; 100 and 120 new ones. With one of the new policies
 * closed, the other gets the middle, and no gap is left that is long enough.
 */
static void smaller_parts_are_tried_until_everything_fits(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *old = many_ports(100, 1), *new = NULL;
	_cleanup_(plan_free) struct plan *p = NULL, *next = NULL;
	size_t len;
	FILE *out = open_memstream(&new, &len);

	put_ports(out, "many", "client", 100, 1001);
	put_ports(out, "more", "web", 120, 3001);
	fclose(out);
	apply_fitting(n, old, 0, 0, &p);
	apply_fitting(n, new, 0, 0, &next);
	assert_int_equal(next->n_closed, 0);
	assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_PORTS);
	assert_int_equal(live_kind(n, 'a', true), WEIR_WORD_PORTS);
}

/* /run has room for so many bytes, and no more. */
static void fill_run(off_t room)
{
	static const char zeros[4096];
	FILE *f;
	long size;

	assert_int_equal(mount("", "/run", "tmpfs", MS_REMOUNT, "size=512k"), 0);
	f = fopen("/run/filler", "w");
	setvbuf(f, NULL, _IONBF, 0);
	while (fwrite(zeros, sizeof(zeros), 1, f) == 1)
		;
	size = ftell(f);
	fclose(f);
	assert_true(size > room);
	assert_int_equal(truncate("/run/filler", size / 4096 * 4096 - room), 0);
}

/* A plan with the policy closed would be smaller, and its file would fit. */
static void a_full_disk_closes_no_pod(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node("disk", NODE_WRITE);
	_cleanup_(mem_free) char *old = many_ports(5, 1), *new = many_ports(200, 1001);
	_cleanup_(plan_free) struct plan *p = NULL, *next = NULL, *again = NULL;

	apply_fitting(n, old, 0, 0, &p);
	fill_run(16384);
	apply_fitting(n, new, 0, -ENOSPC, &next);
	unlink("/run/filler");
	assert_int_equal(node_config(n)->generation, 1);
	assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_PORTS);
	apply_fitting(n, new, 0, 0, &again);
	assert_int_equal(again->n_closed, 0);
}

/* Other tables have no policy that could give way: refused whole, as before. */
static void a_service_that_does_not_fit_is_still_refused(void **state)
{
	_cleanup_(mem_free) char *small = many_ports(5, 1);
	_cleanup_(plan_free) struct plan *p = NULL;
	_cleanup_(node_close) struct node *n = NULL;
	struct node_setup sizes = kernel_sizes;
	struct weir_err err = {};

	sizes.max[WEIR_MAP_services] = 2;
	assert_int_equal(node_open(NULL, NODE_PRIVATE, &sizes, &n, &err), 0);
	apply_fitting(n, small, 0, -ENOSPC, &p);
	assert_int_equal(p->n_closed, 0);
	assert_int_equal(node_config(n)->generation, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_that_does_not_fit_closes_its_pods_alone),
		cmocka_unit_test(old_and_new_that_do_not_fit_together_are_applied_in_two_steps),
		cmocka_unit_test(smaller_parts_are_tried_until_everything_fits),
		cmocka_unit_test(a_full_disk_closes_no_pod),
		cmocka_unit_test(a_service_that_does_not_fit_is_still_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
