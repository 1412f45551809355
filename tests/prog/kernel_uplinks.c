// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Uplinks on real devices, by tcx and by clsact: which devices are found, what an apply attaches,
 * replaces and detaches, and that a pod's device never has an uplink's programs too.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "attach/attach.h"
#include "attach/hooks.h"
#include "attach/remove.h"
#include "attach/uplinks.h"
#include "base/addr.h"
#include "base/mem.h"
#include "lib/kernel_env.h"

#define NAME "uplinks"
#define POD_DEVICE 102 /* of pod c in kernel_records() */

static struct node *node;
static bool tcx;
static struct plan *plan;

static void command(const char *text)
{
	if (system(text))
		fail_msg("failed: %s", text);
}

static int setup(void **state)
{
	command("ip link add up0 index 50 type bridge && ip link set up0 up && "
		"ip addr add 192.0.2.10/24 dev up0 && ip addr add 2001:db8::10/64 dev up0 nodad && "
		"ip link add up1 index 51 type veth peer name far1 index 61 && ip link set up1 up && ip link set far1 up && "
		"ip addr add 198.51.100.10/24 dev up1 && ip route add default via 198.51.100.1 dev up1 && "
		"ip link add virt0 index 52 type veth peer name virt1 index 62 && ip link set virt0 up && ip addr add 203.0.113.1/32 dev virt0 && "
		"ip link add pod0 index 102 type veth peer name eth0 index 112 && ip link set pod0 up && ip link set eth0 up && "
		"ip addr add 169.254.1.1/32 dev pod0 && "
		"ip link add idle0 index 53 type bridge");
	node = kernel_node(NAME, NODE_WRITE);
	plan = kernel_plan(kernel_labels, NULL);
	return 0;
}

static int teardown(void **state)
{
	struct weir_err err;

	attach_preference = ATTACH_AUTO;
	node_close(&node);
	plan_free(&plan);
	(void)!system(
		"for d in up0 up1 virt0 pod0 idle0 cni0; do ip link del $d; done 2>/dev/null");
	return node_remove(NAME, &err);
}

/* Of pod c alone, with the uplinks that are found or named. */
static struct attachment_list records(const char *const *names, size_t n)
{
	struct uplinks_wanted wanted = { .names = names, .n = n };
	struct attachment_list l = kernel_records(plan);
	struct weir_err err = {};

	l.items[0] = l.items[2];
	l.n = 1;
	addr_parse("192.0.2.99", &wanted.main[0]);
	addr_parse("2001:db8::99", &wanted.main[1]);
	if (uplinks_find(&wanted, &l, &err))
		fail_msg("%s", err.text);
	return l;
}

static struct sync_delta apply(struct attachment_list *l)
{
	struct sync_delta d = {};
	struct weir_err err = {};

	if (sync_apply(node, plan, l, 0, &d, &err))
		fail_msg("%s", err.text);
	return d;
}

/* "up0 192.0.2.10 2001:db8::10, up1 …" */
static void assert_uplinks(const struct attachment_list *l, const char *want)
{
	_cleanup_(mem_free) char *got = NULL;
	char text[2][ADDR_TEXT_MAX];
	size_t len;
	FILE *f = open_memstream(&got, &len);

	for (size_t i = 0; i < l->n_uplinks; i++)
		fprintf(f, "%s%s %s %s", i ? ", " : "", l->uplinks[i].name,
			addr_text(&l->uplinks[i].addr[0], text[0]),
			addr_text(&l->uplinks[i].addr[1], text[1]));
	fclose(f);
	assert_string_equal(got, want);
}

static bool is_attached(enum weir_program prog, uint32_t ifindex)
{
	uint32_t by_tcx = 0, by_clsact = 0;

	hook_tcx.query(node, prog, ifindex, &by_tcx);
	hook_clsact.query(node, prog, ifindex, &by_clsact);
	assert_false(by_tcx && by_clsact);
	return by_tcx || by_clsact;
}

static bool has_key(enum weir_map map, uint32_t ifindex)
{
	char value[64];

	return !bpf_map_lookup_elem(node_map_fd(node, map), &ifindex, value);
}

static void assert_is_uplink(uint32_t ifindex, bool uplink)
{
	assert_int_equal(attach_is_current(node, ATTACH_UPLINK, ifindex), uplink);
	assert_int_equal(has_key(WEIR_MAP_uplinks, ifindex), uplink);
}

/* ---- Which devices ---- */

static void devices_with_a_default_route_or_an_address_are_found(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = records(NULL, 0);

	/* not the veth without a default route, the pod's device with its gateway address, and the
	 * device that is down */
	assert_uplinks(&l, "up0 192.0.2.10 2001:db8::10, up1 198.51.100.10 2001:db8::99");
}

static void a_default_route_with_several_hops_names_all_devices(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};

	command("ip addr flush dev up0 && ip route replace default nexthop dev up0 nexthop via 198.51.100.1 dev up1");
	l = records(NULL, 0);
	assert_uplinks(&l, "up0 192.0.2.99 2001:db8::99, up1 198.51.100.10 2001:db8::99");
}

static void the_bridge_of_a_pod_is_no_uplink(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = {};

	command("ip link add cni0 type bridge && ip link set cni0 up && ip addr add 10.244.0.1/24 dev cni0 && "
		"ip link set pod0 master cni0");
	l = records(NULL, 0);
	assert_uplinks(&l, "up0 192.0.2.10 2001:db8::10, up1 198.51.100.10 2001:db8::99");
}

static void named_devices_are_taken_and_no_others(void **state)
{
	static const char *const names[] = { "virt0", "up0" };
	_cleanup_(attachment_list_free) struct attachment_list l = records(names, 2);

	assert_uplinks(&l, "virt0 203.0.113.1 2001:db8::99, up0 192.0.2.10 2001:db8::10");
}

static void a_named_device_that_cannot_be_an_uplink_is_refused(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "nope", "this node has no device nope" },
		{ "lo", "no Ethernet device" },
		{ "pod0", "the device of a pod" },
	};
	_cleanup_(attachment_list_free) struct attachment_list l = kernel_records(plan);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct uplinks_wanted wanted = { .names = &rows[i].name, .n = 1 };
		struct weir_err err = {};

		assert_int_equal(uplinks_find(&wanted, &l, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].why));
	}
}

/* ---- What an apply does ---- */

static void uplinks_are_attached(enum attach_kind kind)
{
	_cleanup_(attachment_list_free) struct attachment_list l = records(NULL, 0);
	struct sync_delta d;
	struct weir_uplink value;
	uint32_t up0 = 50;

	attach_preference = kind;
	d = apply(&l);
	assert_int_equal(d.attached, 3);
	assert_int_equal(d.inserted[WEIR_MAP_uplinks], 2);
	assert_is_uplink(50, true);
	assert_is_uplink(51, true);
	assert_true(attach_is_current(node, ATTACH_POD, POD_DEVICE));
	assert_false(attach_is_current(node, ATTACH_UPLINK, POD_DEVICE));
	assert_int_equal(bpf_map_lookup_elem(node_map_fd(node, WEIR_MAP_uplinks), &up0, &value), 0);
	assert_memory_equal(value.addr, l.uplinks[0].addr, sizeof(value.addr));
	d = apply(&l);
	assert_delta(&d, "");
}

static void uplinks_are_attached_by_tcx(void **state)
{
	if (!tcx)
		skip();
	uplinks_are_attached(ATTACH_TCX);
}

static void uplinks_are_attached_by_clsact(void **state)
{
	uplinks_are_attached(ATTACH_CLSACT);
}

static void another_kind_of_hook_replaces_the_one_before(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_CLSACT, ATTACH_TCX, ATTACH_CLSACT };
	_cleanup_(attachment_list_free) struct attachment_list l = records(NULL, 0);

	if (!tcx)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		attach_preference = kinds[i];
		assert_int_equal(apply(&l).attached, 3);
		assert_is_uplink(50, true);
	}
}

static void a_device_that_is_no_uplink_any_more_is_detached(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_AUTO, ATTACH_CLSACT };
	static const char *const up1 = "up1";

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(attachment_list_free) struct attachment_list both = records(NULL, 0),
								       one = records(&up1, 1);

		attach_preference = kinds[i];
		apply(&both);
		assert_int_equal(apply(&one).detached, 1);
		assert_is_uplink(50, false);
		assert_false(is_attached(WEIR_PROGRAM_from_uplink, 50));
		assert_false(is_attached(WEIR_PROGRAM_to_uplink, 50));
		assert_is_uplink(51, true);
	}
}

static void unknown_uplinks_stay_as_they_are(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = records(NULL, 0),
							       pods = kernel_records(plan);
	struct sync_delta d;

	apply(&l);
	pods.items[0] = pods.items[2];
	pods.n = 1;
	d = apply(&pods);
	assert_delta(&d, "");
	assert_is_uplink(50, true);
}

static void addresses_that_change_are_written(void **state)
{
	_cleanup_(attachment_list_free) struct attachment_list l = records(NULL, 0), later = {};
	struct sync_delta d;

	apply(&l);
	command("ip addr replace 192.0.2.11/24 dev up0 && ip addr del 192.0.2.10/24 dev up0");
	later = records(NULL, 0);
	d = apply(&later);
	assert_delta(&d, "uplinks ~1");
	assert_is_uplink(50, true);
}

/* The same device, first an uplink, then a pod's, and back. */
static void a_device_changes_sides(enum attach_kind kind)
{
	static const char *const names[] = { "up0", "pod0" };
	_cleanup_(attachment_list_free) struct attachment_list l = records(names, 1), none = {};
	struct uplinks_wanted wanted = { .names = names, .n = 2 };
	struct weir_err err = {};

	attach_preference = kind;
	assert_int_equal(uplinks_find(&wanted, &none, &err), 0);
	apply(&none);
	assert_is_uplink(POD_DEVICE, true);
	apply(&l);
	assert_is_uplink(POD_DEVICE, false);
	assert_true(attach_is_current(node, ATTACH_POD, POD_DEVICE));
	assert_false(is_attached(WEIR_PROGRAM_from_uplink, POD_DEVICE) &&
		     is_attached(WEIR_PROGRAM_from_pod, POD_DEVICE) && kind == ATTACH_TCX);
	apply(&none);
	assert_is_uplink(POD_DEVICE, true);
	assert_false(attach_is_current(node, ATTACH_POD, POD_DEVICE));
}

static void a_device_changes_sides_with_tcx(void **state)
{
	if (!tcx)
		skip();
	a_device_changes_sides(ATTACH_TCX);
}

static void a_device_changes_sides_with_clsact(void **state)
{
	a_device_changes_sides(ATTACH_CLSACT);
}

static void removing_the_instance_detaches_uplinks(void **state)
{
	static const enum attach_kind kinds[] = { ATTACH_AUTO, ATTACH_CLSACT };
	struct weir_err err = {};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_(attachment_list_free) struct attachment_list l = records(NULL, 0);

		attach_preference = kinds[i];
		apply(&l);
		node_close(&node);
		assert_int_equal(node_remove(NAME, &err), 0);
		node = kernel_node(NAME, NODE_WRITE);
		assert_false(is_attached(WEIR_PROGRAM_from_uplink, 50));
		assert_false(is_attached(WEIR_PROGRAM_to_uplink, 50));
	}
}

/* ---- Kill ---- */

static int steps_left;

static void die(const char *step)
{
	if (!steps_left--)
		_exit(7);
}

static bool apply_in_child(struct attachment_list *l, int steps)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct sync_delta d = {};

		steps_left = steps;
		sync_step_hook = die;
		_exit(sync_apply(node, plan, l, 0, &d, NULL) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 1);
	return !WEXITSTATUS(status);
}

static void an_apply_that_is_killed_is_completed_by_the_next(void **state)
{
	static const char *const up1 = "up1";
	struct sync_delta d;
	bool done = false;

	for (int step = 0; !done; step++) {
		_cleanup_(attachment_list_free) struct attachment_list both = records(NULL, 0),
								       one = records(&up1, 1);

		attach_preference = step % 2 ? ATTACH_CLSACT : ATTACH_AUTO;
		done = apply_in_child(&both, step);
		done = apply_in_child(&one, step) && done;
		apply(&both);
		assert_is_uplink(50, true);
		apply(&one);
		assert_is_uplink(50, false);
		assert_false(is_attached(WEIR_PROGRAM_from_uplink, 50));
		assert_is_uplink(51, true);
		d = apply(&one);
		assert_delta(&d, "");
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(devices_with_a_default_route_or_an_address_are_found),
		TEST(a_default_route_with_several_hops_names_all_devices),
		TEST(the_bridge_of_a_pod_is_no_uplink),
		TEST(named_devices_are_taken_and_no_others),
		TEST(a_named_device_that_cannot_be_an_uplink_is_refused),
		TEST(uplinks_are_attached_by_tcx),
		TEST(uplinks_are_attached_by_clsact),
		TEST(another_kind_of_hook_replaces_the_one_before),
		TEST(a_device_that_is_no_uplink_any_more_is_detached),
		TEST(unknown_uplinks_stay_as_they_are),
		TEST(addresses_that_change_are_written),
		TEST(a_device_changes_sides_with_tcx),
		TEST(a_device_changes_sides_with_clsact),
		TEST(removing_the_instance_detaches_uplinks),
		TEST(an_apply_that_is_killed_is_completed_by_the_next),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!kernel_env_enter())
		return 0;
	node = kernel_node(NULL, NODE_PRIVATE);
	tcx = hook_tcx_works(node_prog_fd(node, WEIR_PROGRAM_from_pod));
	node_close(&node);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
