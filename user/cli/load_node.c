// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See load_node.h. */
#include <string.h>

#include "attach/attach_cgroup.h"
#include "attach/stale_sockets.h"
#include "base/cgroup.h"
#include "base/mem.h"
#include "cli/load_node.h"

static void warn_of_stale(const struct node *n)
{
	struct weir_err err = {};

	if (stale_sockets_check(n, &err))
		cli_warn(
			"a connected UDP socket of this node keeps a backend that is removed, until its process makes "
			"another: %s",
			err.text);
}

/* In a cgroup namespace, as of a container, other processes of the node are out of reach. */
static void warn_of_part(const char *dir)
{
	uint64_t id;

	if (!cgroup_id(dir, &id, NULL) && !cgroup_is_root(id))
		cli_warn(
			"%s is not the root of all cgroups: processes of this node outside of it do not reach Services; "
			"run weir in the node's cgroup namespace, or give --cgroup",
			dir);
}

static int attach_root(struct node *n)
{
	_cleanup_(mem_free) char *dir = cgroup_root();
	struct weir_err err = {};

	if (!dir)
		cli_warn(
			"the node's own processes do not reach Services: no cgroup hierarchy of version 2 is mounted");
	else if (attach_cgroup(n, dir, &err))
		cli_warn("the node's own processes do not reach Services: %s", err.text);
	else
		warn_of_part(dir);
	return EXIT_OK;
}

static int attach_named(struct node *n, const char *dir)
{
	struct weir_err err = {};

	if (attach_cgroup(n, dir, &err))
		return cli_fail(
			EXIT_KERNEL,
			"%s; the node's own processes do not reach Services, all else is loaded",
			err.text);
	return EXIT_OK;
}

int load_check_cgroup(const struct settings *s)
{
	struct weir_err err = {};
	uint64_t id;
	int r = *s->cgroup == '/' ? cgroup_id(s->cgroup, &id, &err) : 0;

	return r ? cli_fail_err(r, &err) : EXIT_OK;
}

int load_node_processes(const struct settings *s, struct node *n)
{
	struct weir_err err = {};
	int r;

	if (!strcmp(s->cgroup, SETTING_CGROUP_NONE)) {
		r = attach_cgroup_detach(n, ATTACH_CGROUP_NONE, &err);
		return r ? cli_fail_err(r, &err) : EXIT_OK;
	}
	r = strcmp(s->cgroup, SETTING_CGROUP_ROOT) ? attach_named(n, s->cgroup) : attach_root(n);
	if (!r)
		warn_of_stale(n);
	return r;
}
