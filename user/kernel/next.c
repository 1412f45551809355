// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See next.h. The next place of /sys/fs/bpf/weir-NAME is /sys/fs/bpf/weir+next/weir-NAME: a name of
 * an instance has no '+'. A tcx link can be pinned in both folders: it is one link, which is
 * updated from the old program to the new one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/impl.h"
#include "kernel/maps.h"
#include "kernel/next.h"

#define PARENT INSTANCE_BPFFS "/weir+next"
#define PATH_MAX_HERE (INSTANCE_PATH_MAX + 320)
#define PARENT_TRIES 100 /* each but the last met a rebuild of another instance that ended */
#define HAIRPIN_LAYOUT 4 /* the first with today's offset of weir_config.hairpin */

void next_dir(const char *pin_dir, char ret_dir[])
{
	snprintf(ret_dir, INSTANCE_PATH_MAX, PARENT "%s", strrchr(pin_dir, '/'));
}

/* ---- Links ---- */

/* The device of a pinned tcx link, 0 once it is gone; -1: no link. */
static long link_device(const char *path)
{
	_cleanup_(fd_close) int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return -1;
	return info.xdp.ifindex; /* older headers lack info.tcx, which has it in the same place */
}

/* Unless the other folder has a link of that device already. */
static int keep_link(const char *from, const char *to, long ifindex)
{
	_cleanup_(fd_close) int fd = -1;

	if (ifindex <= 0 || link_device(from) != ifindex || link_device(to) == ifindex)
		return 0;
	fd = bpf_obj_get(from);
	unlink(to); /* of a device that had this index before */
	return fd < 0 || bpf_obj_pin(fd, to) ? -errno : 0;
}

/* Unless the other folder has it: it is the newer one, or the same. */
static int keep_cgroup_link(const char *from, const char *to)
{
	_cleanup_(fd_close) int fd = -1;

	if (!access(to, F_OK))
		return 0;
	fd = bpf_obj_get(from);
	return fd < 0 || bpf_obj_pin(fd, to) ? -errno : 0;
}

static bool is_cgroup_link(const char *name)
{
	return !strncmp(name, NEXT_CGROUP_LINK, strlen(NEXT_CGROUP_LINK));
}

static int keep_links(const char *from_dir, const char *to_dir, struct weir_err *err)
{
	char from[PATH_MAX_HERE], to[PATH_MAX_HERE];
	int r = 0;
	DIR *d;

	snprintf(from, sizeof(from), "%s/links", from_dir);
	d = opendir(from);
	for (struct dirent *e; !r && d && (e = readdir(d));) {
		snprintf(from, sizeof(from), "%s/links/%s", from_dir, e->d_name);
		snprintf(to, sizeof(to), "%s/links/%s", to_dir, e->d_name);
		r = is_cgroup_link(e->d_name) ? keep_cgroup_link(from, to)
					      : keep_link(from, to, atol(e->d_name));
	}
	if (d)
		closedir(d);
	return r ? err_set(err, r, "pin link %s: %s", to, strerror(-r)) : 0;
}

/* ---- Devices ---- */

static int open_map(const char *dir, enum weir_map map, struct bpf_map_info *ret_info)
{
	_cleanup_(mem_free) char *pin = mem_printf("%s/maps/%s", dir, map_info(map)->name);
	uint32_t len = sizeof(*ret_info);
	int fd = bpf_obj_get(pin);

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, ret_info, &len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * A clsact filter has no pin: only the map names its device. The other set learns the device
 * without a slot or address, so that an apply to it attaches or detaches it. Layouts may differ.
 */
static int keep_devices(const char *from_dir, const char *to_dir, enum weir_map map,
			struct weir_err *err)
{
	struct bpf_map_info from_info = {}, to_info = {};
	_cleanup_(fd_close) int from = open_map(from_dir, map, &from_info);
	_cleanup_(fd_close) int to = open_map(to_dir, map, &to_info);
	_cleanup_(mem_free) void *nothing = mem_zalloc(to_info.value_size);
	uint32_t ifindex, next;

	if (from < 0 || to < 0)
		return 0;
	for (void *key = NULL; !bpf_map_get_next_key(from, key, &next); key = &ifindex) {
		ifindex = next;
		if (bpf_map_update_elem(to, &ifindex, nothing, BPF_NOEXIST) && errno != EEXIST)
			return err_set(err, -errno, "write map %s of %s: %s", map_info(map)->name,
				       to_dir, strerror(errno));
	}
	return 0;
}

/* ---- The attach namespace, and the cgroup that was asked for ---- */

static void keep_text(const char *name, const char *from_dir, const char *to_dir)
{
	_cleanup_(mem_free) char *from = mem_printf("%s/%s", from_dir, name),
				 *to = mem_printf("%s/%s", to_dir, name);
	char text[PATH_MAX];
	ssize_t len = readlink(from, text, sizeof(text) - 1);

	if (len <= 0)
		return;
	text[len] = '\0';
	unlink(to);
	(void)!symlink(text, to); /* a load marks it again */
}

/* ---- The place ---- */

int next_settle(const struct node *n, struct weir_err *err)
{
	char dir[INSTANCE_PATH_MAX];
	int r;

	next_dir(n->pin_dir, dir);
	if (access(dir, F_OK))
		return 0;
	r = keep_links(dir, n->pin_dir, err);
	if (!r)
		r = keep_devices(dir, n->pin_dir, WEIR_MAP_attachments, err);
	if (!r)
		r = keep_devices(dir, n->pin_dir, WEIR_MAP_uplinks, err);
	if (!r)
		r = file_remove_tree(dir, NULL, err);
	rmdir(PARENT); /* refused while another instance has a next place */
	return r;
}

static int make_folders(const char *dir, struct weir_err *err)
{
	static const char *const sub[] = { "", "/maps", "/progs", "/links" };
	char path[INSTANCE_PATH_MAX + 8];
	int tries = PARENT_TRIES, r;

	do {
		r = file_mkdir(PARENT, PIN_MODE, err);
		for (size_t i = 0; i < ARRAY_SIZE(sub) && !r; i++) {
			snprintf(path, sizeof(path), "%s%s", dir, sub[i]);
			r = file_mkdir(path, PIN_MODE, err);
		}
	} while (r == -ENOENT && --tries);
	return r;
}

int next_begin(struct node *n, struct weir_err *err)
{
	char dir[INSTANCE_PATH_MAX];
	int r;

	next_dir(n->pin_dir, dir);
	r = make_folders(dir, err);
	if (!r)
		r = keep_links(n->pin_dir, dir, err);
	if (r)
		return r;
	keep_text("netns", n->pin_dir, dir);
	keep_text("cgroup", n->pin_dir, dir);
	memcpy(n->live_dir, n->pin_dir, sizeof(n->live_dir));
	memcpy(n->pin_dir, dir, sizeof(n->pin_dir));
	n->ready = false;
	return 0;
}

static void move_back(struct node *n)
{
	memcpy(n->pin_dir, n->live_dir, sizeof(n->pin_dir));
	n->live_dir[0] = '\0';
}

int next_commit(struct node *n, struct weir_err *err)
{
	if (renameat2(AT_FDCWD, n->pin_dir, AT_FDCWD, n->live_dir, RENAME_EXCHANGE))
		return err_set(err, -errno, "exchange %s and %s: %s", n->pin_dir, n->live_dir,
			       strerror(errno));
	move_back(n);
	return 0;
}

void next_drop(struct node *n)
{
	if (!n->live_dir[0])
		return;
	move_back(n);
	next_settle(n, NULL);
}

/* ---- What the loaded set has ---- */

/* Without a config, and with one that was not completed, nothing was ever attached. */
static int pods_are_readable(const struct node *n, bool *ret_loaded, struct weir_err *err)
{
	struct weir_config loaded;
	int r = maps_config(n, n->live_dir, &loaded);

	*ret_loaded = !r && loaded.layout_version;
	if (r && r != -ENOENT)
		return err_set(err, r, "read map config in %s: %s", n->live_dir, strerror(-r));
	if (*ret_loaded && loaded.layout_version != WEIR_LAYOUT_VERSION)
		return err_set(err, -EPROTO, "the loaded maps in %s have layout version %u",
			       n->live_dir, loaded.layout_version);
	return 0;
}

static int copy_pods(int fd, struct weir_pod **ret_pods, uint32_t *ret_n)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(**ret_pods))
		return -EPROTO;
	*ret_pods = mem_zalloc((size_t)info.max_entries * sizeof(**ret_pods));
	*ret_n = info.max_entries;
	for (uint32_t slot = 0; slot < info.max_entries; slot++)
		if (bpf_map_lookup_elem(fd, &slot, &(*ret_pods)[slot]))
			return -errno;
	return 0;
}

int next_loaded_pods(const struct node *n, struct weir_pod **ret_pods, uint32_t *ret_n,
		     struct weir_err *err)
{
	_cleanup_(mem_free) char *pin =
		mem_printf("%s/maps/%s", n->live_dir, map_info(WEIR_MAP_pods)->name);
	_cleanup_(fd_close) int fd = -1;
	bool loaded;
	int r = pods_are_readable(n, &loaded, err);

	*ret_n = 0;
	if (r || !loaded)
		return r;
	fd = bpf_obj_get(pin);
	r = fd < 0 ? -errno : copy_pods(fd, ret_pods, ret_n);
	return r ? err_set(err, r, "read map %s: %s", pin, strerror(-r)) : 0;
}

static uint32_t loaded_size(const struct node *n, enum weir_map map)
{
	_cleanup_(mem_free) char *pin = mem_printf("%s/maps/%s", n->pin_dir, map_info(map)->name);
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	_cleanup_(fd_close) int fd = bpf_obj_get_opts(pin, &opts);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.max_entries;
}

/* All sizes of a knob, or none: then those that the new maps do not have are noted. */
static void keep_sizes(const struct node *n, enum weir_knob knob, struct node_setup *setup)
{
	uint32_t max[_WEIR_MAP_MAX] = {};
	bool all = true;

	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		if (map_info(map)->knob != knob)
			continue;
		if (setup->max[map])
			return;
		max[map] = loaded_size(n, map);
		all &= max[map] && map_size_works(map, max[map]);
	}
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		if (all && max[map])
			setup->max[map] = max[map];
		else if (max[map] != map_info(map)->entries)
			setup->lost[map] = max[map];
	}
}

/* A config of layout 4 that was never released is shorter: its other address is in this place. */
static void keep_hairpin(const struct weir_config *loaded, int family, struct node_setup *setup)
{
	const struct weir_addr *addr = &loaded->hairpin[family];
	bool known = loaded->layout_version >= HAIRPIN_LAYOUT &&
		     loaded->layout_version <= WEIR_LAYOUT_VERSION && !weir_addr_is_zero(addr) &&
		     weir_addr_is_v4(addr) == !family;

	if (!weir_addr_is_zero(&setup->hairpin[family]))
		return;
	if (known)
		setup->hairpin[family] = *addr;
	else
		setup->hairpin_lost = true;
}

void next_keep_setup(const struct node *n, struct node_setup *setup)
{
	struct weir_config loaded;

	for (int knob = WEIR_KNOB_NONE + 1; knob < _WEIR_KNOB_MAX; knob++)
		keep_sizes(n, knob, setup);
	if (maps_config(n, n->pin_dir, &loaded) || !loaded.layout_version)
		return;
	for (int family = 0; family < 2; family++)
		keep_hairpin(&loaded, family, setup);
}
