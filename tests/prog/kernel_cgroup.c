// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The programs of the node's own processes, at cgroups that this test makes: real calls of a
 * process in such a cgroup and in the node's network namespace are translated while the programs
 * are attached, whatever was attached before, and nobody else's. What a call sees that is refused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
#include <bpf/libbpf.h>

#include "attach/attach_cgroup.h"
#include "attach/remove.h"
#include "attach/stale_sockets.h"
#include "base/cgroup.h"
#include "base/file.h"
#include "base/mem.h"
#include "lib/kernel_env.h"
#include "sync/rebuild.h"

#define NAME "cgroup"
#define LINKS "/sys/fs/bpf/weir-" NAME "/links/cgroup-"
#define PROGRAMS 8
/* In place of an errno. */
#define BROKEN 200 /* the test's own process could not begin */
#define OTHER_PEER 201 /* getpeername() shows another one than the process named */

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
static char *cgroups[2]; /* one beside the other */
static int listeners[2]; /* by family */

/* ---- The node: a network namespace with two addresses, and cgroups ---- */

static void command(const char *text)
{
	if (system(text))
		fail_msg("failed: %s", text);
}

static int listen_at(int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(8080) };
	int fd = socket(family ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	inet_pton(AF_INET, "198.51.100.1", &v4.sin_addr);
	inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(
		bind(fd, family ? (void *)&v6 : (void *)&v4, family ? sizeof(v6) : sizeof(v4)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static int group_setup(void **state)
{
	static const char *const no_pods[KERNEL_PODS];
	_cleanup_(mem_free) char *root = cgroup_root();
	struct weir_err err = {};

	command("ip link set lo up && ip addr add 198.51.100.1/32 dev lo && ip addr add 2001:db8::1/128 dev lo nodad");
	for (int i = 0; i < 2; i++) {
		listeners[i] = listen_at(i);
		cgroups[i] = mem_printf("%s/weir-test-%d-%d", root, getpid(), i);
		if (file_mkdir(cgroups[i], 0755, &err))
			fail_msg("%s", err.text);
	}
	plan = kernel_plan(no_pods, objects, NULL);
	return 0;
}

/* A process that just ended may still be in its cgroup for a moment. */
static void remove_cgroup(const char *dir)
{
	for (int i = 0; i < 1000 && rmdir(dir) && errno == EBUSY; i++)
		usleep(1000);
}

static int group_teardown(void **state)
{
	for (int i = 0; i < 2; i++) {
		remove_cgroup(cgroups[i]);
		free(cgroups[i]);
		close(listeners[i]);
	}
	plan_free(&plan);
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

static void attach(struct node *n, int i)
{
	struct weir_err err = {};

	if (attach_cgroup(n, cgroups[i], &err))
		fail_msg("%s", err.text);
}

static size_t missing(const struct node *n, int i)
{
	const char *progs[_WEIR_PROGRAM_MAX];

	return attach_cgroup_missing(n, cgroups[i], progs);
}

/* ---- Calls of a process in a cgroup ---- */

struct call {
	int type; /* of the socket */
	const char *addr;
	uint16_t port;
	enum {
		CONNECT,
		DATAGRAM, /* sendto() */
	} how;
	bool elsewhere; /* from another network namespace */
};

static socklen_t address(const struct call *c, struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *v6 = (void *)sa;
	struct sockaddr_in *v4 = (void *)sa;

	memset(sa, 0, sizeof(*sa));
	v4->sin_family = strchr(c->addr, ':') ? AF_INET6 : AF_INET;
	v4->sin_port = htons(c->port);
	inet_pton(v4->sin_family, c->addr,
		  v4->sin_family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr);
	return v4->sin_family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

static int make_call(const struct call *c, int fd)
{
	struct sockaddr_storage sa, peer;
	socklen_t len = address(c, &sa), peer_len = sizeof(peer);

	if (c->how == DATAGRAM)
		return sendto(fd, "", 1, 0, (void *)&sa, len) < 0 ? errno : 0;
	if (connect(fd, (void *)&sa, len))
		return errno;
	memset(&peer, 0, sizeof(peer));
	return getpeername(fd, (void *)&peer, &peer_len) || memcmp(&sa, &peer, len) ? OTHER_PEER
										    : 0;
}

/* 0: the call was translated, and getpeername() names the frontend; or the error. */
static int call_in(int cgroup, const struct call *c)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd;

		if (cgroup_join(cgroups[cgroup], NULL) || (c->elsewhere && unshare(CLONE_NEWNET)))
			_exit(BROKEN);
		fd = socket(strchr(c->addr, ':') ? AF_INET6 : AF_INET, c->type, 0);
		_exit(make_call(c, fd));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const struct call calls[] = {
	{ SOCK_STREAM, "10.96.0.1", 80, CONNECT, false },
	{ SOCK_STREAM, "fd00:10:96::1", 80, CONNECT, false },
	{ SOCK_STREAM, "::ffff:10.96.0.1", 80, CONNECT, false },
	{ SOCK_DGRAM, "10.96.0.1", 53, CONNECT, false },
	{ SOCK_DGRAM, "fd00:10:96::1", 53, CONNECT, false },
	{ SOCK_DGRAM, "::ffff:10.96.0.1", 53, CONNECT, false },
	{ SOCK_DGRAM, "10.96.0.1", 53, DATAGRAM, false },
	{ SOCK_DGRAM, "fd00:10:96::1", 53, DATAGRAM, false },
	{ SOCK_DGRAM, "::ffff:10.96.0.1", 53, DATAGRAM, false },
};

/* Untranslated, no route leads to a cluster IP here. */
static void assert_served(int cgroup, bool served)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		int r = call_in(cgroup, &calls[i]);

		if (r != (served ? 0 : ENETUNREACH))
			fail_msg("%s port %d: %s", calls[i].addr, calls[i].port,
				 r == OTHER_PEER ? "getpeername shows another peer" : strerror(r));
	}
}

/* How many programs are at that hook of the cgroup. */
static uint32_t programs_at(int cgroup, enum bpf_attach_type type)
{
	_cleanup_(fd_close) int fd = open(cgroups[cgroup], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

static uint64_t counted(const struct node *n, uint32_t reason)
{
	struct weir_counter values[256];
	uint64_t sum = 0;

	assert_int_equal(bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_counters), &reason, values),
			 0);
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		sum += values[cpu].packets;
	return sum;
}

/* ---- Attached or not ---- */

static void svc_33_calls_are_translated_while_attached(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	struct weir_err err = {};

	assert_served(0, false);
	attach(n, 0);
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

	attach(n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct call c = calls[i];

		c.elsewhere = true;
		assert_int_not_equal(call_in(0, &c), 0);
	}
	assert_int_equal(counted(n, WEIR_SOCKET), 0);
}

static void attached_again_a_link_is_updated(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	uint32_t before;

	attach(n, 0);
	before = link_id("connect4");
	attach(n, 0);
	assert_int_equal(link_id("connect4"), before);
	assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 1);
	assert_served(0, true);
}

static void another_cgroup_takes_the_place_of_the_first(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	_cleanup_(mem_free) char *asked = NULL;

	attach(n, 0);
	attach(n, 1);
	asked = attach_cgroup_asked(n);
	assert_string_equal(asked, cgroups[1]);
	assert_served(0, false);
	assert_served(1, true);
	assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 0);
}

/* The folder has the same name, and is another cgroup. */
static void a_cgroup_that_was_made_anew_is_attached(void **state)
{
	_cleanup_(node_close) struct node *n = load();

	attach(n, 0);
	remove_cgroup(cgroups[0]);
	assert_int_equal(missing(n, 0), PROGRAMS);
	assert_int_equal(mkdir(cgroups[0], 0755), 0);
	assert_int_equal(missing(n, 0), PROGRAMS);
	attach(n, 0);
	assert_served(0, true);
}

static void a_lost_program_is_named_and_attached_again(void **state)
{
	_cleanup_(node_close) struct node *n = load();
	const char *progs[_WEIR_PROGRAM_MAX];

	attach(n, 0);
	assert_int_equal(unlink(LINKS "sendmsg4"), 0);
	assert_int_equal(attach_cgroup_missing(n, cgroups[0], progs), 1);
	assert_string_equal(progs[0], "sendmsg4");
	attach(n, 0);
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
	_cleanup_(fd_close) int fd = open(cgroups[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int prog = node_prog_fd(n, WEIR_PROGRAM_connect4);
	struct weir_err err = {};

	assert_int_equal(bpf_prog_attach(prog, fd, BPF_CGROUP_INET4_CONNECT, 0), 0);
	assert_int_equal(attach_cgroup(n, cgroups[0], &err), -EPERM);
	assert_non_null(strstr(err.text, "attach connect4 to cgroup"));
	assert_non_null(strstr(err.text, "excludes others"));
	assert_int_equal(bpf_prog_detach2(prog, fd, BPF_CGROUP_INET4_CONNECT), 0);
	attach(n, 0);
	assert_served(0, true);
}

static void an_uninstall_detaches(void **state)
{
	struct node *n = load();
	struct weir_err err = {};

	attach(n, 0);
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

	attach(n, 0);
	before = link_id("connect4");
	node_close(&n);
	n = open_next();
	apply(n, true);
	assert_served(0, true);
	assert_int_equal(missing(n, 0), PROGRAMS); /* those of the old set */
	attach(n, 0);
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

	attach(n, 0);
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
		assert_int_equal(call_in(0, &calls[0]), 0);
		n = load();
		assert_int_equal(call_in(0, &calls[0]), 0);
		attach(n, 0);
		assert_int_equal(missing(n, 0), 0);
		assert_int_equal(programs_at(0, BPF_CGROUP_INET4_CONNECT), 1);
		assert_int_equal(call_in(0, &calls[0]), 0);
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
	const struct call tcp = { SOCK_STREAM, r->addr, r->tcp, CONNECT, false };
	struct call udp = { SOCK_DGRAM, r->addr, r->udp, CONNECT, false };

	attach(n, 0);
	assert_int_equal(call_in(0, &tcp), r->tcp_error);
	assert_int_equal(call_in(0, &udp), r->udp_error);
	udp.how = DATAGRAM;
	assert_int_equal(call_in(0, &udp), r->udp_error);
	assert_int_equal(counted(n, r->reason), 3);
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

	attach(n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		call_in(0, &calls[i]);
	assert_int_equal(counted(n, WEIR_SOCKET), ARRAY_SIZE(calls));
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
	_cleanup_(mem_free) char *root = cgroup_root();

	if (!kernel_env_enter())
		return 0;
	if (!root) {
		printf("1..0 # SKIP needs cgroups of version 2\n");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
