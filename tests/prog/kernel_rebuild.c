// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A rebuild: other sizes or another layout, in place of what is loaded. A device has programs at
 * every step, by tcx and by clsact. SIGKILL at every step leaves one loaded set, the old or the new
 * one; the next load or rebuild completes it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach/attach.h"
#include "attach/hooks.h"
#include "attach/remove.h"
#include "base/file.h"
#include "base/mem.h"
#include "kernel/programs.h"
#include "lib/kernel_env.h"
#include "lib/tables_text.h"
#include "sync/rebuild.h"

#define NAME "rebuild"
#define PINS "/sys/fs/bpf/weir-" NAME
#define NEXT "/sys/fs/bpf/weir+next/weir-" NAME
#define RUN "/run/weir-" NAME
#define DEVICE 102 /* of pod c in kernel_records() */
#define STEPS_MAX 96
#define OLD_SIZE 64 /* of pods[], in kernel_sizes */
#define NEW_SIZE 128

static struct plan *plan;
static char *plan_text;
static const char *steps[STEPS_MAX];
static int n_steps, kill_at;
static bool tcx;

static void command(const char *text)
{
	if (system(text))
		fail_msg("failed: %s", text);
}

static int group_setup(void **state)
{
	static const char *const only_c[] = { NULL, NULL, "app: web", NULL };
	struct node *n = kernel_node(NULL, NODE_PRIVATE);

	tcx = hook_tcx_works(node_prog_fd(n, WEIR_PROGRAM_from_pod));
	plan = kernel_plan(only_c, kernel_service, kernel_policy, NULL);
	kernel_apply(n, plan);
	plan_text = tables_text(n);
	node_close(&n);
	command("ip link add h0 index 102 type veth peer name p0 && ip link set h0 up && ip link set p0 up");
	return 0;
}

static int group_teardown(void **state)
{
	plan_free(&plan);
	free(plan_text);
	return 0;
}

static int teardown(void **state)
{
	struct weir_err err;

	sync_step_hook = NULL;
	attach_preference = ATTACH_AUTO;
	return node_remove(NAME, &err);
}

static struct sync_delta apply(struct node *n, bool rebuild)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(plan);
	struct sync_delta d = {};
	struct weir_err err = {};
	int r = rebuild ? rebuild_apply(n, plan, &l, 0, &d, &err)
			: sync_apply(n, plan, &l, 0, &d, &err);

	if (r)
		fail_msg("%s", err.text);
	return d;
}

static void load(void)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);

	apply(n, false);
}

static struct node *open_next(struct node_setup *setup)
{
	struct node *n = NULL;
	struct weir_err err = {};

	if (node_open_next(NAME, setup, &n, &err))
		fail_msg("%s", err.text);
	return n;
}

/* size: of pods[] */
static void rebuild(uint32_t size)
{
	struct node_setup setup = { .max = { [WEIR_MAP_pods] = size } };
	_cleanup_(node_close) struct node *n = NULL;

	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		setup.max[map] = setup.max[map] ?: kernel_sizes.max[map];
	n = open_next(&setup);
	apply(n, true);
}

/* How many programs are at a hook of the device, by either kind. */
static size_t programs_at(enum weir_program prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = DEVICE,
		    .attach_point = prog == WEIR_PROGRAM_from_pod ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 0x5765, .priority = HOOK_CLSACT_PREFERENCE);
	uint32_t ids[8], n = ARRAY_SIZE(ids);

	if (!tcx || bpf_prog_query(DEVICE, hook_tcx_type(prog), 0, NULL, ids, &n))
		n = 0;
	return n + !bpf_tc_query(&hook, &opts);
}

static void assert_one_program_at_each_hook(const char *step)
{
	if (programs_at(WEIR_PROGRAM_from_pod) != 1 || programs_at(WEIR_PROGRAM_to_pod) != 1)
		fail_msg("at %s the device has %zu and %zu programs", step,
			 programs_at(WEIR_PROGRAM_from_pod), programs_at(WEIR_PROGRAM_to_pod));
}

static void check_step(const char *step)
{
	assert_one_program_at_each_hook(step);
	steps[n_steps++] = step;
}

static void kill_at_step(const char *step)
{
	if (n_steps++ == kill_at)
		raise(SIGKILL);
}

/* The loaded set has all its pins, its tables hold the plan, and the device has its programs. */
static void assert_loaded(uint32_t size, const char *step)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_READ);
	_cleanup_(mem_free) char *got = tables_text(n);

	if (node_map_max(n, WEIR_MAP_pods) != size)
		fail_msg("after %s pods has %u entries", step, node_map_max(n, WEIR_MAP_pods));
	if (strcmp(got, plan_text))
		fail_msg("after %s the tables are\n%s\nnot\n%s", step, got, plan_text);
	if (!attach_is_current(n, ATTACH_POD, DEVICE))
		fail_msg("after %s the device has other programs", step);
	assert_one_program_at_each_hook(step);
	assert_int_not_equal(access(NEXT, F_OK), 0);
}

static void rebuild_with_checks(enum attach_kind kind)
{
	attach_preference = kind;
	load();
	assert_loaded(OLD_SIZE, "load");
	n_steps = 0;
	sync_step_hook = check_step;
	rebuild(NEW_SIZE);
	sync_step_hook = NULL;
	assert_true(n_steps > 10);
	assert_loaded(NEW_SIZE, "rebuild");
}

static void a_rebuild_changes_sizes_and_the_device_always_has_its_programs(void **state)
{
	rebuild_with_checks(ATTACH_AUTO);
}

static void a_rebuild_replaces_clsact_filters_in_place(void **state)
{
	rebuild_with_checks(ATTACH_CLSACT);
}

/* In a child: the kill also frees its lock. */
static void rebuild_and_kill(uint32_t size, int at)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		n_steps = 0;
		kill_at = at;
		sync_step_hook = kill_at_step;
		rebuild(size);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static uint32_t loaded_size(void)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_READ);

	return node_map_max(n, WEIR_MAP_pods);
}

/* every: each step, or each fourth one: a rebuild takes a second. */
static void killed_at_steps(enum attach_kind kind, bool rebuild_next, int every)
{
	int total;

	rebuild_with_checks(kind);
	total = n_steps;
	for (int i = 0; i < total; i += every) {
		uint32_t before = loaded_size(), wanted = OLD_SIZE + NEW_SIZE - before, size;

		rebuild_and_kill(wanted, i);
		assert_one_program_at_each_hook(steps[i]);
		size = loaded_size();
		assert_true(size == before || size == wanted);
		if (rebuild_next)
			rebuild(wanted);
		else
			load();
		assert_loaded(rebuild_next ? wanted : size, steps[i]);
	}
}

static void killed_at_any_step_the_next_load_completes_what_is_loaded(void **state)
{
	killed_at_steps(ATTACH_AUTO, false, 1);
}

static void killed_with_clsact_the_next_load_completes_what_is_loaded(void **state)
{
	killed_at_steps(ATTACH_CLSACT, false, 4);
}

static void killed_at_a_step_the_next_rebuild_completes_it(void **state)
{
	killed_at_steps(ATTACH_AUTO, true, 4);
}

static void killed_at_a_step_and_removed_nothing_is_left(void **state)
{
	struct weir_err err = {};
	int total;

	rebuild_with_checks(ATTACH_CLSACT);
	total = n_steps;
	for (int i = 0; i < total; i += 6) {
		assert_int_equal(node_remove(NAME, &err), 0);
		load();
		rebuild_and_kill(NEW_SIZE, i);
		assert_int_equal(node_remove(NAME, &err), 0);
		assert_int_equal(programs_at(WEIR_PROGRAM_from_pod), 0);
		assert_int_equal(programs_at(WEIR_PROGRAM_to_pod), 0);
		assert_int_not_equal(access(NEXT, F_OK), 0);
		assert_int_not_equal(access(PINS, F_OK), 0);
	}
}

/* Its maps may have other names and sizes: nothing of it is opened but what has a fixed place. */
static void another_layout_is_replaced(void **state)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_err err = {};

	load();
	n = kernel_node(NAME, NODE_WRITE);
	node_config(n)->layout_version = WEIR_LAYOUT_VERSION + 1;
	node_config(n)->enforcement = WEIR_ENFORCE_OFF;
	node_config(n)->generation = 41;
	node_close(&n);
	assert_int_equal(unlink(PINS "/maps/nodes"), 0);
	assert_int_equal(node_open(NAME, NODE_WRITE, NULL, &n, &err), -EPROTO);
	assert_non_null(strstr(err.text, "weir load --rebuild -f PATH --node NODE --name " NAME));
	rebuild(NEW_SIZE);
	assert_loaded(NEW_SIZE, "another layout");
	n = kernel_node(NAME, NODE_READ);
	assert_int_equal(node_config(n)->enforcement, WEIR_ENFORCE_OFF);
	assert_int_equal(node_config(n)->generation, 42);
	assert_int_equal(access(RUN "/plan-42", F_OK), 0);
}

static void what_is_not_given_stays(void **state)
{
	struct node_setup setup = kernel_sizes, again = {};
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_err err = {};

	sizes_set(&setup, WEIR_KNOB_TABLES, 500);
	setup.hairpin[0] = weir_addr_from_v4(0x010012c6);
	assert_int_equal(node_open(NAME, NODE_WRITE, &setup, &n, &err), 0);
	apply(n, false);
	node_close(&n);
	sizes_scale(&again, WEIR_KNOB_TRIES, 1);
	n = open_next(&again);
	apply(n, true);
	assert_int_equal(node_map_max(n, WEIR_MAP_endpoints), 500);
	assert_int_equal(node_map_max(n, WEIR_MAP_conntrack), 256);
	assert_int_equal(node_map_max(n, WEIR_MAP_networks), 655);
	assert_true(weir_addr_equal(&node_config(n)->hairpin[0], &setup.hairpin[0]));
}

/* A map that an older version did not have, or named otherwise. */
static void sizes_that_cannot_be_kept_are_noted(void **state)
{
	struct node_setup again = {}, given = {};
	_cleanup_(node_close) struct node *n = NULL;

	load();
	assert_int_equal(unlink(PINS "/maps/gc_free"), 0);
	n = open_next(&again);
	assert_int_equal(again.lost[WEIR_MAP_conntrack], 256);
	assert_int_equal(again.lost[WEIR_MAP_gc_free], 0);
	assert_int_equal(again.lost[WEIR_MAP_pods], 0);
	assert_int_equal(again.max[WEIR_MAP_pods], OLD_SIZE);
	node_drop_next(n);
	node_close(&n);
	sizes_scale(&given, WEIR_KNOB_FLOWS, 1);
	n = open_next(&given);
	assert_int_equal(given.lost[WEIR_MAP_conntrack], 0);
	node_drop_next(n);
}

/* Layout 4 has the addresses where today's has them; what an older one has there is no address. */
static void hairpin_addresses_of_an_older_layout_stay(void **state)
{
	struct node_setup setup = kernel_sizes;
	struct weir_err err = {};

	setup.hairpin[0] = weir_addr_from_v4(0x010012c6);
	for (uint32_t layout = 4; layout >= 3; layout--) {
		struct node_setup again = {};
		struct node *n = NULL;

		assert_int_equal(node_open(NAME, NODE_WRITE, &setup, &n, &err), 0);
		apply(n, false);
		node_config(n)->layout_version = layout;
		node_close(&n);
		n = open_next(&again);
		apply(n, true);
		assert_int_equal(weir_addr_equal(&node_config(n)->hairpin[0], &setup.hairpin[0]),
				 layout == 4);
		assert_int_equal(again.hairpin_lost, layout != 4);
		node_close(&n);
		assert_int_equal(node_remove(NAME, &err), 0);
	}
}

static void a_rebuild_of_nothing_is_a_first_load(void **state)
{
	rebuild(NEW_SIZE);
	assert_loaded(NEW_SIZE, "a first rebuild");
}

/* A device that the new plan does not record loses its filters, which only the old tables name. */
static void devices_without_a_record_are_detached(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_AUTO, ATTACH_CLSACT };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct attachment_list none = {};
		struct node_setup setup = {};
		struct sync_delta d = {};
		struct weir_err err = {};
		struct node *n;

		attach_preference = kinds[i];
		load();
		n = open_next(&setup);
		assert_int_equal(rebuild_apply(n, plan, &none, 0, &d, &err), 0);
		node_close(&n);
		assert_int_equal(programs_at(WEIR_PROGRAM_from_pod), 0);
		assert_int_equal(programs_at(WEIR_PROGRAM_to_pod), 0);
	}
}

static void load_without_records(void)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);
	struct attachment_list none = {};
	struct sync_delta d = {};
	struct weir_err err = {};

	assert_int_equal(sync_apply(n, plan, &none, 0, &d, &err), 0);
}

static void kill_after_attach(const char *step)
{
	if (!strcmp(step, "detach-others"))
		raise(SIGKILL);
}

/* The killed rebuild's set alone names the device; its record is gone before the next load. */
static void a_device_that_only_a_killed_rebuild_attached_is_detached(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_AUTO, ATTACH_CLSACT };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int status;
		pid_t pid;

		attach_preference = kinds[i];
		load_without_records();
		pid = fork();
		if (!pid) {
			sync_step_hook = kill_after_attach;
			rebuild(NEW_SIZE);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_one_program_at_each_hook("the kill");
		load_without_records();
		assert_int_equal(programs_at(WEIR_PROGRAM_from_pod), 0);
		assert_int_equal(programs_at(WEIR_PROGRAM_to_pod), 0);
	}
}

static void a_rebuild_that_does_not_fit_changes_nothing(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(plan);
	struct node_setup setup = kernel_sizes;
	struct sync_delta d = {};
	struct weir_err err = {};
	struct node *n;

	load();
	setup.max[WEIR_MAP_frontends] = 1;
	n = open_next(&setup);
	assert_int_equal(rebuild_apply(n, plan, &l, 0, &d, &err), -ENOSPC);
	node_close(&n);
	assert_loaded(OLD_SIZE, "a rebuild that does not fit");
}

static uint32_t enforcement(void)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_READ);

	return node_config(n)->enforcement;
}

/* As `enforce off`, which takes no lock. */
static void enforce_off(void)
{
	_cleanup_(fd_close) int fd = bpf_obj_get(PINS "/maps/config");
	struct weir_config c;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &c), 0);
	c.enforcement = WEIR_ENFORCE_OFF;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &c, BPF_ANY), 0);
}

/* `enforce off`, and a run folder in which nothing can be written: another file has the name. */
static void disturb_exchange(const char *step)
{
	if (strcmp(step, "exchange"))
		return;
	enforce_off();
	assert_int_equal(unlink(RUN "/instance"), 0);
	assert_int_equal(mkdir(RUN "/instance", 0700), 0);
}

/* After the exchange the new set is the loaded one: nothing may say otherwise. */
static void an_exchange_whose_mark_cannot_be_written_is_complete(void **state)
{
	load();
	sync_step_hook = disturb_exchange;
	rebuild(NEW_SIZE);
	sync_step_hook = NULL;
	assert_int_equal(rmdir(RUN "/instance"), 0);
	assert_loaded(NEW_SIZE, "an exchange without a mark");
	assert_int_equal(enforcement(), WEIR_ENFORCE_OFF);
}

/* ---- Records that are not valid ---- */

static int rebuild_with_bad_record(const struct plan *p, struct node **ret_node,
				   struct sync_delta *ret_delta, struct weir_err *err)
{
	struct attachment_bad bad = {
		.path = "c.json", .ns = "default", .name = "c", .why = "c.json: not JSON"
	};
	struct attachment_list l = { .bad = &bad, .n_bad = 1 };
	struct node_setup setup = {};

	*ret_node = open_next(&setup);
	return rebuild_apply(*ret_node, p, &l, 0, ret_delta, err);
}

static uint64_t word_of_device(const struct node *n)
{
	const struct weir_pod *pods = node_array(n, WEIR_MAP_pods);
	struct weir_attachment a;
	uint32_t device = DEVICE;

	assert_int_equal(bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_attachments), &device, &a), 0);
	return pods[a.slot].word;
}

/* Else it would be open: a record that a crash truncated must not cost the pod its policies. */
static void a_rebuild_leaves_a_pod_whose_record_is_not_valid_attached(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_AUTO, ATTACH_CLSACT };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct sync_delta d = {};
		struct weir_err err = {};
		struct node *n;

		attach_preference = kinds[i];
		load();
		if (rebuild_with_bad_record(plan, &n, &d, &err))
			fail_msg("%s", err.text);
		assert_int_equal(d.gated, 0);
		assert_true(weir_pod_ingress_set(word_of_device(n)));
		node_close(&n);
		assert_loaded(OLD_SIZE, "a rebuild with a record that is not valid");
	}
}

static void a_rebuild_holds_a_pod_with_an_invalid_record_that_the_plan_lacks(void **state)
{
	static const char *const none[] = { NULL, NULL, NULL, NULL };
	_cleanup_(plan_free) struct plan *without = kernel_plan(none, NULL);
	struct sync_delta d = {};
	struct weir_err err = {};
	struct node *n;

	load();
	if (rebuild_with_bad_record(without, &n, &d, &err))
		fail_msg("%s", err.text);
	assert_int_equal(d.gated, 1);
	assert_true(weir_pod_flags(word_of_device(n)) & WEIR_POD_GATE);
	node_close(&n);
	assert_one_program_at_each_hook("a rebuild without the pod");
}

static void a_rebuild_of_another_layout_refuses_a_record_that_is_not_valid(void **state)
{
	struct sync_delta d = {};
	struct weir_err err = {};
	struct node *n;

	load();
	n = kernel_node(NAME, NODE_WRITE);
	node_config(n)->layout_version = WEIR_LAYOUT_VERSION + 1;
	node_close(&n);
	assert_int_equal(rebuild_with_bad_record(plan, &n, &d, &err), -EINVAL);
	node_close(&n);
	assert_non_null(strstr(err.text, "c.json"));
	assert_one_program_at_each_hook("a refused rebuild");
	assert_int_not_equal(access(NEXT, F_OK), 0);
	/* and the layout is the one before */
	assert_int_equal(node_open(NAME, NODE_READ, NULL, &n, &err), -EPROTO);
}

static void a_first_rebuild_with_a_record_that_is_not_valid_attaches_nothing(void **state)
{
	struct sync_delta d = {};
	struct weir_err err = {};
	struct node *n;

	assert_int_equal(rebuild_with_bad_record(plan, &n, &d, &err), 0);
	node_close(&n);
	assert_int_equal(programs_at(WEIR_PROGRAM_from_pod), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rebuild_changes_sizes_and_the_device_always_has_its_programs),
		TEST(a_rebuild_replaces_clsact_filters_in_place),
		TEST(another_layout_is_replaced),
		TEST(what_is_not_given_stays),
		TEST(sizes_that_cannot_be_kept_are_noted),
		TEST(hairpin_addresses_of_an_older_layout_stay),
		TEST(a_rebuild_of_nothing_is_a_first_load),
		TEST(devices_without_a_record_are_detached),
		TEST(a_device_that_only_a_killed_rebuild_attached_is_detached),
		TEST(a_rebuild_that_does_not_fit_changes_nothing),
		TEST(an_exchange_whose_mark_cannot_be_written_is_complete),
		TEST(a_rebuild_leaves_a_pod_whose_record_is_not_valid_attached),
		TEST(a_rebuild_holds_a_pod_with_an_invalid_record_that_the_plan_lacks),
		TEST(a_rebuild_of_another_layout_refuses_a_record_that_is_not_valid),
		TEST(a_first_rebuild_with_a_record_that_is_not_valid_attaches_nothing),
		TEST(killed_at_any_step_the_next_load_completes_what_is_loaded),
		TEST(killed_with_clsact_the_next_load_completes_what_is_loaded),
		TEST(killed_at_a_step_the_next_rebuild_completes_it),
		TEST(killed_at_a_step_and_removed_nothing_is_left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, group_setup, group_teardown) : 0;
}
