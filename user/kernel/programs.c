// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Programs of an instance. See programs.h. Pinned as progs/<object>-<version>/, where the version
 * is the hash of the object's bytes: the same binary finds what it loaded before; another binary
 * loads its own programs, renames their folder into place and removes the old folder. Hooks hold
 * the old programs until attach.c replaces them. Attaches nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sodium.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/impl.h"
#include "kernel/programs.h"

#define VERSION_BYTES 8
#define LOG_MAX 512
#define START_FRAME_LEN 64

/* libbpf's last warning: the reason of a failed load, for the error text. */
static __thread char last_log[LOG_MAX];
/* The print function that libbpf had before, called as well; NULL: none. */
static libbpf_print_fn_t print_before;

static int __attribute__((format(printf, 2, 0)))
keep_log(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	va_list again;

	if (level == LIBBPF_WARN) {
		va_copy(again, ap);
		vsnprintf(last_log, sizeof(last_log), fmt, again);
		va_end(again);
	}
	return print_before ? print_before(level, fmt, ap) : 0;
}

static void keep_logs(void)
{
	libbpf_print_fn_t before = libbpf_set_print(keep_log);

	if (before != keep_log)
		print_before = before;
}

static void version_of(enum weir_object o, char *ret_text)
{
	unsigned char hash[crypto_generichash_BYTES];
	size_t size;
	const void *bytes = object_info(o)->bytes(&size);

	crypto_generichash(hash, sizeof(hash), bytes, size, NULL, 0);
	sodium_bin2hex(ret_text, 2 * VERSION_BYTES + 1, hash, VERSION_BYTES);
}

/* The object's next program after prog; _WEIR_PROGRAM_MAX after the last. */
static int next_of(enum weir_object o, int prog)
{
	do
		prog++;
	while (prog < _WEIR_PROGRAM_MAX && program_info(prog)->object != o);
	return prog;
}

#define each_prog_of(o, prog) \
	for (int prog = next_of((o), -1); prog < _WEIR_PROGRAM_MAX; prog = next_of((o), prog))

/* ---- Pinned ones ---- */

/* A timer ends with the last pin or descriptor of its map, even if its program is still loaded. */
static bool has_own_map(enum weir_object o, const char *folder)
{
	const char *map = object_info(o)->own_map;
	_cleanup_(mem_free) char *path = map ? mem_printf("%s/%s", folder, map) : NULL;

	return !map || !access(path, F_OK);
}

/* It counts as loaded only if all its pins are there. */
static int open_folder(struct node *n, enum weir_object o, const char *folder)
{
	char path[INSTANCE_PATH_MAX + 400];
	int r = has_own_map(o, folder) ? 0 : -ENOENT;

	each_prog_of(o, prog)
	{
		snprintf(path, sizeof(path), "%s/%s", folder, program_info(prog)->name);
		n->prog_fd[prog] = bpf_obj_get(path);
		if (n->prog_fd[prog] < 0)
			r = -errno;
	}
	each_prog_of(o, prog)
	{
		if (r)
			fd_close(&n->prog_fd[prog]);
	}
	return r;
}

static bool is_of_object(enum weir_object o, const char *entry)
{
	size_t len = strlen(object_info(o)->name);

	return !strncmp(entry, object_info(o)->name, len) && entry[len] == '-';
}

/* Calls fn for each folder of the object; stops at the first true. */
static bool each_folder(const struct node *n, enum weir_object o,
			bool (*fn)(struct node *n, enum weir_object o, const char *folder,
				   const char *keep),
			const char *keep)
{
	char progs[INSTANCE_PATH_MAX + 16], path[INSTANCE_PATH_MAX + 300];
	bool done = false;
	DIR *d;

	snprintf(progs, sizeof(progs), "%s/progs", n->pin_dir);
	d = opendir(progs);
	for (struct dirent *e; !done && d && (e = readdir(d));) {
		if (!is_of_object(o, e->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", progs, e->d_name);
		done = fn((struct node *)n, o, path, keep);
	}
	if (d)
		closedir(d);
	return done;
}

static bool remove_other(struct node *n, enum weir_object o, const char *folder, const char *keep)
{
	if (strcmp(folder, keep))
		file_remove_folder(folder, NULL);
	return false;
}

/* A reader takes any version that is loaded. */
static bool open_any(struct node *n, enum weir_object o, const char *folder, const char *keep)
{
	return !open_folder(n, o, folder);
}

/* ---- Loading ---- */

static int share_maps(struct node *n, struct bpf_object *obj)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		struct bpf_map *m = bpf_object__find_map_by_name(obj, map_info(map)->name);

		if (m && bpf_map__reuse_fd(m, n->map_fd[map]))
			return -errno;
	}
	return 0;
}

static int fd_of(const struct bpf_object *obj, enum weir_program prog)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, program_info(prog)->name));
}

static int pin_all(enum weir_object o, struct bpf_object *obj, const char *folder)
{
	const char *map = object_info(o)->own_map;
	char path[INSTANCE_PATH_MAX + 400];

	each_prog_of(o, prog)
	{
		snprintf(path, sizeof(path), "%s/%s", folder, program_info(prog)->name);
		if (bpf_obj_pin(fd_of(obj, prog), path))
			return -errno;
	}
	if (!map)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder, map);
	return bpf_obj_pin(bpf_object__find_map_fd_by_name(obj, map), path) ? -errno : 0;
}

static int pin_folder(struct node *n, enum weir_object o, struct bpf_object *obj,
		      const char *folder, struct weir_err *err)
{
	char making[INSTANCE_PATH_MAX + 128];
	int r;

	snprintf(making, sizeof(making), "%s/progs/making", n->pin_dir);
	file_remove_folder(making, NULL);
	r = file_mkdir(making, PIN_MODE, err);
	if (!r)
		r = file_remove_folder(folder, err); /* there if a pin is missing in it */
	if (r)
		return r;
	r = pin_all(o, obj, making);
	if (!r && rename(making, folder))
		r = -errno;
	if (r) {
		file_remove_folder(making, NULL);
		return err_set(err, r, "pin programs in %s: %s", folder, strerror(-r));
	}
	each_folder(n, o, remove_other, folder);
	return 0;
}

/*
 * A timer lives as long as its map is referenced: by its pin, or by own_map_fd of a private
 * instance.
 */
static int start(struct bpf_object *obj, enum weir_program prog, struct weir_err *err)
{
	char frame[START_FRAME_LEN] = {}; /* a tc program needs a frame */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame));
	const char *name = program_info(prog)->name;
	int r;

	if (bpf_prog_test_run_opts(fd_of(obj, prog), &opts))
		return err_set(err, -errno, "run program %s: %s", name, strerror(errno));
	r = (int)opts.retval;
	return r ? err_set(err, r, "program %s: %s", name, err_name(r)) : 0;
}

static int start_all(enum weir_object o, struct bpf_object *obj, struct weir_err *err)
{
	int r = 0;

	each_prog_of(o, prog)
	{
		if (!r && program_info(prog)->hook == WEIR_HOOK_START)
			r = start(obj, prog, err);
	}
	return r;
}

/* Runs before the pins are made: pinned programs have their steps. */
static int fill_steps(struct node *n, enum weir_object o, struct bpf_object *obj,
		      struct weir_err *err)
{
	each_prog_of(o, prog)
	{
		uint32_t step = prog;
		int fd = fd_of(obj, prog);

		if (step < _WEIR_TAIL_CALL_MAX &&
		    bpf_map_update_elem(n->map_fd[WEIR_MAP_tail_calls], &step, &fd, 0))
			return err_set(err, -errno, "add %s to map tail_calls: %s",
				       program_info(prog)->name, strerror(errno));
	}
	return 0;
}

static int take_fds(struct node *n, enum weir_object o, struct bpf_object *obj)
{
	const char *map = object_info(o)->own_map;

	each_prog_of(o, prog)
	{
		n->prog_fd[prog] = dup(fd_of(obj, prog));
		if (n->prog_fd[prog] < 0)
			return -errno;
	}
	if (map && n->mode == NODE_PRIVATE)
		n->own_map_fd = dup(bpf_object__find_map_fd_by_name(obj, map));
	return 0;
}

static int load_onto_maps(struct node *n, enum weir_object o, struct bpf_object *obj,
			  struct weir_err *err)
{
	int r = share_maps(n, obj);

	if (r)
		return err_set(err, r, "bind the maps to object %s: %s", object_info(o)->name,
			       strerror(-r));
	r = bpf_object__load(obj);
	return r ? err_set(err, r, "the kernel refused %s: %s: %s", object_info(o)->name,
			   err_name(r), last_log)
		 : 0;
}

static int load(struct node *n, enum weir_object o, const char *folder, struct weir_err *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = object_info(o)->name);
	struct bpf_object *obj;
	size_t size;
	const void *bytes = object_info(o)->bytes(&size);
	int r;

	last_log[0] = '\0';
	obj = bpf_object__open_mem(bytes, size, &opts);
	if (!obj)
		return err_set(err, -errno, "open object %s: %s", object_info(o)->name, last_log);
	r = load_onto_maps(n, o, obj, err);
	if (!r)
		r = start_all(o, obj, err);
	if (!r)
		r = fill_steps(n, o, obj, err);
	if (!r && n->mode == NODE_WRITE)
		r = pin_folder(n, o, obj, folder, err);
	if (!r)
		r = take_fds(n, o, obj);
	bpf_object__close(obj);
	return r;
}

static int open_object(struct node *n, enum weir_object o, struct weir_err *err)
{
	char folder[INSTANCE_PATH_MAX + 64], version[2 * VERSION_BYTES + 1];

	version_of(o, version);
	snprintf(folder, sizeof(folder), "%s/progs/%s-%s", n->pin_dir, object_info(o)->name,
		 version);
	if (n->mode == NODE_READ)
		return each_folder(n, o, open_any, NULL) || object_info(o)->optional
			       ? 0
			       : err_set(err, -ENOENT, "%s: programs are not loaded", n->pin_dir);
	if (n->mode == NODE_WRITE && !open_folder(n, o, folder))
		return 0;
	return load(n, o, folder, err);
}

int programs_open(struct node *n, struct weir_err *err)
{
	if (sodium_init() < 0)
		return err_set(err, -EIO, "libsodium cannot be initialised");
	keep_logs();
	for (int o = 0; o < _WEIR_OBJECT_MAX; o++) {
		int r = open_object(n, o, &n->lacks[o]);

		if (r && !object_info(o)->optional)
			return err_set(err, r, "%s", n->lacks[o].text);
		if (!r && n->prog_fd[next_of(o, -1)] < 0)
			err_set(&n->lacks[o], -ENOENT, "its program is not loaded");
	}
	return 0;
}

int programs_discard(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *progs = mem_printf("%s/progs", n->pin_dir), *folder = NULL;
	DIR *d = opendir(progs);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		mem_free(&folder);
		folder = mem_printf("%s/%s", progs, e->d_name);
		file_remove_folder(folder, NULL);
	}
	if (d)
		closedir(d);
	return file_remove_folder(progs, err);
}

void programs_close(struct node *n)
{
	for (int prog = 0; prog < _WEIR_PROGRAM_MAX; prog++)
		fd_close(&n->prog_fd[prog]);
	fd_close(&n->own_map_fd);
}

int program_id(int fd, uint32_t *ret_id)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	*ret_id = info.id;
	return 0;
}
