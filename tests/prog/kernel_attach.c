// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Hooks on real devices, by tcx and by clsact: a frame is counted once while the device is
 * attached, whatever was attached before, and not counted otherwise.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "attach/attach.h"
#include "attach/attach_netns.h"
#include "attach/hooks.h"
#include "attach/remove.h"
#include "kernel/maps.h"
#include "lib/kernel_env.h"

#define NAME "attach"
#define DEVICE 102 /* of pod c in kernel_records() */
#define FRAMES 5

static struct node *node;
static bool tcx;

static void command(const char *text)
{
	if (system(text))
		fail_msg("failed: %s", text);
}

static void make_device(void)
{
	command("ip link add h0 index 102 type veth peer name p0 && ip link set h0 up && ip link set p0 up");
}

static int setup(void **state)
{
	node = kernel_node(NAME, NODE_WRITE);
	make_device();
	return 0;
}

static int teardown(void **state)
{
	struct weir_err err;

	attach_preference = ATTACH_AUTO;
	node_close(&node);
	(void)!system("ip link del h0 2>/dev/null");
	return node_remove(NAME, &err);
}

static int group_setup(void **state)
{
	/* without IPv6 the kernel sends no neighbour discovery, which would be counted */
	command("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > "
		"/proc/sys/net/ipv6/conf/default/disable_ipv6");
	node = kernel_node(NULL, NODE_PRIVATE);
	tcx = hook_tcx_works(node_prog_fd(node, WEIR_PROGRAM_from_pod));
	node_close(&node);
	return 0;
}

static uint64_t counted(void)
{
	struct weir_counter values[256];
	uint64_t sum = 0;

	assert_true(libbpf_num_possible_cpus() <= 256);
	for (uint32_t reason = 0; reason < _WEIR_REASON_MAX; reason++) {
		assert_int_equal(
			bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_counters), &reason, values),
			0);
		for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
			sum += values[cpu].packets;
	}
	return sum;
}

/*
 * How many frames the programs count when FRAMES leave by a device: p0 is the pod's end, h0 the
 * host's.
 */
static uint64_t sent_by(const char *device)
{
	unsigned char frame[64] = {
		2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 50
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
	uint64_t before = counted();

	frame[22] = 64;
	frame[23] = 17;
	for (int i = 0; i < FRAMES; i++)
		(void)!sendto(fd, frame, sizeof(frame), 0, (void *)&to,
			      sizeof(to)); /* fails where egress drops */
	close(fd);
	usleep(20000);
	return counted() - before;
}

static void attach(enum attach_kind kind)
{
	struct weir_err err = {};

	attach_preference = kind;
	if (attach_device(node, ATTACH_POD, DEVICE, &err))
		fail_msg("%s", err.text);
	assert_true(attach_is_current(node, ATTACH_POD, DEVICE));
}

static void detach(void)
{
	struct weir_err err = {};

	if (attach_detach(node, DEVICE, &err))
		fail_msg("%s", err.text);
}

static void assert_counts(uint64_t from_pod, uint64_t to_pod)
{
	assert_int_equal(sent_by("p0"), from_pod * FRAMES);
	assert_int_equal(sent_by("h0"), to_pod * FRAMES);
}

static void attach_and_detach(enum attach_kind kind)
{
	assert_counts(0, 0);
	attach(kind);
	assert_counts(1, 1);
	attach(kind);
	assert_counts(1, 1);
	detach();
	assert_counts(0, 0);
	detach();
}

static void tcx_links_attach_once_and_detach(void **state)
{
	if (!tcx)
		skip();
	attach_and_detach(ATTACH_TCX);
}

static void clsact_filters_attach_once_and_detach(void **state)
{
	attach_and_detach(ATTACH_CLSACT);
}

static void tcx_and_clsact_replace_each_other(void **state)
{
	if (!tcx)
		skip();
	attach(ATTACH_CLSACT);
	attach(ATTACH_TCX);
	assert_counts(1, 1);
	attach(ATTACH_CLSACT);
	assert_counts(1, 1);
	attach(ATTACH_AUTO);
	assert_counts(1, 1);
	detach();
	assert_counts(0, 0);
}

static uint32_t attached_id(enum attach_kind kind)
{
	uint32_t id = 0;

	assert_int_equal((kind == ATTACH_TCX ? hook_tcx : hook_clsact)
				 .query(node, WEIR_PROGRAM_from_pod, DEVICE, &id),
			 0);
	return id;
}

/* Gives the pinned programs another version: the next open loads anew, attach() replaces them. */
static void upgrade(enum attach_kind kind)
{
	uint32_t before, after;

	attach(kind);
	before = attached_id(kind);
	node_close(&node);
	command("cd /sys/fs/bpf/weir-" NAME "/progs && mv pod-* pod-0000000000000000");
	node = kernel_node(NAME, NODE_WRITE);
	assert_int_equal(attached_id(kind), before);
	assert_false(attach_is_current(node, ATTACH_POD, DEVICE));
	assert_counts(1, 1); /* the old program still runs */
	attach(kind);
	after = attached_id(kind);
	assert_int_not_equal(before, after);
	assert_counts(1, 1);
}

static void a_new_version_replaces_tcx_links(void **state)
{
	if (!tcx)
		skip();
	upgrade(ATTACH_TCX);
}

static void a_new_version_replaces_clsact_filters(void **state)
{
	upgrade(ATTACH_CLSACT);
}

static void device_with_the_same_index(enum attach_kind kind)
{
	attach(kind);
	command("ip link del h0");
	make_device();
	assert_false(attach_is_current(node, ATTACH_POD, DEVICE));
	assert_counts(0, 0);
	attach(kind);
	assert_counts(1, 1);
}

static void a_device_that_reuses_an_index_is_attached_anew(void **state)
{
	if (tcx)
		device_with_the_same_index(ATTACH_TCX);
	device_with_the_same_index(ATTACH_CLSACT);
}

static void a_missing_device_is_an_error(void **state)
{
	struct weir_err err = {};

	assert_int_equal(attach_device(node, ATTACH_POD, 4711, &err), -ENODEV);
	assert_non_null(strstr(err.text, "4711"));
	assert_int_equal(attach_detach(node, 4711, &err), 0);
}

static void filters_of_others_stay(void **state)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = DEVICE, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 100,
		    .prog_fd = node_prog_fd(node, WEIR_PROGRAM_from_pod));

	attach(ATTACH_CLSACT);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
	detach();
	assert_counts(1, 0);
}

/* ---- With records ---- */

static struct sync_delta apply_with_record(const struct plan *p, bool recorded)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d = {};
	struct weir_err err = {};

	l.items[0] = l.items[2]; /* pod c: the only device that exists */
	l.n = recorded;
	if (sync_apply(node, p, &l, 0, &d, &err))
		fail_msg("%s", err.text);
	return d;
}

/* A plan whose only pod here is c, which has the device. */
static void apply_record_of_c(const struct plan *p)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d = {};
	struct weir_err err = {};

	assert_int_equal(l.n, 1);
	assert_int_equal(l.items[0].ifindex, DEVICE);
	if (sync_apply(node, p, &l, 0, &d, &err))
		fail_msg("%s", err.text);
}

static void an_apply_attaches_once_and_detaches(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_policy, NULL);
	struct sync_delta d = apply_with_record(p, true);

	assert_int_equal(d.attached, 1);
	d = apply_with_record(p, true);
	assert_delta(&d, "");
	detach();
	d = apply_with_record(p, true);
	assert_delta(&d, "attached +1");
	d = apply_with_record(p, false);
	assert_delta(&d, "attachments -1 pods -1 endpoints -2 names -1 detached -1 policy-epoch");
	assert_counts(0, 0);
	d = apply_with_record(p, false);
	assert_delta(&d, "");
}

static void a_vanished_device_is_removed_from_the_tables(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_policy, NULL);
	struct sync_delta d = apply_with_record(p, true);

	command("ip link del h0");
	d = apply_with_record(p, true);
	assert_int_equal(d.vanished, 1);
	assert_delta(&d, "attachments -1 pods -1 endpoints -2 names -1 detached -1 policy-epoch");
	d = apply_with_record(p, true);
	assert_delta(&d, "");
	make_device();
	d = apply_with_record(p, true);
	assert_int_equal(d.vanished, 0);
	assert_int_equal(d.attached, 1);
	assert_counts(1, 1);
}

static void removing_the_instance_detaches(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_AUTO, ATTACH_CLSACT };
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	struct weir_err err = {};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		attach_preference = kinds[i];
		apply_with_record(p, true);
		assert_counts(1, 1);
		node_close(&node);
		assert_int_equal(node_remove(NAME, &err), 0);
		node = kernel_node(NAME, NODE_WRITE);
		assert_false(attach_is_current(node, ATTACH_POD, DEVICE));
	}
}

/* ---- From another network namespace ---- */

static int enter_new_netns(void)
{
	int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(back >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	return back;
}

static void return_to_netns(int back)
{
	assert_int_equal(setns(back, CLONE_NEWNET), 0);
	close(back);
}

static int try_apply(const struct plan *p, unsigned int flags, struct weir_err *err)
{
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d = {};

	l.items[0] = l.items[2];
	l.n = 1;
	return sync_apply(node, p, &l, flags, &d, err);
}

static void an_apply_from_another_namespace_is_refused_and_changes_nothing(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_policy, NULL);
	struct weir_err err = {};
	struct sync_delta d;
	int back;

	apply_with_record(p, true);
	back = enter_new_netns();
	assert_int_equal(try_apply(p, 0, &err), -EXDEV);
	assert_non_null(
		strstr(err.text, "instance " NAME " is attached in network namespace /proc/"));
	assert_int_equal(try_apply(p, SYNC_DRY_RUN, &err), -EXDEV);
	assert_int_equal(try_apply(p, SYNC_NO_DEVICES, &err), 0);
	return_to_netns(back);
	assert_counts(1, 1);
	d = apply_with_record(p, true);
	assert_delta(&d, "");
}

static void an_apply_with_moved_changes_the_attach_namespace(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_policy, NULL);
	struct weir_err err = {};
	int back;

	apply_with_record(p, true);
	back = enter_new_netns();
	make_device();
	assert_int_equal(try_apply(p, SYNC_MOVED, &err), 0);
	assert_int_equal(try_apply(p, 0, &err), 0);
	return_to_netns(back);
	assert_int_equal(try_apply(p, 0, &err), -EXDEV);
}

static void an_instance_without_devices_has_no_attach_namespace(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, kernel_policy, NULL);
	struct weir_err err = {};
	int back;

	apply_with_record(p, false);
	back = enter_new_netns();
	assert_int_equal(try_apply(p, 0, &err), 0);
	return_to_netns(back);
	assert_int_equal(try_apply(p, 0, &err), 0);
}

static void name_this_namespace(void)
{
	command("mkdir -p /run/netns && touch /run/netns/attached && mount --bind /proc/$$/ns/net /run/netns/attached");
}

/* On the device's ingress, of any instance. */
static uint32_t programs_on_device(enum attach_kind kind)
{
	uint32_t ids[8], n = ARRAY_SIZE(ids), id = 0;

	if (kind == ATTACH_TCX) {
		assert_int_equal(bpf_prog_query(DEVICE, (enum bpf_attach_type)46, 0, NULL, ids, &n),
				 0);
		return n;
	}
	assert_int_equal(hook_clsact.query(node, WEIR_PROGRAM_from_pod, DEVICE, &id), 0);
	return id != 0;
}

static void removing_from_another_namespace(enum attach_kind kind)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	struct weir_err err = {};
	int back;

	attach_preference = kind;
	apply_with_record(p, true);
	assert_int_equal(programs_on_device(kind), 1);
	back = enter_new_netns();
	make_device();
	if (kind == ATTACH_CLSACT) /* equal index and handle, not this instance's */
		assert_int_equal(attach_device(node, ATTACH_POD, DEVICE, &err), 0);
	node_close(&node);
	assert_int_equal(node_remove(NAME, &err), 0);
	assert_int_equal(programs_on_device(kind), kind == ATTACH_CLSACT);
	return_to_netns(back);
	assert_int_equal(programs_on_device(kind), 0);
	node = kernel_node(NAME, NODE_WRITE);
}

static void removing_from_another_namespace_detaches_tcx_links(void **state)
{
	if (!tcx)
		skip();
	removing_from_another_namespace(ATTACH_TCX);
}

static void removing_from_another_namespace_detaches_clsact_filters_in_a_named_one(void **state)
{
	name_this_namespace();
	removing_from_another_namespace(ATTACH_CLSACT);
	command("umount /run/netns/attached && rm /run/netns/attached");
}

static int holder_pipe[2];

/* A process in a new namespace, with the device, where the instance is attached. */
static pid_t attach_in_unnamed_namespace(const struct plan *p)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(holder_pipe), 0);
	pid = fork();
	if (!pid) {
		close(enter_new_netns());
		make_device();
		attach_preference = ATTACH_CLSACT;
		apply_with_record(p, true);
		node_close(&node); /* with the lock, which both processes hold */
		(void)!write(ready[1], "x", 1);
		(void)!read(holder_pipe[0], &c, 1);
		_exit(programs_on_device(ATTACH_CLSACT));
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* Its filters have no pins: left there, they would judge its pods by old tables for ever. */
static void removing_detaches_clsact_filters_in_a_namespace_without_a_name(void **state)
{
	_cleanup_(plan_free) struct plan *p = kernel_plan(kernel_labels, NULL);
	pid_t pid = attach_in_unnamed_namespace(p);
	struct weir_err err = {};
	int status;

	node_close(&node);
	assert_int_equal(node_remove(NAME, &err), 0);
	(void)!write(holder_pipe[1], "x", 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	node = kernel_node(NAME, NODE_WRITE);
}

/* ---- Records that are not valid ---- */

static struct sync_delta apply_with_bad_record(const struct plan *p, const char *name)
{
	struct attachment_bad bad = { .path = "x", .ns = "default", .name = name, .why = "x" };
	struct attachment_list l = { .bad = &bad, .n_bad = 1 };
	struct sync_delta d = {};
	struct weir_err err = {};

	if (sync_apply(node, p, &l, 0, &d, &err))
		fail_msg("%s", err.text);
	return d;
}

static uint64_t word_of_device(void)
{
	const struct weir_pod *pods = node_array(node, WEIR_MAP_pods);
	struct weir_attachment a;
	uint32_t device = DEVICE;

	assert_int_equal(bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_attachments), &device, &a),
			 0);
	return pods[a.slot].word;
}

static void a_record_that_becomes_invalid_leaves_its_pod_as_it_is(void **state)
{
	static const char *const only_c[] = { NULL, NULL, "app: web", NULL };
	_cleanup_(plan_free) struct plan *p = kernel_plan(only_c, kernel_policy, NULL);
	struct sync_delta d = apply_with_record(p, false);
	uint64_t word;

	apply_record_of_c(p);
	word = word_of_device();
	assert_true(weir_pod_ingress_set(word));
	d = apply_with_bad_record(p, "c");
	assert_delta(&d, "");
	assert_int_equal(d.gated, 0);
	assert_true(word_of_device() == word);
	assert_counts(1, 1);
}

/* They are in force for the pod: without them it would lose connectivity with its next packet. */
static void a_record_that_becomes_invalid_costs_its_pod_no_opt_out(void **state)
{
	static const char *const only_c[] = { NULL, NULL, "app: web", NULL };
	_cleanup_(plan_free) struct plan *p = kernel_plan(only_c, kernel_policy, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct sync_delta d = {};
	struct weir_err err = {};

	l.items[0].adopted = l.items[0].any_sender = l.items[0].tunnels = true;
	assert_int_equal(sync_apply(node, p, &l, 0, &d, &err), 0);
	assert_int_equal(weir_pod_flags(word_of_device()), WEIR_POD_OPEN_FLAGS);
	d = apply_with_bad_record(p, "c");
	assert_delta(&d, "");
	assert_int_equal(weir_pod_flags(word_of_device()), WEIR_POD_OPEN_FLAGS);
}

/* Which device a bad record means is unknown if the plan lacks its pod: all are held. */
static void a_pod_with_an_invalid_record_that_the_plan_lacks_is_held(void **state)
{
	static const char *const only_c[] = { NULL, NULL, "app: web", NULL };
	static const char *const none[] = { NULL, NULL, NULL, NULL };
	_cleanup_(plan_free) struct plan *p = kernel_plan(only_c, kernel_policy, NULL);
	_cleanup_(plan_free) struct plan *without = kernel_plan(none, NULL);
	struct sync_delta d;

	apply_record_of_c(p);
	d = apply_with_bad_record(without, "c");
	assert_int_equal(d.gated, 1);
	assert_int_equal(d.detached, 0);
	assert_true(weir_pod_flags(word_of_device()) & WEIR_POD_GATE);
	assert_counts(1, 1);
}

static void another_pods_invalid_record_holds_no_pod_with_a_record(void **state)
{
	static const char *const only_c[] = { NULL, NULL, "app: web", NULL };
	_cleanup_(plan_free) struct plan *p = kernel_plan(only_c, kernel_policy, NULL);
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(p);
	struct attachment_bad bad = { .path = "x", .ns = "default", .name = "z", .why = "x" };
	struct sync_delta d = {};
	struct weir_err err = {};

	l.bad = mem_zalloc(sizeof(bad));
	l.bad[0] = bad;
	l.n_bad = 1;
	assert_int_equal(sync_apply(node, p, &l, 0, &d, &err), 0);
	assert_int_equal(d.gated, 0);
	assert_int_equal(d.attached, 1);
	assert_true(weir_pod_ingress_set(word_of_device()));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tcx_links_attach_once_and_detach),
		TEST(clsact_filters_attach_once_and_detach),
		TEST(tcx_and_clsact_replace_each_other),
		TEST(a_new_version_replaces_tcx_links),
		TEST(a_new_version_replaces_clsact_filters),
		TEST(a_device_that_reuses_an_index_is_attached_anew),
		TEST(a_missing_device_is_an_error),
		TEST(filters_of_others_stay),
		TEST(an_apply_attaches_once_and_detaches),
		TEST(a_vanished_device_is_removed_from_the_tables),
		TEST(removing_the_instance_detaches),
		TEST(an_apply_from_another_namespace_is_refused_and_changes_nothing),
		TEST(an_apply_with_moved_changes_the_attach_namespace),
		TEST(an_instance_without_devices_has_no_attach_namespace),
		TEST(removing_from_another_namespace_detaches_tcx_links),
		TEST(removing_from_another_namespace_detaches_clsact_filters_in_a_named_one),
		TEST(removing_detaches_clsact_filters_in_a_namespace_without_a_name),
		TEST(a_record_that_becomes_invalid_leaves_its_pod_as_it_is),
		TEST(a_record_that_becomes_invalid_costs_its_pod_no_opt_out),
		TEST(a_pod_with_an_invalid_record_that_the_plan_lacks_is_held),
		TEST(another_pods_invalid_record_holds_no_pod_with_a_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return kernel_env_enter() ? cmocka_run_group_tests(tests, group_setup, NULL) : 0;
}
