// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Maps of an instance. See maps.h. A pinned map keeps its size. The layout version in config, which
 * is stored last, marks a complete set: a kill while maps are created or removed leaves some of
 * them, which the next writer replaces. A program that was loaded holds the maps of one set, so
 * maps of two sets are never used together.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/file.h"
#include "base/mem.h"
#include "kernel/impl.h"
#include "kernel/maps.h"
#include <weir/limits.h>

#define MAP_PIN_MAX (INSTANCE_PATH_MAX + 64)

/* As in bpf/maps.bpf.h, which needs the same kinds as BTF definitions. */
static const struct {
	enum bpf_map_type type;
	uint32_t flags;
} kinds[] = {
	[MAP_TABLE] = { BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC },
	[MAP_TRIE] = { BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC },
	[MAP_ARRAY] = { BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE },
	[MAP_FLOWS] = { BPF_MAP_TYPE_HASH, 0 },
	[MAP_RECENT] = { BPF_MAP_TYPE_LRU_HASH, 0 },
	[MAP_STATE] = { BPF_MAP_TYPE_ARRAY, 0 },
	[MAP_QUEUE] = { BPF_MAP_TYPE_QUEUE, 0 },
	[MAP_PERCPU] = { BPF_MAP_TYPE_PERCPU_ARRAY, 0 },
	[MAP_RING] = { BPF_MAP_TYPE_RINGBUF, 0 },
	[MAP_PROGS] = { BPF_MAP_TYPE_PROG_ARRAY, 0 },
	[MAP_SOCKETS] = { BPF_MAP_TYPE_SK_STORAGE, BPF_F_NO_PREALLOC },
};

/*
 * The kernel wants types of the key and value of sockets' maps: an int, and as many bytes as the
 * value has. Returns a descriptor or -errno; it may be closed when the map is made.
 */
static int load_types(uint32_t value_size, uint32_t *ret_key, uint32_t *ret_value)
{
	struct btf *btf = btf__new_empty();
	int key, byte, fd = -ENOMEM;

	if (!btf)
		return -ENOMEM;
	key = btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED);
	byte = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
	*ret_key = key;
	*ret_value = btf__add_array(btf, key, byte, value_size);
	if (!btf__load_into_kernel(btf))
		fd = dup(btf__fd(btf));
	else
		fd = -errno;
	btf__free(btf);
	return fd;
}

static int map_make(enum weir_map map, uint32_t max)
{
	const struct map_info *i = map_info(map);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = kinds[i->kind].flags);
	_cleanup_(fd_close) int types = -1;
	char name[BPF_OBJ_NAME_LEN];

	if (i->kind == MAP_SOCKETS) {
		types = load_types(i->value_size, &opts.btf_key_type_id, &opts.btf_value_type_id);
		if (types < 0)
			return types;
		opts.btf_fd = types;
	}
	snprintf(name, sizeof(name), "%.15s", i->name);
	return bpf_map_create(kinds[i->kind].type, name, i->key_size, i->value_size, max, &opts);
}

/* What to run when the loaded maps cannot be used; the caller frees it. */
static char *rebuild_text(const struct node *n)
{
	_cleanup_(mem_free) char *option = instance_option(instance_name_of(n->pin_dir));

	return mem_printf("run 'weir load --rebuild -f PATH --node NODE%s'", option);
}

static int other_version(const struct node *n, enum weir_map map, struct weir_err *err)
{
	_cleanup_(mem_free) char *rebuild = rebuild_text(n);

	return err_set(err, -EPROTO, "map %s in %s was created by another version of Weir: %s",
		       map_info(map)->name, n->pin_dir, rebuild);
}

static int map_check(struct node *n, enum weir_map map, struct weir_err *err)
{
	const struct map_info *i = map_info(map);
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(n->map_fd[map], &info, &len))
		return err_set(err, -errno, "map %s: %s", i->name, strerror(errno));
	if (info.type != kinds[i->kind].type || info.key_size != i->key_size ||
	    info.value_size != i->value_size || !map_size_works(map, info.max_entries))
		return other_version(n, map, err);
	n->map_max[map] = info.max_entries;
	return 0;
}

/* pin: NULL, or the final name: no map is pinned under another one. */
static int map_new(struct node *n, enum weir_map map, const char *pin, uint32_t max,
		   struct weir_err *err)
{
	n->map_fd[map] = map_make(map, max);
	if (n->map_fd[map] < 0)
		return err_set(err, -errno, "create map %s (%u entries): %s", map_info(map)->name,
			       max, strerror(errno));
	if (pin && bpf_obj_pin(n->map_fd[map], pin))
		return err_set(err, -errno, "pin map %s: %s", pin, strerror(errno));
	return 0;
}

static void map_pin(const struct node *n, enum weir_map map, char ret_pin[MAP_PIN_MAX])
{
	snprintf(ret_pin, MAP_PIN_MAX, "%s/maps/%s", n->pin_dir, map_info(map)->name);
}

/* A new map in its place would not be the one that the loaded programs use. */
static int map_missing(const struct node *n, enum weir_map map, struct weir_err *err)
{
	_cleanup_(mem_free) char *rebuild = rebuild_text(n);
	char config[MAP_PIN_MAX];

	map_pin(n, WEIR_MAP_config, config);
	if (access(config, F_OK)) /* RACE: a reader meets an `uninstall` */
		return maps_not_loaded(n, err);
	return err_set(err, -EPROTO, "map %s is missing in %s: %s", map_info(map)->name, n->pin_dir,
		       rebuild);
}

static int map_get(struct node *n, enum weir_map map, const char *pin, struct weir_err *err)
{
	/* the kernel refuses mmap() of a read-only descriptor: there the pages are read-only */
	bool memory = map_info(map)->kind == MAP_ARRAY || map_info(map)->kind == MAP_RING;
	bool readonly = n->mode == NODE_READ && !memory;
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = readonly ? BPF_F_RDONLY : 0);

	n->map_fd[map] = bpf_obj_get_opts(pin, &opts);
	if (n->map_fd[map] >= 0)
		return 0;
	if (errno == ENOENT)
		return map_missing(n, map, err);
	return err_set(err, -errno, "open map %s: %s", pin, strerror(errno));
}

static int map_open(struct node *n, enum weir_map map, const struct node_setup *setup,
		    struct weir_err *err)
{
	char pin[MAP_PIN_MAX];
	int r;

	map_pin(n, map, pin);
	if (n->ready)
		r = map_get(n, map, pin, err);
	else
		r = map_new(n, map, n->mode == NODE_WRITE ? pin : NULL, sizes_of(setup, map), err);
	return r ? r : map_check(n, map, err);
}

static size_t array_len(const struct node *n, enum weir_map map)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return ((size_t)n->map_max[map] * map_info(map)->value_size + page - 1) / page * page;
}

static int array_map(struct node *n, enum weir_map map, struct weir_err *err)
{
	int prot = n->mode == NODE_READ ? PROT_READ : PROT_READ | PROT_WRITE;
	void *p = mmap(NULL, array_len(n, map), prot, MAP_SHARED, n->map_fd[map], 0);

	if (p == MAP_FAILED)
		return err_set(err, -errno, "map %s into memory: %s", map_info(map)->name,
			       strerror(errno));
	n->array[map] = p;
	return 0;
}

/*
 * A lookup in a map of another kind could write past the value's end. Of another layout only the
 * members whose offsets never change are meaningful (weir/config.h).
 */
static int config_read(const struct node *n, int fd, struct weir_config *ret_config,
		       uint32_t *ret_size, struct weir_err *err)
{
	_cleanup_(mem_free) char *value = NULL;
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), zero = 0;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return err_set(err, -errno, "map config: %s", strerror(errno));
	if (info.type != kinds[MAP_ARRAY].type || info.key_size != sizeof(zero))
		return other_version(n, WEIR_MAP_config, err);
	value = mem_zalloc(info.value_size + sizeof(*ret_config));
	if (bpf_map_lookup_elem(fd, &zero, value))
		return err_set(err, -errno, "read map config: %s", strerror(errno));
	memcpy(ret_config, value, sizeof(*ret_config));
	*ret_size = info.value_size;
	return 0;
}

int maps_config(const struct node *n, const char *pin_dir, struct weir_config *ret_config)
{
	_cleanup_(mem_free) char *pin = mem_printf("%s/maps/config", pin_dir);
	_cleanup_(fd_close) int fd = bpf_obj_get(pin);
	uint32_t size;

	return fd < 0 ? -errno : config_read(n, fd, ret_config, &size, NULL);
}

bool maps_are_pinned(const struct node *n)
{
	_cleanup_(mem_free) char *pin = mem_printf("%s/maps/config", n->pin_dir);
	_cleanup_(fd_close) int fd = bpf_obj_get(pin);
	struct bpf_map_info pinned = {}, own = {};
	uint32_t len = sizeof(pinned);

	return fd >= 0 && !bpf_obj_get_info_by_fd(fd, &pinned, &len) &&
	       !bpf_obj_get_info_by_fd(n->map_fd[WEIR_MAP_config], &own, &len) &&
	       pinned.id == own.id;
}

static int layout_check(struct node *n, int fd, struct weir_err *err)
{
	_cleanup_(mem_free) char *rebuild = rebuild_text(n);
	struct weir_config config = {};
	uint32_t size = 0;
	int r = config_read(n, fd, &config, &size, err);

	if (r)
		return r;
	n->ready = config.layout_version == WEIR_LAYOUT_VERSION;
	if (!config.layout_version && size != sizeof(config))
		return other_version(n, WEIR_MAP_config, err);
	if (!config.layout_version || n->ready)
		return 0;
	return err_set(err, -EPROTO,
		       "the maps in %s have layout version %u, this version of Weir needs %u: %s",
		       n->pin_dir, config.layout_version, WEIR_LAYOUT_VERSION, rebuild);
}

int maps_find(struct node *n, struct weir_err *err)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = n->mode == NODE_READ ? BPF_F_RDONLY : 0);
	char pin[MAP_PIN_MAX];
	_cleanup_(fd_close) int fd = -1;

	map_pin(n, WEIR_MAP_config, pin);
	fd = bpf_obj_get_opts(pin, &opts);
	if (fd >= 0)
		return layout_check(n, fd, err);
	return errno == ENOENT ? 0 : err_set(err, -errno, "open map %s: %s", pin, strerror(errno));
}

int maps_discard(const struct node *n, struct weir_err *err)
{
	_cleanup_(mem_free) char *folder = mem_printf("%s/maps", n->pin_dir);

	return file_remove_folder(folder, err);
}

int maps_open(struct node *n, const struct node_setup *setup, struct weir_err *err)
{
	int r = sizes_check(setup, err);

	if (!r && !n->ready && n->mode == NODE_READ)
		return maps_not_loaded(n, err);
	for (int map = 0; map < _WEIR_MAP_MAX && !r; map++) {
		r = map_open(n, map, setup, err);
		if (!r && map_info(map)->kind == MAP_ARRAY)
			r = array_map(n, map, err);
	}
	return r;
}

void maps_close(struct node *n)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		if (n->array[map])
			munmap(n->array[map], array_len(n, map));
		n->array[map] = NULL;
		fd_close(&n->map_fd[map]);
	}
}

/* Each gc slot is in the queue once. */
static int fill_gc_free(struct node *n, struct weir_err *err)
{
	int fd = n->map_fd[WEIR_MAP_gc_free];

	for (uint32_t slot = 0; slot < n->map_max[WEIR_MAP_gc_slots]; slot++)
		if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY))
			return err_set(err, -errno, "fill map gc_free: %s", strerror(errno));
	return 0;
}

/* Without this element ::/0 would match IPv4 (NP-29). */
static int add_v4_root(struct node *n, struct weir_err *err)
{
	struct weir_prefix v4 = { .prefix_len = WEIR_V4_PREFIX_BITS, .addr = weir_addr_from_v4(0) };
	uint32_t none = WEIR_IDENTITY_NONE;

	if (bpf_map_update_elem(n->map_fd[WEIR_MAP_networks], &v4, &none, BPF_NOEXIST))
		return err_set(err, -errno, "fill map networks: %s", strerror(errno));
	return 0;
}

static uint32_t ticks(uint64_t seconds)
{
	const uint64_t tick_ns = 1ull << WEIR_TICK_SHIFT;

	return (seconds * 1000000000ull + tick_ns - 1) / tick_ns;
}

static void init_config(struct node *n, const struct node_setup *setup)
{
	struct weir_config *c = n->array[WEIR_MAP_config];

	*c = (struct weir_config){
		.policy_epoch = 1,
		.service_epoch = 1,
		.enforcement = WEIR_ENFORCE_ON,
		.timeout = {
			[WEIR_TIMEOUT_TCP_OPENING] = ticks(WEIR_TCP_OPENING_S),
			[WEIR_TIMEOUT_TCP_OPEN] = ticks(WEIR_TCP_OPEN_S),
			[WEIR_TIMEOUT_TCP_CLOSING] = ticks(WEIR_TCP_CLOSING_S),
			[WEIR_TIMEOUT_UDP_ONE_WAY] = ticks(WEIR_UDP_ONE_WAY_S),
			[WEIR_TIMEOUT_UDP_ANSWERED] = ticks(WEIR_UDP_ANSWERED_S),
			[WEIR_TIMEOUT_ECHO] = ticks(WEIR_ECHO_S),
			[WEIR_TIMEOUT_OTHER] = ticks(WEIR_OTHER_S),
		},
		.gc_slice = WEIR_GC_SLICE,
		.gc_interval_us = WEIR_GC_INTERVAL_US,
		.gc_slots = n->map_max[WEIR_MAP_gc_slots],
		.half_open_max = n->map_max[WEIR_MAP_gc_slots] / WEIR_HALF_OPEN_PARTS,
		.flow_share = n->map_max[WEIR_MAP_gc_slots] / WEIR_SHARE_PARTS,
		.half_open_share = n->map_max[WEIR_MAP_gc_slots] / WEIR_HALF_OPEN_PARTS /
				   WEIR_SHARE_PARTS,
		.hairpin = { WEIR_HAIRPIN_V4, WEIR_HAIRPIN_V6 },
	};
	for (int family = 0; setup && family < 2; family++)
		if (!weir_addr_is_zero(&setup->hairpin[family]))
			c->hairpin[family] = setup->hairpin[family];
}

int maps_not_loaded(const struct node *n, struct weir_err *err)
{
	const char *name = instance_name_of(n->pin_dir);
	_cleanup_(mem_free) char *text = instance_text(name), *option = instance_option(name);

	return err_set(
		err, -ENOENT,
		"nothing is loaded as %s (%s): run 'weir load -f PATH --node NODE%s'; --name chooses another instance",
		text, n->pin_dir, option);
}

int maps_init(struct node *n, const struct node_setup *setup, struct weir_err *err)
{
	struct weir_config *c = n->array[WEIR_MAP_config];
	int r;

	if (n->ready)
		return 0;
	r = fill_gc_free(n, err);
	if (!r)
		r = add_v4_root(n, err);
	if (r)
		return r;
	init_config(n, setup);
	__atomic_store_n(&c->layout_version, WEIR_LAYOUT_VERSION, __ATOMIC_RELEASE);
	return 0;
}
