// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Takes an instance off the node: hooks first, then pins, then the run folder.
 * Works on half-made ones, and on maps of another layout: it opens no map but
 * the list of devices.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "base/netns.h"
#include "attach/home.h"
#include "attach/hooks.h"
#include "kernel/lock.h"

#define OPEN_FOLDERS 8

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) && errno != ENOENT ? -errno : 0;
}

static int remove_tree(const char *path, struct weir_err *err)
{
	if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) && errno != ENOENT)
		return err_set(err, -errno, "remove %s: %s", path, strerror(errno));
	return 0;
}

/* Through the pin: a link is of its device, wherever that is. What fails here goes with its pin. */
static void detach_pinned(uint32_t ifindex, void *arg)
{
	attach_detach_pinned(arg, ifindex);
}

/*
 * Devices that the datapath was attached to; clsact filters have no pin that would tell. They are found by number: never
 * in another namespace than the one where the numbers were given.
 */
static int detach_all(struct node *n, struct weir_err *err)
{
	char path[NODE_PATH_MAX + 32];
	_cleanup_(fd_close) int fd = -1;
	_cleanup_(netns_leave) int back = -1;
	uint32_t ifindex, next;
	int r = 0;

	if (home_enter(n, &back) == HOME_UNKNOWN)
		return 0;
	snprintf(path, sizeof(path), "%s/maps/attachments", n->pin_dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	for (void *key = NULL; !r && !bpf_map_get_next_key(fd, key, &next); key = &ifindex) {
		ifindex = next;
		r = attach_detach(n, ifindex, err);
	}
	return r;
}

int node_remove(const char *name, struct weir_err *err)
{
	struct node n = {};
	_cleanup_(fd_close) int lock = -1;
	int r = node_paths(name, n.pin_dir, n.run_dir, err);

	if (r)
		return r;
	if (!access(n.run_dir, F_OK)) {
		lock = lock_take(n.run_dir, err);
		if (lock < 0)
			return lock;
	}
	r = detach_all(&n, err);
	hook_tcx_each(&n, detach_pinned, &n);
	if (!r)
		r = remove_tree(n.pin_dir, err);
	return r ? r : remove_tree(n.run_dir, err);
}
