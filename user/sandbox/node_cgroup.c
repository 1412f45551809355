// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See node_cgroup.h. Named as the sandbox's namespaces: weir-<name>. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/attach_cgroup.h"
#include "base/cgroup.h"
#include "base/file.h"
#include "base/mem.h"
#include "sandbox/node_cgroup.h"

#define EMPTY_TRIES 200 /* a process that ends leaves its cgroup a moment later: 1 ms each */
#define EMPTY_US 1000

/* NULL: no cgroup2 is mounted. */
static char *folder(const char *name)
{
	_cleanup_(mem_free) char *root = cgroup_root();

	return root ? mem_printf("%s/weir-%s", root, name) : NULL;
}

int node_cgroup_make(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *dir = folder(name);

	return dir ? file_mkdir(dir, 0755, err) : 0;
}

int node_cgroup_attach(const char *name, struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *dir = folder(name);

	if (!dir || node_no_sockets(n))
		return attach_cgroup_detach(n, ATTACH_CGROUP_NONE, err);
	return attach_cgroup(n, dir, err);
}

int node_cgroup_join(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *dir = folder(name);

	return dir && !access(dir, F_OK) ? cgroup_join(dir, err) : 0;
}

/* A process that `exec` started, and that still runs: it loses the network, not its life. */
static void move_out(const char *dir)
{
	_cleanup_(mem_free) char *root = cgroup_root();
	_cleanup_(mem_free) char *list = mem_printf("%s/cgroup.procs", dir),
				 *procs = mem_printf("%s/cgroup.procs", root);
	FILE *from = fopen(list, "re");
	int pid;

	while (from && fscanf(from, "%d", &pid) == 1) {
		FILE *to = fopen(procs, "we");

		if (!to)
			break;
		fprintf(to, "%d", pid);
		fclose(to); /* fails if it has ended meanwhile */
	}
	if (from)
		fclose(from);
}

int node_cgroup_remove(const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *dir = folder(name);

	for (int i = 0; dir && i < EMPTY_TRIES; i++) {
		if (!rmdir(dir) || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			break;
		move_out(dir);
		usleep(EMPTY_US);
	}
	return dir ? err_set(err, -errno, "remove cgroup %s: %s", dir, strerror(errno)) : 0;
}
