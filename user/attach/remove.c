// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Removes an instance: hooks first, then pins, then the run folder. Works on incomplete instances,
 * and on maps of another layout: it opens only the map of devices. The first pin is config's:
 * without it nothing is loaded, so a load after a kill starts again (kernel/maps.c).
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/instance.h"
#include "base/mem.h"
#include "base/netns.h"
#include "attach/attach.h"
#include "attach/attach_netns.h"
#include "attach/remove.h"
#include "kernel/lock.h"

#define OPEN_FOLDERS 8

void (*node_remove_hook)(const char *path);

static int remove_path(const char *path)
{
	if (node_remove_hook)
		node_remove_hook(path);
	return remove(path) && errno != ENOENT ? -errno : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove_path(path);
}

static int remove_tree(const char *path,
		       int (*fn)(const char *, const struct stat *, int, struct FTW *),
		       struct weir_err *err)
{
	if (nftw(path, fn, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) && errno != ENOENT)
		return err_set(err, -errno, "remove %s: %s", path, strerror(errno));
	return 0;
}

static int remove_pins(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *config = mem_printf("%s/maps/config", node_pin_dir(n));

	remove_path(config);
	return remove_tree(node_pin_dir(n), remove_one, err);
}

static int remove_but_lock(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	bool lock = ftw->level == 1 && !strcmp(path + ftw->base, "lock");

	return lock || !ftw->level ? 0 : remove_path(path);
}

/* The lock last: without it, a writer that waits goes on in the same folder. */
static int remove_run_dir(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *lock = mem_printf("%s/lock", node_run_dir(n));
	int r = remove_tree(node_run_dir(n), remove_but_lock, err);

	if (r)
		return r;
	r = remove_path(lock);
	if (!r)
		r = remove_path(node_run_dir(n));
	if (r && r != -ENOTEMPTY)
		return err_set(err, r, "remove %s: %s", node_run_dir(n), strerror(-r));
	return 0;
}

/*
 * A pinned link works in any network namespace. An error is ignored: removing the pin detaches,
 * too.
 */
static void detach_pinned(uint32_t ifindex, void *arg)
{
	attach_detach_pinned(arg, ifindex);
}

/*
 * clsact filters have no pins: the devices come from the map of attachments. An ifindex is valid
 * only in the attach namespace; if that is out of reach, nothing is detached here.
 */
static int detach_all(struct node *n, struct weir_err *err)
{
	char path[INSTANCE_PATH_MAX + 32];
	_cleanup_(fd_close) int fd = -1;
	_cleanup_(netns_leave) int back = -1;
	uint32_t ifindex, next;
	int r = 0;

	if (attach_netns_enter(n, &back) == ATTACH_NETNS_UNKNOWN)
		return 0;
	snprintf(path, sizeof(path), "%s/maps/attachments", node_pin_dir(n));
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
	_cleanup_(node_close) struct node *n = NULL;
	_cleanup_(fd_close) int lock = -1;
	int r = node_open_bare(name, &n, err);

	if (r)
		return r;
	while (!access(node_run_dir(n), F_OK) && lock < 0) {
		lock = lock_take(node_run_dir(n), err);
		if (lock < 0 && lock != -ENOENT) /* another `uninstall` was faster */
			return lock;
	}
	r = detach_all(n, err);
	attach_each_pinned(n, detach_pinned, n);
	if (!r)
		r = remove_pins(n, err);
	return r ? r : remove_run_dir(n, err);
}
