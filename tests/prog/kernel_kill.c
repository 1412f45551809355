// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * SIGKILL during an apply: at every step, and at random moments. The next apply, of the same plan
 * or of another, must leave tables equal to those of a fresh load and must have raised the epochs;
 * one more writes nothing. And during a removal, at every step: the next load is a fresh one, whose
 * programs use the maps that are pinned.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "attach/remove.h"
#include "base/mem.h"
#include "lib/kernel_env.h"
#include "lib/tables_text.h"

#define NAME "kill"
#define RANDOM_KILLS 40
#define STEPS_MAX 64

#define SECOND_POLICY                                                                                                \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: in}\nspec: {podSelector: "          \
	"{matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: other}}}, {ipBlock: {cidr: " \
	"192.0.2.64/26}}], ports: [{port: 8000, endPort: 8005}, {port: 53, protocol: UDP}]}]}\n"

#define SECOND_SERVICE                                                                                         \
	"apiVersion: v1\nkind: Service\nmetadata: {name: web2}\nspec: {clusterIP: 10.96.0.1, selector: {app: " \
	"client}, ports: [{name: t, port: 80, targetPort: 8080}]}\n"

static struct plan *first, *second;
static char *first_text, *second_text;
static const char *steps[STEPS_MAX];
static int n_steps, kill_at;

static void record_step(const char *step)
{
	steps[n_steps++] = step;
}

static void kill_at_step(const char *step)
{
	if (n_steps++ == kill_at)
		raise(SIGKILL);
}

static char *fresh_text(const struct plan *p)
{
	_cleanup_(node_close) struct node *n = kernel_node(NULL, NODE_PRIVATE);

	kernel_apply(n, p);
	return tables_text(n);
}

static int group_setup(void **state)
{
	static const char *const less[] = { "app: web", "app: other", NULL, "app: client" };
	_cleanup_(node_close) struct node *n = NULL;

	first = kernel_plan(kernel_labels, kernel_service, kernel_policy, NULL);
	second = kernel_plan(less, SECOND_SERVICE, SECOND_POLICY, NULL);
	first_text = fresh_text(first);
	second_text = fresh_text(second);
	n = kernel_node(NAME, NODE_WRITE);
	kernel_apply(n, first);
	sync_step_hook = record_step;
	kernel_apply(n, second);
	sync_step_hook = NULL;
	return 0;
}

static int group_teardown(void **state)
{
	plan_free(&first);
	plan_free(&second);
	free(first_text);
	free(second_text);
	return 0;
}

static void apply_named(const struct plan *p)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);

	kernel_apply(n, p);
}

static void assert_converges(const struct plan *p, const char *want, const char *step)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);
	_cleanup_(mem_free) char *got = NULL;
	struct sync_delta d;

	kernel_apply(n, p);
	got = tables_text(n);
	if (strcmp(got, want))
		fail_msg("after a kill at %s the tables are\n%s\nnot\n%s", step, got, want);
	d = kernel_apply(n, p);
	if (sync_delta_writes(&d))
		fail_msg("after a kill at %s and a rerun, another rerun writes %u times", step,
			 sync_delta_writes(&d));
	assert_int_equal(node_config(n)->pending, 0);
}

static void epochs(uint32_t *ret_policy, uint32_t *ret_service)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_READ);

	*ret_policy = node_config(n)->policy_epoch;
	*ret_service = node_config(n)->service_epoch;
}

/* Applies second in a child that is killed at step kill_at, or after after_ns if not 0. */
static void apply_and_kill(long after_ns)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		n_steps = 0;
		sync_step_hook = after_ns ? NULL : kill_at_step;
		apply_named(second);
		_exit(0);
	}
	if (after_ns) {
		nanosleep(&(struct timespec){ .tv_nsec = after_ns }, NULL);
		kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!after_ns)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killed_at_any_step_and_rerun(void **state)
{
	int total = n_steps;

	assert_true(total > 15);
	for (int i = 0; i < total; i++) {
		uint32_t policy[2], service[2];

		assert_converges(first, first_text, steps[i]);
		epochs(&policy[0], &service[0]);
		kill_at = i;
		apply_and_kill(0);
		assert_converges(second, second_text, steps[i]);
		epochs(&policy[1], &service[1]);
		if (policy[1] <= policy[0] || service[1] <= service[0])
			fail_msg("after a kill at %s the epochs were not raised", steps[i]);
	}
	n_steps = total;
}

static void killed_at_any_step_and_another_plan(void **state)
{
	int total = n_steps;

	for (int i = 0; i < total; i++) {
		apply_named(first);
		kill_at = i;
		apply_and_kill(0);
		assert_converges(first, first_text, steps[i]);
	}
	n_steps = total;
}

static void killed_twice_at_any_step(void **state)
{
	int total = n_steps;

	for (int i = 0; i < total; i++) {
		apply_named(first);
		kill_at = i;
		apply_and_kill(0);
		kill_at = (i * 7 + 3) % 12; /* steps of every apply that writes */
		if (i < total - 4) /* the last steps leave too few to kill the next apply in */
			apply_and_kill(0);
		assert_converges(second, second_text, steps[i]);
	}
	n_steps = total;
}

static void killed_at_random_moments(void **state)
{
	unsigned int seed = getpid();

	print_message("seed %u\n", seed);
	for (int i = 0; i < RANDOM_KILLS; i++) {
		apply_named(first);
		apply_and_kill(1 + rand_r(&seed) % 40000000);
		assert_converges(second, second_text, "a random moment");
	}
}

/* The first load: maps of which only some were made are completed. */
static void killed_while_the_instance_is_made(void **state)
{
	unsigned int seed = getpid();

	for (int i = 0; i < 10; i++) {
		_cleanup_(mem_free) char *got = NULL;
		_cleanup_(node_close) struct node *n = NULL;
		struct weir_err err = {};
		int status;
		pid_t pid = fork();

		if (!pid) {
			n = kernel_node("made", NODE_WRITE);
			_exit(0);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1 + rand_r(&seed) % 400000000 }, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		n = kernel_node("made", NODE_WRITE);
		kernel_apply(n, first);
		got = tables_text(n);
		assert_string_equal(got, first_text);
		node_close(&n);
		assert_int_equal(node_remove("made", &err), 0);
	}
}

/* ---- Removal ---- */

static void count_removed(const char *path)
{
	n_steps++;
}

static void remove_and_kill(int at)
{
	struct weir_err err = {};
	pid_t pid = fork();
	int status;

	if (!pid) {
		n_steps = 0;
		kill_at = at;
		node_remove_hook = kill_at_step;
		_exit(node_remove("removed", &err) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool program_uses(int prog_fd, int map_fd)
{
	uint32_t ids[_WEIR_MAP_MAX + 8], len = sizeof(struct bpf_map_info);
	struct bpf_prog_info prog = { .map_ids = (uintptr_t)ids, .nr_map_ids = ARRAY_SIZE(ids) };
	struct bpf_map_info map = {};

	assert_int_equal(bpf_obj_get_info_by_fd(map_fd, &map, &len), 0);
	len = sizeof(prog);
	assert_int_equal(bpf_obj_get_info_by_fd(prog_fd, &prog, &len), 0);
	for (uint32_t i = 0; i < prog.nr_map_ids && i < ARRAY_SIZE(ids); i++)
		if (ids[i] == map.id)
			return true;
	return false;
}

static void assert_programs_use_the_maps(const struct node *n, int step)
{
	static const enum weir_map maps[] = { WEIR_MAP_pods, WEIR_MAP_config, WEIR_MAP_conntrack,
					      WEIR_MAP_gc_free, WEIR_MAP_gc_slots };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (!program_uses(node_prog_fd(n, WEIR_PROGRAM_from_pod), node_map_fd(n, maps[i])))
			fail_msg("after a kill at step %d, from_pod uses another map %s", step,
				 map_info(maps[i])->name);
}

static void assert_gc_slots_are_free(const struct node *n, int step)
{
	uint32_t slot, count = 0, max = node_map_max(n, WEIR_MAP_gc_slots);

	while (!bpf_map_lookup_and_delete_elem(node_map_fd(n, WEIR_MAP_gc_free), NULL, &slot))
		count++;
	if (count != max)
		fail_msg("after a kill at step %d, %u of %u gc slots are free", step, count, max);
}

static void load_after_a_removal(int step)
{
	_cleanup_(node_close) struct node *n = kernel_node("removed", NODE_WRITE);
	_cleanup_(mem_free) char *got = NULL;

	assert_programs_use_the_maps(n, step);
	assert_gc_slots_are_free(n, step);
	kernel_apply(n, first);
	got = tables_text(n);
	if (strcmp(got, first_text))
		fail_msg("after a kill at step %d the tables are\n%s", step, got);
	if (node_config(n)->generation != 1)
		fail_msg("after a kill at step %d the maps were kept", step);
}

static void killed_at_any_step_of_a_removal(void **state)
{
	struct weir_err err = {};
	int total;

	load_after_a_removal(0);
	n_steps = 0;
	node_remove_hook = count_removed;
	assert_int_equal(node_remove("removed", &err), 0);
	node_remove_hook = NULL;
	total = n_steps;
	assert_true(total > _WEIR_MAP_MAX + _WEIR_PROGRAM_MAX);
	load_after_a_removal(0);
	for (int i = 1; i < total; i++) { /* a kill before step 0 removes nothing */
		remove_and_kill(i);
		load_after_a_removal(i);
	}
	assert_int_equal(node_remove("removed", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_step_and_rerun),
		cmocka_unit_test(killed_at_any_step_and_another_plan),
		cmocka_unit_test(killed_twice_at_any_step),
		cmocka_unit_test(killed_at_random_moments),
		cmocka_unit_test(killed_while_the_instance_is_made),
		cmocka_unit_test(killed_at_any_step_of_a_removal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, group_setup, group_teardown) : 0;
}
