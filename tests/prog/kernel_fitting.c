// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Policies that do not fit the tables of a node: their pods are closed, the rest is applied, and a
 * mended policy opens them again, by difference. A policy that fits only without its own old
 * entries is closed first and opened by a second apply. The same for Services, which are left out.
 */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

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

/* ---- Services ---- */

/* Service evil/many with n ports from first on; its name and its ports' names begin with name. */
static char *many_services(const char *name, unsigned int n, unsigned int first)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out,
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: evil}\nspec: {clusterIP: 10.96.0.9, "
		"ports: [",
		name);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{name: p%u, port: %u}", i ? ", " : "", first + i, first + i);
	fprintf(out,
		"]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s, namespace: evil, "
		"labels: {kubernetes.io/service-name: %s}}\naddressType: IPv4\nendpoints: [{addresses: [10.244.0.3]}]\nports: [",
		name, name);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s{name: p%u, port: %u}", i ? ", " : "", first + i, first + i);
	fputs("]\n", out);
	fclose(out);
	return text;
}

/* The value of a live frontend of TCP, -1: there is none; port 0: the address alone. */
static long long live_frontend(struct node *n, const char *addr, uint16_t port)
{
	struct weir_frontend key = { .port_be = htobe16(port), .proto = port ? IPPROTO_TCP : 0 };
	uint64_t word;

	assert_int_equal(addr_parse(addr, &key.addr), 0);
	return bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_frontends), &key, &word)
		       ? -1
		       : (long long)weir_frontend_service(word);
}

/* Service default/web is served whole, at each step of an apply. */
static struct node *watched;
static unsigned int n_watched;

static void watch_service(const char *step)
{
	const struct weir_service *services = node_array(watched, WEIR_MAP_services);
	const uint64_t *slots = node_array(watched, WEIR_MAP_backend_slots);
	const struct weir_backend *backends = node_array(watched, WEIR_MAP_backends);
	long long id = live_frontend(watched, "10.96.0.1", 80);
	const struct weir_backend *b;

	if (id <= 0 || !weir_extent_len(services[id].extents[WEIR_LIST_INTERNAL]))
		fail_msg("step %s: default/web is not served", step);
	b = &backends[slots[weir_extent_offset(services[id].extents[WEIR_LIST_INTERNAL])]];
	if (b->service != id || !(b->flags & WEIR_BACKEND_SERVING))
		fail_msg("step %s: the backend of default/web does not serve", step);
	n_watched++;
}

static struct sync_delta apply_watched(struct node *n, const char *objects, struct plan **ret_plan)
{
	struct sync_delta d;

	watched = n;
	n_watched = 0;
	sync_step_hook = watch_service;
	d = apply_fitting(n, objects, 0, 0, ret_plan);
	sync_step_hook = NULL;
	assert_true(n_watched > 10);
	return d;
}

static void a_service_that_does_not_fit_is_left_out_alone(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *large = many_services("many", 80, 1000),
				 *small = many_services("many", 5, 1000);
	_cleanup_(plan_free) struct plan *none = NULL, *p = NULL, *mended = NULL, *again = NULL;
	struct sync_delta d;

	apply_fitting(n, "", 0, 0, &none);
	d = apply_watched(n, large, &p);
	assert_int_equal(p->n_left_out, 1);
	assert_string_equal(p->left_out[0].service, "evil/many");
	assert_int_equal(p->left_out[0].size, 64);
	assert_int_equal(live_frontend(n, "10.96.0.9", 0), 0);
	assert_int_equal(live_frontend(n, "10.96.0.9", 1000), -1);
	assert_int_equal(d.inserted[WEIR_MAP_frontends], 1);
	assert_int_equal(d.inserted[WEIR_MAP_services] + d.changed[WEIR_MAP_services], 0);
	d = apply_fitting(n, large, 0, 0, &again);
	assert_delta(&d, "");

	d = apply_watched(n, small, &mended);
	assert_int_equal(mended->n_left_out, 0);
	assert_true(live_frontend(n, "10.96.0.9", 1000) > 0);
	assert_int_equal(d.inserted[WEIR_MAP_services], 5);
}

/* 40 service ports whose names change: 40 old and 40 new ones beside 4 others in a table of 64. */
static void services_that_do_not_fit_beside_their_old_entries_are_applied_in_two_steps(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *old = many_services("many", 40, 1000),
				 *new = many_services("many", 40, 2000);
	_cleanup_(plan_free) struct plan *p = NULL, *dry = NULL, *next = NULL;
	struct sync_delta d = apply_fitting(n, old, 0, 0, &p);

	assert_int_equal(p->n_left_out, 0);
	assert_int_equal(d.generation, 1);
	apply_fitting(n, new, SYNC_DRY_RUN, -ENOSPC, &dry);
	d = apply_watched(n, new, &next);
	assert_int_equal(next->n_left_out, 0);
	assert_int_equal(d.generation, 3);
	assert_true(live_frontend(n, "10.96.0.9", 2039) > 0);
	assert_int_equal(live_frontend(n, "10.96.0.9", 1000), -1);
}

/* Policies and Services lack room for their old entries in the same load. */
static void policies_and_services_make_room_in_one_load(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);
	_cleanup_(mem_free) char *services = many_services("many", 40, 1000),
				 *other_services = many_services("many", 40, 2000),
				 *ports = many_ports(150, 1), *other_ports = many_ports(150, 1001);
	_cleanup_(mem_free) char *old = mem_printf("%s%s", services, ports),
				 *new = mem_printf("%s%s", other_services, other_ports);
	_cleanup_(plan_free) struct plan *p = NULL, *next = NULL;

	apply_fitting(n, old, 0, 0, &p);
	apply_watched(n, new, &next);
	assert_int_equal(next->n_left_out + next->n_closed, 0);
	assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_PORTS);
	assert_true(live_frontend(n, "10.96.0.9", 2039) > 0);
}

/* ---- Kills ---- */

static int n_steps, kill_at;

static void kill_at_step(const char *step)
{
	if (n_steps++ == kill_at)
		raise(SIGKILL);
}

/* In a child, whose end also frees the lock. Returns whether it was killed. */
static bool apply_and_kill(const char *objects, int at)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct node *n = kernel_node("kill", NODE_WRITE);
		struct plan *p = NULL;

		n_steps = 0;
		kill_at = at;
		sync_step_hook = kill_at_step;
		apply_fitting(n, objects, 0, 0, &p);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Of all applies of a load that needs several: Services and policies give way and come back. */
static void killed_at_any_step_no_pod_is_opened_and_the_next_load_completes(void **state)
{
	_cleanup_(mem_free) char *services = many_services("many", 40, 1000),
				 *other_services = many_services("many", 40, 2000),
				 *ports = many_ports(150, 1), *other_ports = many_ports(150, 1001);
	_cleanup_(mem_free) char *old = mem_printf("%s%s", services, ports),
				 *other = mem_printf("%s%s", other_services, other_ports);
	bool killed = true;
	int at = 0;

	for (; killed; at++) {
		struct node *n = kernel_node("kill", NODE_WRITE);
		struct plan *p = NULL;

		apply_fitting(n, old, 0, 0, &p);
		assert_int_equal(p->n_closed + p->n_left_out, 0);
		plan_free(&p);
		node_close(&n);
		killed = apply_and_kill(other, at);
		n = kernel_node("kill", NODE_WRITE);
		assert_int_not_equal(live_kind(n, 'b', true), -1);
		assert_int_not_equal(live_kind(n, 'b', true), WEIR_WORD_ALLOW);
		watched = n;
		watch_service("the kill");
		apply_fitting(n, other, 0, 0, &p);
		assert_int_equal(p->n_closed + p->n_left_out, 0);
		assert_int_equal(live_kind(n, 'b', true), WEIR_WORD_PORTS);
		assert_true(live_frontend(n, "10.96.0.9", 2039) > 0);
		plan_free(&p);
		node_close(&n);
	}
	assert_true(at > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_that_does_not_fit_closes_its_pods_alone),
		cmocka_unit_test(old_and_new_that_do_not_fit_together_are_applied_in_two_steps),
		cmocka_unit_test(smaller_parts_are_tried_until_everything_fits),
		cmocka_unit_test(a_full_disk_closes_no_pod),
		cmocka_unit_test(a_service_that_does_not_fit_is_left_out_alone),
		cmocka_unit_test(
			services_that_do_not_fit_beside_their_old_entries_are_applied_in_two_steps),
		cmocka_unit_test(policies_and_services_make_room_in_one_load),
		cmocka_unit_test(killed_at_any_step_no_pod_is_opened_and_the_next_load_completes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
