// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Opens and closes an instance. See node.h. Order of creation: run folder, lock, maps, their first
 * contents, programs. The next writer starts again if the maps are incomplete, else it completes
 * what a kill left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/file.h"
#include "base/instance.h"
#include "base/mem.h"
#include "kernel/impl.h"
#include "kernel/lock.h"
#include "kernel/maps.h"
#include "kernel/next.h"
#include "kernel/place.h"
#include "kernel/programs.h"

#define READ_TRIES 5
#define LOCK_TRIES 100 /* each but the last met an `uninstall` */

/* As bpftool and iproute2 do: mount the BPF file system at its usual path if it is not mounted. */
static int mount_bpffs(struct weir_err *err)
{
	struct statfs fs;

	if (!statfs(INSTANCE_BPFFS, &fs) && fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", INSTANCE_BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return err_set(err, -errno, "mount the BPF file system at %s: %s", INSTANCE_BPFFS,
			       strerror(errno));
	return 0;
}

/* RACE: `uninstall` may remove the folder before the lock is taken. Create it again. */
static int lock_run_dir(struct node *n, struct weir_err *err)
{
	char pods[INSTANCE_PATH_MAX + 8];
	int tries = LOCK_TRIES, r;

	do {
		r = file_mkdir(n->run_dir, INSTANCE_RUN_MODE, err);
		if (r)
			return r;
		n->lock_fd = lock_take(n->run_dir, err);
	} while (n->lock_fd == -ENOENT && --tries);
	if (n->lock_fd < 0)
		return n->lock_fd;
	snprintf(pods, sizeof(pods), "%s/" INSTANCE_PODS, n->run_dir);
	return file_mkdir(pods, INSTANCE_RUN_MODE, err);
}

static int make_pin_dir(const struct node *n, struct weir_err *err)
{
	static const char *const sub[] = { "", "/maps", "/progs", "/links" };
	char path[INSTANCE_PATH_MAX + 8];
	int r = mount_bpffs(err);

	for (size_t i = 0; i < ARRAY_SIZE(sub) && !r; i++) {
		snprintf(path, sizeof(path), "%s%s", n->pin_dir, sub[i]);
		r = file_mkdir(path, PIN_MODE, err);
	}
	return r;
}

/* Incomplete maps, and the programs that use them. Hooks stay until they are replaced. */
static int discard(const struct node *n, struct weir_err *err)
{
	int r = programs_discard(n, err);

	return r ? r : maps_discard(n, err);
}

static int lock_and_make(struct node *n, struct weir_err *err)
{
	int r = lock_run_dir(n, err);

	if (!r)
		r = place_check(n, err);
	if (!r)
		r = maps_find(n, err);
	if (!r && !n->ready)
		r = discard(n, err);
	if (!r)
		r = make_pin_dir(n, err);
	return r ? r : next_settle(n, err); /* of a rebuild that was killed */
}

static int open_maps(struct node *n, const struct node_setup *setup, struct weir_err *err)
{
	int r = maps_open(n, setup, err);

	if (!r)
		r = maps_init(n, setup, err);
	if (r && n->mode == NODE_WRITE && !n->ready)
		maps_discard(n, NULL); /* they take memory */
	return r;
}

/* Without permission it is unknown whether anything is loaded: only ENOENT says that nothing is. */
static int pin_dir_exists(const struct node *n, struct weir_err *err)
{
	int r;

	if (!access(n->pin_dir, F_OK))
		return 0;
	if (errno == ENOENT) {
		r = place_check(n, err);
		return r ? r : maps_not_loaded(n, err);
	}
	return err_set(err, -errno, "cannot read %s (%s)", n->pin_dir,
		       errno == EACCES ? "permission denied" : strerror(errno));
}

int node_check_place(const struct node *n, struct weir_err *err)
{
	return place_check(n, err);
}

int node_open_bare_next(const char *name, struct node **ret_node, struct weir_err *err)
{
	char dir[INSTANCE_PATH_MAX];
	int r = node_open_bare(name, ret_node, err);

	if (r)
		return r;
	next_dir((*ret_node)->pin_dir, dir);
	memcpy((*ret_node)->pin_dir, dir, sizeof(dir));
	return 0;
}

int node_open_bare(const char *name, struct node **ret_node, struct weir_err *err)
{
	_cleanup_(node_close) struct node *n = mem_zalloc(sizeof(*n));
	int r;

	n->lock_fd = n->own_map_fd = -1;
	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		n->map_fd[i] = -1;
	for (int i = 0; i < _WEIR_PROGRAM_MAX; i++)
		n->prog_fd[i] = -1;
	r = instance_paths(name, n->pin_dir, n->run_dir, err);
	if (!r)
		*ret_node = TAKE_PTR(n);
	return r;
}

static int open_next(struct node *n, struct node_setup *setup, struct weir_err *err)
{
	int r = lock_run_dir(n, err);

	if (!r)
		r = place_check(n, err);
	if (!r)
		r = make_pin_dir(n, err);
	if (!r)
		r = next_settle(n, err);
	if (r)
		return r;
	next_keep_setup(n, setup);
	r = next_begin(n, err);
	if (!r)
		r = open_maps(n, setup, err);
	if (!r)
		r = programs_open(n, err);
	if (r)
		next_drop(n);
	return r;
}

int node_open_next(const char *name, struct node_setup *setup, struct node **ret_node,
		   struct weir_err *err)
{
	_cleanup_(node_close) struct node *n = NULL;
	struct weir_config loaded;
	int r = node_open_bare(name, &n, err);

	if (r)
		return r;
	n->mode = NODE_WRITE;
	r = open_next(n, setup, err);
	if (r)
		return r;
	if (!maps_config(n, n->live_dir, &loaded) && loaded.layout_version) {
		node_config(n)->generation = loaded.generation;
		node_config(n)->enforcement = loaded.enforcement;
	}
	*ret_node = TAKE_PTR(n);
	return 0;
}

int node_commit_next(struct node *n, struct weir_err *err)
{
	uint32_t before = node_config(n)->enforcement;
	char old[INSTANCE_PATH_MAX];
	struct weir_config loaded;
	int r;

	memcpy(old, n->pin_dir, sizeof(old)); /* the old set's place, once it is exchanged */
	r = next_commit(n, err);
	if (r)
		return r;
	/* RACE: `enforce` wrote into the old set meanwhile; later it finds the new one */
	if (!maps_config(n, old, &loaded) && loaded.layout_version && loaded.enforcement != before)
		__atomic_store_n(&node_config(n)->enforcement, loaded.enforcement,
				 __ATOMIC_RELEASE);
	/* the set is loaded: what failed here is no failure, and the next writer marks it */
	(void)!place_mark(n, NULL);
	return 0;
}

int node_settle_next(struct node *n, struct weir_err *err)
{
	return next_settle(n, err);
}

void node_drop_next(struct node *n)
{
	next_drop(n);
}

int node_loaded_pods(const struct node *n, struct weir_pod **ret_pods, uint32_t *ret_n,
		     struct weir_err *err)
{
	size_t size = (size_t)node_map_max(n, WEIR_MAP_pods) * sizeof(**ret_pods);

	if (n->live_dir[0])
		return next_loaded_pods(n, ret_pods, ret_n, err);
	*ret_n = node_map_max(n, WEIR_MAP_pods);
	*ret_pods = mem_zalloc(size);
	memcpy(*ret_pods, node_array(n, WEIR_MAP_pods), size);
	return 0;
}

bool node_is_loaded(const struct node *n)
{
	return maps_are_pinned(n);
}

static int open_once(const char *name, enum node_mode mode, const struct node_setup *setup,
		     struct node **ret_node, struct weir_err *err)
{
	_cleanup_(node_close) struct node *n = NULL;
	int r = node_open_bare(name, &n, err);

	if (r)
		return r;
	n->mode = mode;
	if (mode == NODE_READ)
		r = pin_dir_exists(n, err);
	if (!r && mode == NODE_READ)
		r = maps_find(n, err);
	if (!r && mode == NODE_WRITE)
		r = lock_and_make(n, err);
	if (!r)
		r = open_maps(n, setup, err);
	if (!r)
		r = programs_open(n, err);
	if (!r && mode == NODE_WRITE)
		r = place_mark(n, err);
	if (!r)
		*ret_node = TAKE_PTR(n);
	return r;
}

/* RACE: a rebuild may exchange the pins while a reader opens them one by one. */
int node_open(const char *name, enum node_mode mode, const struct node_setup *setup,
	      struct node **ret_node, struct weir_err *err)
{
	struct node *n = NULL;
	int tries = READ_TRIES, r;

	do {
		node_close(&n);
		r = open_once(name, mode, setup, &n, err);
	} while (mode == NODE_READ && --tries && (r == -EPROTO || (!r && !maps_are_pinned(n))));
	if (!r)
		*ret_node = n;
	return r;
}

void node_close(struct node **n)
{
	if (!*n)
		return;
	programs_close(*n);
	maps_close(*n);
	fd_close(&(*n)->lock_fd); /* last: this frees the lock */
	mem_free(n);
	*n = NULL;
}

int node_map_fd(const struct node *n, enum weir_map map)
{
	return n->map_fd[map];
}

uint32_t node_map_max(const struct node *n, enum weir_map map)
{
	return n->map_max[map];
}

void *node_array(const struct node *n, enum weir_map map)
{
	return n->array[map];
}

struct weir_config *node_config(const struct node *n)
{
	return n->array[WEIR_MAP_config];
}

int node_prog_fd(const struct node *n, enum weir_program prog)
{
	return n->prog_fd[prog] < 0 ? -ENOENT : n->prog_fd[prog];
}

static const char *lack(const struct node *n, enum weir_object object)
{
	return *n->lacks[object].text ? n->lacks[object].text : NULL;
}

const char *node_no_gc(const struct node *n)
{
	return lack(n, WEIR_OBJECT_gc);
}

const char *node_no_host_flows(const struct node *n)
{
	return lack(n, WEIR_OBJECT_host_ct);
}

const char *node_no_sockets(const struct node *n)
{
	return lack(n, WEIR_OBJECT_sock);
}

const char *node_no_stale(const struct node *n)
{
	return lack(n, WEIR_OBJECT_stale);
}

const char *node_run_dir(const struct node *n)
{
	return n->run_dir;
}

const char *node_pin_dir(const struct node *n)
{
	return n->pin_dir;
}

const char *node_loaded_dir(const struct node *n)
{
	return n->live_dir[0] ? n->live_dir : n->pin_dir;
}

bool node_is_private(const struct node *n)
{
	return n->mode == NODE_PRIVATE;
}

void node_keep_origin(struct node *n, const char *text)
{
	n->origin = text;
}

const char *node_origin(const struct node *n)
{
	return n->origin;
}
