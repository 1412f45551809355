// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N025, N026: the programs at the cgroup of the node's own processes. See device.h. */
#include <string.h>

#include "attach/attach_cgroup.h"
#include "attach/stale_sockets.h"
#include "base/cgroup.h"
#include "base/mem.h"
#include "doctor/device.h"

/* Nothing was ever attached: why not? */
static void not_attached(const struct node *n, struct findings *f)
{
	struct finding *found = finding_add(f, FINDING_N025, SEVERITY_WARNING);
	_cleanup_(mem_free) char *root = cgroup_root();

	found->text =
		"processes of this node, and pods of its network, do not reach Services: no program is attached for them";
	if (node_no_sockets(n))
		found->evidence = arena_strdup(&f->arena, node_no_sockets(n));
	else
		found->evidence = root ? "no cgroup was attached to"
				       : "no cgroup hierarchy of version 2 is mounted";
	found->fix =
		"mount -t cgroup2 none DIR; weir load -f MANIFESTS --node NODE --cgroup DIR; or --cgroup none, if they are served otherwise";
}

static void lost(struct findings *f, const char *dir, const char *prog)
{
	struct finding *found = finding_add(f, FINDING_N025, SEVERITY_ERROR);

	found->text = arena_printf(
		&f->arena,
		"%s is not attached to cgroup %s: calls of processes of this node are not translated to a backend, or not back",
		prog, dir);
	found->evidence = arena_printf(
		&f->arena, "no pinned link of the loaded %s has the cgroup that is %s", prog, dir);
	found->fix = "weir load -f MANIFESTS --node NODE";
}

void check_processes(const struct node *n, struct findings *f)
{
	_cleanup_(mem_free) char *dir = attach_cgroup_asked(n);
	const char *missing[_WEIR_PROGRAM_MAX];
	struct finding *found;
	struct weir_err err = {};

	if (!dir)
		not_attached(n, f);
	if (!dir || !strcmp(dir, ATTACH_CGROUP_NONE))
		return;
	for (size_t i = attach_cgroup_missing(n, dir, missing); i; i--)
		lost(f, dir, missing[i - 1]);
	if (!stale_sockets_check(n, &err))
		return;
	found = finding_add(f, FINDING_N026, SEVERITY_WARNING);
	found->text =
		"a connected UDP socket of this node keeps its backend when that is removed, until its process makes another socket";
	found->evidence = arena_strdup(&f->arena, err.text);
	found->fix = "a kernel with BTF and CONFIG_INET_DIAG_DESTROY";
}
