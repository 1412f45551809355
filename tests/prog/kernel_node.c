// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Opening and removing an instance: pinned maps and programs are reused, one writer at a time,
 * other layouts and impossible sizes are refused, programs of another version are replaced, gc runs
 * without a process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "attach/remove.h"
#include "base/mem.h"
#include "kernel/lock.h"
#include "kernel/maps.h"
#include "kernel/programs.h"
#include "lib/kernel_env.h"

#define NAME "node"
#define PINS "/sys/fs/bpf/weir-" NAME
#define RUN "/run/weir-" NAME

static int teardown(void **state)
{
	struct weir_err err;

	return node_remove(NAME, &err);
}

static int open_err(enum node_mode mode, struct weir_err *err)
{
	_cleanup_(node_close) struct node *n = NULL;

	return node_open(NAME, mode, &kernel_sizes, &n, err);
}

static void pinned_maps_and_programs_are_reused(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_service, NULL);
	struct node *n = kernel_node(NAME, NODE_WRITE);
	uint32_t before, after;
	struct sync_delta d;

	assert_int_equal(program_id(node_prog_fd(n, WEIR_PROGRAM_from_pod), &before), 0);
	kernel_apply(n, p);
	assert_string_equal(node_run_dir(n), RUN);
	node_close(&n);
	n = kernel_node(NAME, NODE_WRITE);
	assert_int_equal(program_id(node_prog_fd(n, WEIR_PROGRAM_from_pod), &after), 0);
	assert_int_equal(before, after);
	d = kernel_apply(n, p);
	assert_delta(&d, "");
	node_close(&n);
	n = kernel_node(NAME, NODE_READ);
	assert_int_equal(node_config(n)->generation, 1);
	assert_true(node_prog_fd(n, WEIR_PROGRAM_to_pod) >= 0);
	assert_int_equal(node_map_max(n, WEIR_MAP_conntrack), 256);
	node_close(&n);
}

static void a_reader_cannot_write(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_attachment value = { .slot = 1 };
	uint32_t key = 1;
	int status;
	pid_t pid;

	node_close(&n);
	n = kernel_node(NAME, NODE_READ);
	assert_int_not_equal(
		bpf_map_update_elem(node_map_fd(n, WEIR_MAP_attachments), &key, &value, BPF_ANY),
		0);
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		node_config(n)->enforcement = WEIR_ENFORCE_OFF;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	node_close(&n);
}

static void a_missing_instance_is_enoent(void **state)
{
	struct weir_err err = {};

	assert_int_equal(open_err(NODE_READ, &err), -ENOENT);
	assert_non_null(strstr(err.text, PINS));
}

/* Otherwise the next load would keep sizes that it did not ask for. */
static void a_load_that_fails_leaves_no_maps_of_its_sizes(void **state)
{
	struct node_setup sizes = kernel_sizes;
	struct weir_err err = {};
	struct node *n = NULL;

	sizes.max[WEIR_MAP_attachments] = 77;
	sizes.max[WEIR_MAP_names] = UINT32_MAX;
	assert_true(node_open(NAME, NODE_WRITE, &sizes, &n, &err) < 0);
	assert_non_null(strstr(err.text, "names"));
	assert_int_not_equal(access(PINS "/maps/attachments", F_OK), 0);
	n = kernel_node(NAME, NODE_WRITE);
	assert_int_not_equal(node_map_max(n, WEIR_MAP_attachments), 77);
	node_close(&n);
}

static void svc_84_hairpin_addresses_are_set_when_the_maps_are_made(void **state)
{
	static const struct weir_addr v6 = WEIR_HAIRPIN_V6;
	struct node_setup setup = kernel_sizes;
	const struct weir_addr *hairpin;
	struct weir_err err = {};
	struct node *n = NULL;

	setup.hairpin[0] = weir_addr_from_v4(htonl(0xc6120001));
	assert_int_equal(node_open(NAME, NODE_WRITE, &setup, &n, &err), 0);
	node_close(&n);
	n = kernel_node(NAME, NODE_WRITE); /* no request: they stay */
	hairpin = node_config(n)->hairpin;
	assert_memory_equal(&hairpin[0], &setup.hairpin[0], sizeof(hairpin[0]));
	assert_memory_equal(&hairpin[1], &v6, sizeof(v6));
	node_close(&n);
}

static void a_removed_instance_is_gone_and_removing_again_succeeds(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};

	node_close(&n);
	assert_int_equal(access(PINS, F_OK), 0);
	assert_int_equal(node_remove(NAME, &err), 0);
	assert_int_not_equal(access(PINS, F_OK), 0);
	assert_int_not_equal(access(RUN, F_OK), 0);
	assert_int_equal(node_remove(NAME, &err), 0);
}

static void names_that_are_paths_are_refused(void **state)
{
	struct weir_err err = {};
	struct node *n = NULL;

	assert_int_equal(node_open("../x", NODE_WRITE, NULL, &n, &err), -EINVAL);
	assert_int_equal(node_open("a/b", NODE_READ, NULL, &n, &err), -EINVAL);
	assert_int_equal(node_remove("../x", &err), -EINVAL);
	assert_int_equal(node_open("caf\xe9", NODE_READ, NULL, &n, &err), -EINVAL);
	assert_null(n);
}

static void impossible_sizes_are_refused(void **state)
{
	static const struct node_setup bad[] = {
		{ .max = { [WEIR_MAP_rejects] = 300 } },
		{ .max = { [WEIR_MAP_pods] = (1 << WEIR_SLOT_BITS) + 1 } },
		{ .max = { [WEIR_MAP_port_ranges] = (1 << 20) + 1 } },
		{ .max = { [WEIR_MAP_gc_slots] = 300 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct node *n = NULL;
		struct weir_err err = {};

		assert_int_equal(node_open(NAME, NODE_PRIVATE, &bad[i], &n, &err), -EINVAL);
		assert_int_not_equal(err.text[0], '\0');
	}
}

static void another_layout_is_refused(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};

	node_config(n)->layout_version = WEIR_LAYOUT_VERSION + 1;
	node_close(&n);
	assert_int_equal(unlink(PINS "/maps/nodes"), 0); /* it has another name there */
	assert_int_equal(open_err(NODE_READ, &err), -EPROTO);
	assert_non_null(strstr(err.text, "layout version"));
	assert_int_equal(open_err(NODE_WRITE, &err), -EPROTO);
	assert_non_null(strstr(err.text, "layout version"));
	assert_int_not_equal(access(PINS "/maps/nodes", F_OK), 0); /* nothing was made */
}

static void a_map_of_another_kind_is_refused(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "nodes", 4, 4, 16, NULL);

	node_close(&n);
	assert_int_equal(unlink(PINS "/maps/nodes"), 0);
	assert_int_equal(bpf_obj_pin(fd, PINS "/maps/nodes"), 0);
	close(fd);
	assert_int_equal(open_err(NODE_WRITE, &err), -EPROTO);
	assert_non_null(strstr(err.text, "nodes"));
}

static void config_of_another_kind_is_refused(void **state)
{
	static const struct {
		enum bpf_map_type type;
		uint32_t key, value, entries, flags;
	} kinds[] = {
		{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8000, 1, 0 }, /* a value for each CPU */
		{ BPF_MAP_TYPE_HASH, 4, sizeof(struct weir_config), 1, 0 },
		{ BPF_MAP_TYPE_HASH, 16, sizeof(struct weir_config), 1, 0 },
		{ BPF_MAP_TYPE_LPM_TRIE, 8, sizeof(struct weir_config), 1, BPF_F_NO_PREALLOC },
		{ BPF_MAP_TYPE_QUEUE, 0, sizeof(struct weir_config), 1, 0 },
		{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0 },
		{ BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0 },
	};
	struct node *n = kernel_node(NAME, NODE_WRITE);

	node_close(&n);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = kinds[i].flags);
		int fd = bpf_map_create(kinds[i].type, "config", kinds[i].key, kinds[i].value,
					kinds[i].entries, &opts);

		assert_int_equal(unlink(PINS "/maps/config"), 0);
		assert_int_equal(bpf_obj_pin(fd, PINS "/maps/config"), 0);
		close(fd);
		for (enum node_mode mode = NODE_READ; mode <= NODE_WRITE; mode++) {
			struct weir_err err = {};

			assert_int_equal(open_err(mode, &err), -EPROTO);
			assert_non_null(strstr(err.text, "map config"));
			assert_non_null(strstr(
				err.text, "weir load --rebuild -f PATH --node NODE --name " NAME));
		}
	}
}

/* Programs hold the map whose pin is gone: a new one in its place would be another. */
static void a_missing_map_is_refused(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};

	node_close(&n);
	assert_int_equal(unlink(PINS "/maps/gc_free"), 0);
	for (enum node_mode mode = NODE_READ; mode <= NODE_WRITE; mode++) {
		assert_int_equal(open_err(mode, &err), -EPROTO);
		assert_non_null(strstr(err.text, "map gc_free is missing"));
	}
	assert_int_not_equal(access(PINS "/maps/gc_free", F_OK), 0);
}

static void without_config_nothing_is_loaded_and_all_is_made_again(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_attachment value = { .slot = 1 };
	uint32_t key = 1, before, after;
	struct weir_err err = {};

	assert_int_equal(bpf_map_update_elem(node_map_fd(n, WEIR_MAP_attachments), &key, &value, 0),
			 0);
	assert_int_equal(program_id(node_prog_fd(n, WEIR_PROGRAM_from_pod), &before), 0);
	node_close(&n);
	assert_int_equal(unlink(PINS "/maps/config"), 0);
	assert_int_equal(open_err(NODE_READ, &err), -ENOENT);
	assert_non_null(strstr(err.text, "nothing is loaded"));
	n = kernel_node(NAME, NODE_WRITE);
	assert_int_equal(program_id(node_prog_fd(n, WEIR_PROGRAM_from_pod), &after), 0);
	assert_int_not_equal(before, after);
	assert_int_equal(bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_attachments), &key, &value),
			 -ENOENT);
	node_close(&n);
}

static void every_gc_slot_is_queued_once(void **state)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);
	bool seen[256] = {};
	uint32_t slot;
	int count = 0;

	/* as after a kill while the queue is filled */
	node_config(n)->layout_version = 0;
	node_close(&n);
	n = kernel_node(NAME, NODE_WRITE);
	while (!bpf_map_lookup_and_delete_elem(node_map_fd(n, WEIR_MAP_gc_free), NULL, &slot)) {
		assert_true(slot < 256 && !seen[slot]);
		seen[slot] = true;
		count++;
	}
	assert_int_equal(count, 256);
	assert_int_equal(node_config(n)->gc_slots, 256);
	assert_int_equal(node_config(n)->half_open_max, 256 / WEIR_HALF_OPEN_PARTS);
	assert_int_equal(node_config(n)->policy_epoch, 1);
	assert_int_equal(node_config(n)->timeout[WEIR_TIMEOUT_TCP_OPEN],
			 643731); /* 24 h in ticks of 2^27 ns, rounded up */
}

/* ---- The lock ---- */

static void a_second_writer_gets_the_pid_of_the_lock_holder(void **state)
{
	_cleanup_(mem_free) char *pid = mem_printf("process %d", getpid());
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};

	lock_wait_ms = 50;
	assert_int_equal(open_err(NODE_WRITE, &err), -EBUSY);
	lock_wait_ms = 10000;
	assert_non_null(strstr(err.text, pid));
	assert_int_equal(open_err(NODE_READ, &err), 0);
	node_close(&n);
}

static pid_t holder(int ready[2], unsigned int hold_ms)
{
	pid_t pid = fork();

	if (!pid) {
		_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);

		(void)!write(ready[1], "x", 1);
		usleep(hold_ms * 1000);
		node_close(&n);
		_exit(0);
	}
	return pid;
}

static void a_second_writer_waits_for_the_first(void **state)
{
	int ready[2], status;
	struct weir_err err = {};
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = holder(ready, 200);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(open_err(NODE_WRITE, &err), 0);
	waitpid(pid, &status, 0);
}

static void the_lock_of_a_killed_writer_is_free(void **state)
{
	int ready[2], status;
	struct weir_err err = {};
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = holder(ready, 60000);
	assert_int_equal(read(ready[0], &c, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	lock_wait_ms = 50;
	assert_int_equal(open_err(NODE_WRITE, &err), 0);
	lock_wait_ms = 10000;
}

static int removal_begun[2];
static unsigned int last_pause_ms;

static void let_a_writer_wait(const char *path)
{
	if (!strcmp(path, PINS "/maps/config")) {
		(void)!write(removal_begun[1], "x", 1);
		usleep(100000);
	}
	if (!strcmp(path, RUN))
		usleep(last_pause_ms * 1000);
}

static pid_t writer_during_a_removal(void)
{
	pid_t pid = fork();
	struct weir_err err = {};
	char c;

	if (pid)
		return pid;
	(void)!read(removal_begun[0], &c, 1);
	if (!open_err(NODE_WRITE, &err))
		_exit(0);
	print_error("%s\n", err.text);
	_exit(1);
}

/* pause_ms: of the removal, between the lock file and its folder. */
static void wait_for_a_removal(unsigned int pause_ms)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};
	int status;
	pid_t pid;

	node_close(&n);
	assert_int_equal(pipe(removal_begun), 0);
	pid = writer_during_a_removal();
	last_pause_ms = pause_ms;
	node_remove_hook = let_a_writer_wait;
	assert_int_equal(node_remove(NAME, &err), 0);
	node_remove_hook = NULL;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(removal_begun[0]);
	close(removal_begun[1]);
	n = kernel_node(NAME, NODE_READ);
	node_close(&n);
}

static void a_writer_that_waits_for_a_removal_loads_anew(void **state)
{
	wait_for_a_removal(0);
	wait_for_a_removal(100);
}

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

/* Whoever can open the lock can hold it; the plan names every pod and policy. */
static void lock_and_plan_are_closed_to_other_users(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	struct node *n;

	umask(0);
	assert_int_equal(mkdir(RUN, 0755), 0); /* as an earlier version made them */
	close(open(RUN "/lock", O_CREAT | O_RDWR, 0644));
	n = kernel_node(NAME, NODE_WRITE);
	kernel_apply(n, p);
	node_close(&n);
	umask(022);
	assert_int_equal(mode_of(RUN), 0750);
	assert_int_equal(mode_of(RUN "/pods"), 0750);
	assert_int_equal(mode_of(RUN "/lock"), 0600);
	assert_int_equal(mode_of(RUN "/plan-1"), 0600);
}

static void remount_run(const char *options)
{
	assert_int_equal(mount("tmpfs", "/run", "tmpfs", MS_REMOUNT, options), 0);
}

static void fill_run(void)
{
	static char block[4096];
	int fd = open("/run/filler", O_CREAT | O_WRONLY, 0600);

	remount_run("size=1m");
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void a_full_run_folder_fails_a_load_and_not_a_removal(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct sync_delta d = {};
	struct weir_err err = {};

	fill_run();
	assert_int_equal(sync_apply(n, p, &l, SYNC_NO_DEVICES, &d, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "/plan-1"));
	assert_int_equal(node_config(n)->generation, 0);
	node_close(&n);
	assert_int_equal(unlink(RUN "/lock"), 0);
	assert_int_equal(node_remove(NAME, &err), 0);
	assert_int_not_equal(access(PINS, F_OK), 0);
	assert_int_equal(unlink("/run/filler"), 0);
	remount_run("size=50%");
}

/* ---- Another BPF file system ---- */

static int open_in_fresh_bpffs(enum node_mode mode, struct weir_err *ret_err)
{
	int to_child[2], status;
	pid_t pid;

	assert_int_equal(pipe(to_child), 0);
	pid = fork();
	if (!pid) {
		struct weir_err err = {};
		int r;

		if (unshare(CLONE_NEWNS) || mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
			_exit(1);
		r = mode == NODE_PRIVATE ? node_remove(NAME, &err) : open_err(mode, &err);
		(void)!write(to_child[1], &err, sizeof(err));
		_exit(-r);
	}
	assert_int_equal(read(to_child[0], ret_err, sizeof(*ret_err)), sizeof(*ret_err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(to_child[0]);
	close(to_child[1]);
	return -WEXITSTATUS(status);
}

/* As `ip netns exec` does. NODE_PRIVATE stands for a removal. */
static void an_instance_in_another_bpf_file_system_is_not_made_again(void **state)
{
	static const enum node_mode modes[] = { NODE_READ, NODE_WRITE, NODE_PRIVATE };
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	struct node *n = kernel_node(NAME, NODE_WRITE);
	struct weir_err err = {};

	kernel_apply(n, p);
	node_close(&n);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(open_in_fresh_bpffs(modes[i], &err), -EXDEV);
		assert_non_null(strstr(err.text, "nsenter --mount=/proc/"));
		assert_int_equal(access(RUN "/plan-1", F_OK), 0);
	}
	assert_int_equal(node_remove(NAME, &err), 0);
	assert_int_equal(open_in_fresh_bpffs(NODE_READ, &err), -ENOENT);
	assert_int_equal(open_in_fresh_bpffs(NODE_WRITE, &err), 0);
}

/* Its pins went with the file system: the mark in the run folder is of nothing. */
static void an_instance_whose_bpf_file_system_is_gone_is_made_anew(void **state)
{
	struct weir_err err = {};

	assert_int_equal(open_in_fresh_bpffs(NODE_WRITE, &err), 0);
	assert_int_equal(access(RUN "/instance", F_OK), 0);
	assert_int_equal(open_err(NODE_WRITE, &err), 0);
}

/* ---- Programs ---- */

static char *program_folder(const char *object)
{
	DIR *d = opendir(PINS "/progs");
	char *found = NULL;

	for (struct dirent *e; d && (e = readdir(d));)
		if (!strncmp(e->d_name, object, strlen(object)) &&
		    e->d_name[strlen(object)] == '-') {
			assert_null(found);
			found = mem_strdup(e->d_name);
		}
	closedir(d);
	return found;
}

static void programs_of_another_version_are_replaced(void **state)
{
	_cleanup_(mem_free) char *now = NULL, *from = NULL, *after = NULL;
	struct node *n = kernel_node(NAME, NODE_WRITE);
	uint32_t before_id, after_id;

	assert_int_equal(program_id(node_prog_fd(n, WEIR_PROGRAM_from_pod), &before_id), 0);
	node_close(&n);
	now = program_folder("pod");
	from = mem_printf(PINS "/progs/%s", now);
	assert_int_equal(rename(from, PINS "/progs/pod-0123456789abcdef"), 0);
	n = kernel_node(NAME, NODE_READ); /* a reader uses programs of any version */
	node_close(&n);
	n = kernel_node(NAME, NODE_WRITE);
	assert_int_equal(program_id(node_prog_fd(n, WEIR_PROGRAM_from_pod), &after_id), 0);
	assert_int_not_equal(before_id, after_id);
	after = program_folder("pod");
	assert_string_equal(now, after);
	node_close(&n);
}

static void a_folder_that_lacks_a_pin_is_loaded_again(void **state)
{
	static const char *const lacking[][2] = { { "pod", "to_pod" }, { "gc", "gc_timer" } };
	struct node *n = kernel_node(NAME, NODE_WRITE);
	bool gc = node_prog_fd(n, WEIR_PROGRAM_gc_start) >= 0;

	node_close(&n);
	for (size_t i = 0; i < (gc ? ARRAY_SIZE(lacking) : 1); i++) {
		_cleanup_(mem_free) char *folder = program_folder(lacking[i][0]);
		_cleanup_(mem_free) char *pin =
			mem_printf(PINS "/progs/%s/%s", folder, lacking[i][1]);

		assert_int_equal(unlink(pin), 0);
		if (!strcmp(lacking[i][0], "gc")) {
			n = kernel_node(NAME, NODE_READ);
			assert_non_null(node_no_gc(n));
			node_close(&n);
		}
		n = kernel_node(NAME, NODE_WRITE);
		node_close(&n);
		assert_int_equal(access(pin, F_OK), 0);
	}
}

static uint64_t gc_rounds(void)
{
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_READ);

	return node_config(n)->gc_rounds;
}

static void gc_runs_without_a_process(void **state)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);
	uint64_t before;

	if (node_prog_fd(n, WEIR_PROGRAM_gc_start) < 0) {
		node_close(&n);
		skip();
	}
	node_close(&n);
	before = gc_rounds();
	for (int i = 0; i < 1000 && gc_rounds() <= before + 5; i++)
		usleep(10000);
	assert_true(gc_rounds() > before + 5);
}

/* ---- The plan beside the maps ---- */

static ino_t file(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

static void the_last_two_plans_are_kept(void **state)
{
	_cleanup_(plan_free) struct plan *a = kernel_plan(kernel_labels, NULL);
	_cleanup_(plan_free) struct plan *b = kernel_plan(kernel_labels, kernel_service, NULL);
	_cleanup_(node_close) struct node *n = kernel_node(NAME, NODE_WRITE);
	ino_t before;

	kernel_apply(n, a);
	kernel_apply(n, b);
	kernel_apply(n, a);
	assert_int_equal(file(RUN "/plan-1"), 0);
	assert_int_not_equal(file(RUN "/plan-2"), 0);
	before = file(RUN "/plan-3");
	assert_int_not_equal(before, 0);
	kernel_apply(n, a);
	assert_int_equal(file(RUN "/plan-3"), before); /* unchanged */
	assert_int_equal(file(RUN "/plan-4"), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pinned_maps_and_programs_are_reused),
		TEST(a_reader_cannot_write),
		TEST(a_missing_instance_is_enoent),
		TEST(a_load_that_fails_leaves_no_maps_of_its_sizes),
		TEST(svc_84_hairpin_addresses_are_set_when_the_maps_are_made),
		TEST(a_removed_instance_is_gone_and_removing_again_succeeds),
		TEST(names_that_are_paths_are_refused),
		TEST(impossible_sizes_are_refused),
		TEST(another_layout_is_refused),
		TEST(a_map_of_another_kind_is_refused),
		TEST(config_of_another_kind_is_refused),
		TEST(a_missing_map_is_refused),
		TEST(without_config_nothing_is_loaded_and_all_is_made_again),
		TEST(every_gc_slot_is_queued_once),
		TEST(a_second_writer_gets_the_pid_of_the_lock_holder),
		TEST(a_second_writer_waits_for_the_first),
		TEST(the_lock_of_a_killed_writer_is_free),
		TEST(a_writer_that_waits_for_a_removal_loads_anew),
		TEST(lock_and_plan_are_closed_to_other_users),
		TEST(a_full_run_folder_fails_a_load_and_not_a_removal),
		TEST(an_instance_in_another_bpf_file_system_is_not_made_again),
		TEST(an_instance_whose_bpf_file_system_is_gone_is_made_anew),
		TEST(programs_of_another_version_are_replaced),
		TEST(a_folder_that_lacks_a_pin_is_loaded_again),
		TEST(gc_runs_without_a_process),
		TEST(the_last_two_plans_are_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
