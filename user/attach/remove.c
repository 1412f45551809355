// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Removes an instance: hooks first, then pins, then the run folder without the records. Works on
 * incomplete instances, and on maps of another layout: it opens only the maps of devices. The first
 * pin is config's: without it nothing is loaded, so a load after a kill starts again
 * (kernel/maps.c). What fails does not stop the rest.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/file.h"
#include "base/instance.h"
#include "base/mem.h"
#include "base/netns.h"
#include "attach/attach.h"
#include "attach/attach_cgroup.h"
#include "attach/attach_netns.h"
#include "attach/remove.h"
#include "kernel/lock.h"

#define LOCK_TRIES 100 /* each but the last met another `uninstall` */

void (*node_remove_hook)(const char *path);

/* The first error counts; each step is tried. */
static void note(int *first, int r)
{
	if (r && !*first)
		*first = r;
}

static int remove_path(const char *path)
{
	if (node_remove_hook)
		node_remove_hook(path);
	return remove(path) && errno != ENOENT ? -errno : 0;
}

static int remove_pins(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *config = mem_printf("%s/maps/config", node_pin_dir(n));

	remove_path(config);
	return file_remove_tree(node_pin_dir(n), node_remove_hook, err);
}

/* ---- The run folder ---- */

/* Files that Weir writes. Records, and whatever else is there, belong to their writers. */
static bool is_own(const char *entry)
{
	static const char *const names[] = { "observe.lock", INSTANCE_MARK, INSTANCE_PODS,
					     INSTANCE_SETTINGS };

	for (size_t i = 0; i < _INSTANCE_FILE_MAX; i++)
		if (!strncmp(entry, instance_file_prefix[i], strlen(instance_file_prefix[i])))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(entry, names[i]))
			return true;
	return false;
}

/* A folder with records in it stays. The lock is last: without it, a waiting writer goes on. */
static int remove_run_dir(const struct node *n, struct weir_err *err)
{
	DIR *d = opendir(node_run_dir(n));
	int first = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		_cleanup_(mem_free) char *path = mem_printf("%s/%s", node_run_dir(n), e->d_name);
		int r = is_own(e->d_name) ? remove_path(path) : 0;

		if (r && r != -ENOTEMPTY)
			note(&first,
			     err_set(first ? NULL : err, r, "remove %s: %s", path, strerror(-r)));
	}
	if (d)
		closedir(d);
	return first;
}

static int remove_lock(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *lock = mem_printf("%s/lock", node_run_dir(n));
	int r = remove_path(lock);

	if (!r)
		r = remove_path(node_run_dir(n));
	return r && r != -ENOTEMPTY
		       ? err_set(err, r, "remove %s: %s", node_run_dir(n), strerror(-r))
		       : 0;
}

/* ---- Hooks ---- */

/*
 * A pinned link works in any network namespace. An error is ignored: removing the pin detaches,
 * too.
 */
static void detach_pinned(uint32_t ifindex, void *arg)
{
	attach_detach_pinned(arg, ifindex);
}

/* From the devices that are the keys of a map. */
static int detach_filters_of(struct node *n, enum weir_map map, struct weir_err *err)
{
	char path[INSTANCE_PATH_MAX + 32];
	_cleanup_(fd_close) int fd = -1;
	uint32_t ifindex, next;
	int first = 0;

	snprintf(path, sizeof(path), "%s/maps/%s", node_pin_dir(n), map_info(map)->name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	for (void *key = NULL; !bpf_map_get_next_key(fd, key, &next); key = &ifindex) {
		ifindex = next;
		note(&first, attach_detach(n, ifindex, first ? NULL : err));
	}
	return first;
}

/*
 * clsact filters have no pins: the devices come from the maps. An ifindex is valid only in the
 * attach namespace; if nothing holds that any more, neither are its devices.
 */
static int detach_filters(struct node *n, struct weir_err *err)
{
	_cleanup_(netns_leave) int back = -1;
	int first = 0;

	if (attach_netns_enter(n, &back) == ATTACH_NETNS_UNKNOWN)
		return 0;
	note(&first, detach_filters_of(n, WEIR_MAP_attachments, err));
	note(&first, detach_filters_of(n, WEIR_MAP_uplinks, first ? NULL : err));
	return first;
}

/* Hooks first, then pins. */
static int remove_place(struct node *n, struct weir_err *err)
{
	int first = detach_filters(n, err);

	attach_each_pinned(n, detach_pinned, n);
	note(&first, attach_cgroup_detach(n, NULL, first ? NULL : err));
	note(&first, remove_pins(n, first ? NULL : err));
	return first;
}

/*
 * A rebuild that was killed leaves a set in the next place, which may be attached. config goes
 * first, so that what a kill leaves is not taken for a loaded set.
 */
static int remove_places(struct node *n, const char *name, struct weir_err *err)
{
	_cleanup_(node_close) struct node *next = NULL;
	int first = 0;

	if (!node_open_bare_next(name, &next, NULL) && !access(node_pin_dir(next), F_OK))
		first = remove_place(next, err);
	note(&first, remove_place(n, first ? NULL : err));
	return first;
}

/*
 * Waits for another writer. Where no lock file can be made, as on a full file system, there is no
 * other writer: one would have it.
 */
static int lock_instance(const struct node *n, struct weir_err *err)
{
	int tries = LOCK_TRIES, r;

	do {
		r = file_mkdir(node_run_dir(n), INSTANCE_RUN_MODE, err);
		if (!r)
			r = lock_take(node_run_dir(n), err);
	} while (r == -ENOENT && --tries);
	return r == -ENOSPC || r == -EDQUOT || r == -EROFS ? -ENOLCK : r;
}

int node_remove(const char *name, struct weir_err *err)
{
	_cleanup_(node_close) struct node *n = NULL;
	_cleanup_(fd_close) int lock = -1;
	int r = node_open_bare(name, &n, err), first = 0;

	if (r)
		return r;
	lock = lock_instance(n, err);
	if (lock < 0 && lock != -ENOLCK)
		return lock;
	r = node_check_place(n, err);
	if (r)
		return r;
	note(&first, remove_places(n, name, err));
	note(&first, remove_run_dir(n, first ? NULL : err));
	note(&first, remove_lock(n, first ? NULL : err));
	return first;
}
