// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See place.h. A map's id is not used again before the next boot, which empties /run. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/impl.h"
#include "kernel/place.h"

#define NAMESPACE_MAX 64

/* The id of the map that is pinned there; 0: none. */
static uint32_t pinned_id(const char *path)
{
	_cleanup_(fd_close) int fd = bpf_obj_get(path);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

static char *mark_path(const struct node *n)
{
	return mem_printf("%s/" INSTANCE_MARK, n->run_dir);
}

static uint32_t marked_id(const struct node *n)
{
	_cleanup_(mem_free) char *path = mark_path(n), *text = file_text(path);

	return text ? strtoul(text, NULL, 10) : 0;
}

int place_mark(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = mark_path(n), *text = NULL;
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(n->map_fd[WEIR_MAP_config], &info, &len))
		return err_set(err, -errno, "map config: %s", strerror(errno));
	if (marked_id(n) == info.id)
		return 0;
	text = mem_printf("%u\n", info.id);
	return file_write(path, INSTANCE_FILE_MODE, text, strlen(text), err);
}

static bool map_is_alive(uint32_t id)
{
	_cleanup_(fd_close) int fd = bpf_map_get_fd_by_id(id);

	return fd >= 0;
}

static bool in_own_mounts(const char *pid)
{
	_cleanup_(mem_free) char *path = mem_printf("/proc/%s/ns/mnt", pid);
	char theirs[NAMESPACE_MAX] = "", own[NAMESPACE_MAX] = "";

	return readlink(path, theirs, sizeof(theirs) - 1) <= 0 ||
	       readlink("/proc/self/ns/mnt", own, sizeof(own) - 1) <= 0 || !strcmp(theirs, own);
}

/* A process whose BPF file system has the map as the instance's config; 0: none. */
static int seen_by(const struct node *n, uint32_t id)
{
	DIR *d = opendir("/proc");
	int found = 0;

	for (struct dirent *e; !found && d && (e = readdir(d));) {
		_cleanup_(mem_free) char *path =
			mem_printf("/proc/%s/root%s/maps/config", e->d_name, n->pin_dir);

		if (atoi(e->d_name) > 0 && !in_own_mounts(e->d_name) && pinned_id(path) == id)
			found = atoi(e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

int place_check(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *config = mem_printf("%s/maps/config", n->pin_dir);
	_cleanup_(mem_free) char *instance = instance_text(instance_name_of(n->pin_dir));
	uint32_t id = marked_id(n);
	int pid;

	if (!id || !access(config, F_OK) || !map_is_alive(id))
		return 0;
	pid = seen_by(n, id);
	if (!pid)
		return 0;
	return err_set(
		err, -EXDEV,
		"%s is loaded, but in another BPF file system than the one at " INSTANCE_BPFFS
		" here (`ip netns exec` and `unshare --mount` hide it). Run the command there: nsenter "
		"--mount=/proc/%d/ns/mnt weir …",
		instance, pid);
}
