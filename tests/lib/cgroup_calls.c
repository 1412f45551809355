// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See cgroup_calls.h. */
#include <arpa/inet.h>
#include <errno.h>
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

#include "attach/attach_cgroup.h"
#include "base/cgroup.h"
#include "base/file.h"
#include "base/mem.h"
#include "lib/cgroup_calls.h"

static char *cgroups[2];
static int listeners[2]; /* by family */

bool calls_possible(void)
{
	_cleanup_(mem_free) char *root = cgroup_root();

	if (!root)
		printf("1..0 # SKIP needs cgroups of version 2\n");
	return root;
}

const char *calls_cgroup(int i)
{
	return cgroups[i];
}

/* ---- The node ---- */

static socklen_t address(const char *text, uint16_t port, struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *v6 = (void *)sa;
	struct sockaddr_in *v4 = (void *)sa;

	memset(sa, 0, sizeof(*sa));
	v4->sin_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	v4->sin_port = htons(port);
	inet_pton(v4->sin_family, text,
		  v4->sin_family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr);
	return v4->sin_family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

static int listen_at(const char *addr)
{
	struct sockaddr_storage sa;
	socklen_t len = address(addr, CALLS_PORT, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (void *)&sa, len), 0);
	assert_int_equal(listen(fd, 256), 0);
	return fd;
}

void calls_begin(void)
{
	_cleanup_(mem_free) char *root = cgroup_root();
	struct weir_err err = {};

	if (system("ip link set lo up && ip addr add " CALLS_NODE_V4
		   "/32 dev lo && ip addr add " CALLS_OTHER_V4
		   "/32 dev lo && ip addr add " CALLS_NODE_V6 "/128 dev lo nodad"))
		fail_msg("no addresses");
	listeners[0] = listen_at(CALLS_NODE_V4);
	listeners[1] = listen_at(CALLS_NODE_V6);
	for (int i = 0; i < 2; i++) {
		cgroups[i] = mem_printf("%s/weir-test-%d-%d", root, getpid(), i);
		if (file_mkdir(cgroups[i], 0755, &err))
			fail_msg("%s", err.text);
	}
}

/* A process that just ended may still be in its cgroup for a moment. */
void calls_remove_cgroup(const char *dir)
{
	for (int i = 0; i < 1000 && rmdir(dir) && errno == EBUSY; i++)
		usleep(1000);
}

void calls_end(void)
{
	for (int i = 0; i < 2; i++) {
		calls_remove_cgroup(cgroups[i]);
		mem_free(&cgroups[i]);
		close(listeners[i]);
	}
}

void calls_attach(struct node *n, int i)
{
	struct weir_err err = {};

	if (attach_cgroup(n, cgroups[i], &err))
		fail_msg("%s", err.text);
}

/* ---- A call ---- */

static int make_call(const struct call *c, int fd)
{
	struct sockaddr_storage sa, peer = {}, own;
	socklen_t len = address(c->addr, c->port, &sa), peer_len = sizeof(peer);

	if (c->bind && bind(fd, (void *)&own, address(c->bind, 0, &own)))
		return CALL_BROKEN;
	if (c->how == CALL_DATAGRAM)
		return sendto(fd, "", 1, 0, (void *)&sa, len) < 0 ? errno : 0;
	if (connect(fd, (void *)&sa, len))
		return errno;
	return getpeername(fd, (void *)&peer, &peer_len) || memcmp(&sa, &peer, len)
		       ? CALL_OTHER_PEER
		       : 0;
}

int call_of(int cgroup, const struct call *c)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd;

		if (cgroup_join(cgroups[cgroup], NULL) || (c->elsewhere && unshare(CLONE_NEWNET)))
			_exit(CALL_BROKEN);
		fd = socket(strchr(c->addr, ':') ? AF_INET6 : AF_INET, c->type, 0);
		_exit(make_call(c, fd));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

uint64_t calls_counted(const struct node *n, uint32_t reason)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(mem_free) struct weir_counter *values = mem_zalloc(cpus * sizeof(*values));
	uint64_t sum = 0;

	assert_int_equal(bpf_map_lookup_elem(node_map_fd(n, WEIR_MAP_counters), &reason, values),
			 0);
	for (int cpu = 0; cpu < cpus; cpu++)
		sum += values[cpu].packets;
	return sum;
}
