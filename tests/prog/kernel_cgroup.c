// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs of the node's own processes, at cgroups that this test makes: real calls of a
 * process in such a cgroup and in the node's network namespace are translated while the programs
 * are attached, whatever was attached before, and nobody else's. What a call sees that is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "attach/attach_cgroup.h"
#include "attach/remove.h"
#include "attach/stale_sockets.h"
#include "base/mem.h"
#include "lib/cgroup_calls.h"
#include "lib/kernel_env.h"
#include "sync/rebuild.h"

#define NAME "cgroup"
#define LINKS "/sys/fs/bpf/weir-" NAME "/links/cgroup-"
#define PROGRAMS 8

/* Endpoints: this node; none; another node, of a Service with internalTrafficPolicy Local. */
static const char objects[] =
	"apiVersion: v1\nkind: Service\nmetadata: {name: here}\nspec: {clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "
	"'fd00:10:96::1'], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: RequireDualStack, ports: [{name: t, port: 80}, "
	"{name: u, port: 53, protocol: UDP}]}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: here-4, labels: "
	"{kubernetes.io/service-name: here}}\nendpoints: [{addresses: [198.51.100.1]}]\n"
	"ports: [{name: t, port: 8080}, {name: u, port: 5353, protocol: UDP}]\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv6\nmetadata: {name: here-6, labels: "
	"{kubernetes.io/service-name: here}}\nendpoints: [{addresses: ['2001:db8::1']}]\n"
	"ports: [{name: t, port: 8080}, {name: u, port: 5353, protocol: UDP}]\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: none}\nspec: {clusterIP: 10.96.0.2, ports: "
	"[{name: t, port: 80}, {name: u, port: 53, protocol: UDP}]}\n"
	"---\napiVersion: v1\nkind: Service\nmetadata: {name: away}\nspec: {clusterIP: 10.96.0.3, internalTrafficPolicy: "
	"Local, ports: [{name: t, port: 80}, {name: u, port: 53, protocol: UDP}]}\n"
	"---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\nmetadata: {name: away-4, labels: "
	"{kubernetes.io/service-name: away}}\nendpoints: [{addresses: [198.51.100.9], nodeName: n2}]\n"
	"ports: [{name: t, port: 8080}, {name: u, port: 5353, protocol: UDP}]\n";

static struct plan *plan;

static int group_setup(void **state)
{
	static const char *const no_pods[KERNEL_PODS];

	calls_begin();
	plan = kernel_plan(no_pods, objects, NULL);
	return 0;
}

static int group_teardown(void **state)
{
	plan_free(&plan);
	calls_end();
	return 0;
}

static int teardown(void **state)
{
	struct weir_err err;

	sync_step_hook = NULL;
	return node_remove(NAME, &err);
}

static void apply(struct node *n, bool rebuild)
{
	const struct attachment_list none = {};
	struct sync_delta d = {};
	struct weir_err err = {};
	int r = rebuild ? rebuild_apply(n, plan, &none, 0, &d, &err)
			: sync_apply(n, plan, &none, 0, &d, &err);

	if (r)
		fail_msg("%s", err.text);
}

static struct node *load(void)
{
	struct node *n = kernel_node(NAME, NODE_WRITE);

	apply(n, false);
	return n;
}

static size_t missing(const struct node *n, int i)
{
	const char *progs[_WEIR_PROGRAM_MAX];

	return attach_cgroup_missing(n, calls_cgroup(i), progs);
}

static const struct call calls[] = {
	{ SOCK_STREAM, "10.96.0.1", 80, .how = CALL_CONNECT },
	{ SOCK_STREAM, "fd00:10:96::1", 80, .how = CALL_CONNECT },
	{ SOCK_STREAM, "::ffff:10.96.0.1", 80, .how = CALL_CONNECT },
	{ SOCK_DGRAM, "10.96.0.1", 53, .how = CALL_CONNECT },
	{ SOCK_DGRAM, "fd00:10:96::1", 53, .how = CALL_CONNECT },
	{ SOCK_DGRAM, "::ffff:10.96.0.1", 53, .how = CALL_CONNECT },
	{ SOCK_DGRAM, "10.96.0.1", 53, .how = CALL_DATAGRAM },
	{ SOCK_DGRAM, "fd00:10:96::1", 53, .how = CALL_DATAGRAM },
	{ SOCK_DGRAM, "::ffff:10.96.0.1", 53, .how = CALL_DATAGRAM },
};

/* Untranslated, no route leads to a cluster IP here. */
static void assert_served(int cgroup, bool served)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int r = call_of(cgroup, &calls[i]);

		if (r != (served ? 0 : ENETUNREACH))
			fail_msg("%s port %d: %s", calls[i].addr, calls[i].port,
				 r == CALL_OTHER_PEER ? "getpeername shows another peer"
						      : strerror(r));
	}
}

/* How many programs are at that hook of the cgroup. */
static uint32_t programs_at(int cgroup, enum bpf_attach_type type)
{
	_cleanup_(fd_close) int fd = open(calls_cgroup(cgroup), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t ids[8], n = ARRAY_SIZE(ids);

	return bpf_prog_query(fd, type, 0, NULL, ids, &n) ? UINT32_MAX : n;
}

static uint32_t link_id(const char *prog)
{
	_cleanup_(mem_free) char *path = mem_printf(LINKS "%s", prog);
	_cleanup_(fd_close) int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	assert_true(fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len));
	return info.id;
}

/* ---- Attached or not ---- */

static void svc_33_calls_are_translated_while_attached(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	struct weir_err err = {};

	assert_served(0, false);
	calls_attach(n, 0);
	assert_int_equal(missing(n, 0), 0);
	assert_served(0, true);
	assert_served(1, false);
	assert_int_equal(attach_cgroup_detach(n, ATTACH_CGROUP_NONE, &err), 0);
	assert_int_equal(missing(n, 0), PROGRAMS);
	assert_served(0, false);
}

/* A pod's process is below the same root, in another network namespace. */
static void svc_33_another_network_namespace_is_not_served(void **state)
{
	_cleanup_(node_close) struct node *n = load();

	calls_attach(n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct call c = calls[i];

		c.elsewhere = true;
		assert_int_not_equal(call_of(0, &c), 0);
	}
	assert_int_equal(calls_counted(n, WEIR_SOCKET), 0);
}

static void attached_again_a_link_is_updated(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	uint32_t before;

	calls_attach(n, 0);
	before = link_id("connect4");
	calls_attach(n, 0);
	assert_int_equal(link_id("connect4"), before);
	assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 1);
	assert_served(0, true);
}

static void another_cgroup_takes_the_place_of_the_first(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	_cleanup_(mem_free) char *asked = NULL;

	calls_attach(n, 0);
	calls_attach(n, 1);
	asked = attach_cgroup_asked(n);
	assert_string_equal(asked, calls_cgroup(1));
	assert_served(0, false);
	assert_served(1, true);
	assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 0);
}

/* The folder has the same name, and is another cgroup. */
static void a_cgroup_that_was_made_anew_is_attached(void **state)
{
	_cleanup_(node_close) struct node *n = load();

	calls_attach(n, 0);
	calls_remove_cgroup(calls_cgroup(0));
	assert_int_equal(missing(n, 0), PROGRAMS);
	assert_int_equal(mkdir(calls_cgroup(0), 0755), 0);
	assert_int_equal(missing(n, 0), PROGRAMS);
	calls_attach(n, 0);
	assert_served(0, true);
}

static void a_lost_program_is_named_and_attached_again(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	const char *progs[_WEIR_PROGRAM_MAX];

	calls_attach(n, 0);
	assert_int_equal(unlink(LINKS "sendmsg4"), 0);
	assert_int_equal(attach_cgroup_missing(n, calls_cgroup(0), progs), 1);
	assert_string_equal(progs[0], "sendmsg4");
	calls_attach(n, 0);
	assert_served(0, true);
}

static void what_is_no_cgroup_is_refused(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	_cleanup_(mem_free) char *asked = NULL;
	struct weir_err err = {};

	assert_int_equal(attach_cgroup(n, "/run", &err), -EINVAL);
	assert_string_equal(err.text, "/run is not a cgroup of version 2");
	assert_int_equal(attach_cgroup(n, "/run/missing", &err), -ENOENT);
	asked = attach_cgroup_asked(n);
	assert_null(asked);
}

static void a_program_that_excludes_others_is_an_error(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	_cleanup_(fd_close) int fd = open(calls_cgroup(0), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int prog = node_prog_fd(n, WEIR_PROGRAM_connect4);
	struct weir_err err = {};

	assert_int_equal(bpf_prog_attach(prog, fd, BPF_CGROUP_INET4_CONNECT, 0), 0);
	assert_int_equal(attach_cgroup(n, calls_cgroup(0), &err), -EPERM);
	assert_non_null(strstr(err.text, "attach connect4 to cgroup"));
	assert_non_null(strstr(err.text, "excludes others"));
	assert_int_equal(bpf_prog_detach2(prog, fd, BPF_CGROUP_INET4_CONNECT), 0);
	calls_attach(n, 0);
	assert_served(0, true);
}

static void an_uninstall_detaches(void **state)
{
	struct node *n = load();
	struct weir_err err = {};

	calls_attach(n, 0);
	node_close(&n);
	assert_served(0, true); /* no process is needed */
	if (node_remove(NAME, &err))
		fail_msg("%s", err.text);
	assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 0);
	assert_served(0, false);
}

/* ---- Rebuild and kill ---- */

static struct node *open_next(void)
{
	struct node_setup setup = kernel_sizes;
	struct node *n = NULL;
	struct weir_err err = {};

	if (node_open_next(NAME, &setup, &n, &err))
		fail_msg("%s", err.text);
	return n;
}

/* As `load --rebuild`: the programs are replaced after the tables are in place. */
static void a_rebuild_updates_the_links(void **state)
{
	struct node *n = load();
	uint32_t before;

	calls_attach(n, 0);
	before = link_id("connect4");
	node_close(&n);
	n = open_next();
	apply(n, true);
	assert_served(0, true);
	assert_int_equal(missing(n, 0), PROGRAMS); /* those of the old set */
	calls_attach(n, 0);
	assert_int_equal(missing(n, 0), 0);
	assert_int_equal(link_id("connect4"), before);
	assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 1);
	assert_served(0, true);
	node_close(&n);
}

static int steps, kill_at;

static void count_step(const char *step)
{
	steps++;
}

static void kill_at_step(const char *step)
{
	if (steps++ == kill_at)
		raise(SIGKILL);
}

static bool killed_rebuild(int at)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct node *n;

		steps = 0;
		kill_at = at;
		n = open_next();
		sync_step_hook = kill_at_step;
		apply(n, true);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void a_kill_at_any_step_of_a_rebuild_leaves_the_calls_served(void **state)
{
	struct node *n = load();
	int all;

	calls_attach(n, 0);
	node_close(&n);
	sync_step_hook = count_step;
	n = open_next();
	apply(n, true);
	node_close(&n);
	sync_step_hook = NULL;
	all = steps;
	assert_true(all > 10);
	for (int at = 0; at < all; at += 3) {
		assert_true(killed_rebuild(at));
		assert_int_equal(call_of(0, &calls[0]), 0);
		n = load();
		assert_int_equal(call_of(0, &calls[0]), 0);
		calls_attach(n, 0);
		assert_int_equal(missing(n, 0), 0);
		assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 1);
		assert_int_equal(call_of(0, &calls[0]), 0);
		node_close(&n);
	}
}

/* ---- Calls that are refused ---- */

struct refused {
	const char *addr;
	uint16_t tcp, udp; /* ports */
	int tcp_error, udp_error;
	enum weir_reason reason;
};

static void assert_refused(const struct refused *r)
{
	_cleanup_(node_close) struct node *n = load();
	const struct call tcp = { SOCK_STREAM, r->addr, r->tcp, .how = CALL_CONNECT };
	struct call udp = { SOCK_DGRAM, r->addr, r->udp, .how = CALL_CONNECT };

	calls_attach(n, 0);
	assert_int_equal(call_of(0, &tcp), r->tcp_error);
	assert_int_equal(call_of(0, &udp), r->udp_error);
	udp.how = CALL_DATAGRAM;
	assert_int_equal(call_of(0, &udp), r->udp_error);
	assert_int_equal(calls_counted(n, r->reason), 3);
}

static void svc_60_svc_67_no_endpoint_refuses_the_call(void **state)
{
	assert_refused(&(struct refused){ "10.96.0.2", 80, 53, ECONNREFUSED, ECONNREFUSED,
					  WEIR_NO_ENDPOINT });
}

static void svc_61_svc_34_no_local_endpoint_fails_the_call(void **state)
{
	assert_refused(
		&(struct refused){ "10.96.0.3", 80, 53, ETIMEDOUT, EPERM, WEIR_NO_LOCAL_ENDPOINT });
}

static void svc_64_an_undefined_port_refuses_the_call(void **state)
{
	assert_refused(&(struct refused){ "10.96.0.1", 81, 54, ECONNREFUSED, ECONNREFUSED,
					  WEIR_NO_SERVICE_PORT });
}

static void translated_calls_are_counted(void **state)
{
	_cleanup_(node_close) struct node *n = load();

	calls_attach(n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		call_of(0, &calls[i]);
	assert_int_equal(calls_counted(n, WEIR_SOCKET), ARRAY_SIZE(calls));
}

static void this_kernel_ends_stale_sockets(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	unsigned int ended = 1;
	struct weir_err err = {};

	if (stale_sockets_check(n, &err))
		fail_msg("%s", err.text);
	if (stale_sockets_end(n, &ended, &err))
		fail_msg("%s", err.text);
	assert_int_equal(ended, 0);
}

#define test(fn) cmocka_unit_test_teardown(fn, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(svc_33_calls_are_translated_while_attached),
		test(svc_33_another_network_namespace_is_not_served),
		test(attached_again_a_link_is_updated),
		test(another_cgroup_takes_the_place_of_the_first),
		test(a_cgroup_that_was_made_anew_is_attached),
		test(a_lost_program_is_named_and_attached_again),
		test(what_is_no_cgroup_is_refused),
		test(a_program_that_excludes_others_is_an_error),
		test(an_uninstall_detaches),
		test(a_rebuild_updates_the_links),
		test(a_kill_at_any_step_of_a_rebuild_leaves_the_calls_served),
		test(svc_60_svc_67_no_endpoint_refuses_the_call),
		test(svc_61_svc_34_no_local_endpoint_fails_the_call),
		test(svc_64_an_undefined_port_refuses_the_call),
		test(translated_calls_are_counted),
		test(this_kernel_ends_stale_sockets),
	};
	if (!kernel_env_enter() || !calls_possible())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
