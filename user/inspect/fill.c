// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* How full the tables are. See fill.h. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "inspect/fill.h"

static uint32_t count_keys(int fd)
{
	_Alignas(8) char key[64];
	uint32_t n = 0;

	live_each_key(fd, key) n++;
	return n;
}

/* Ids in use, or the total length of their extents. */
static uint32_t count_names(const struct live *l, enum weir_name_kind kind, bool extents)
{
	uint32_t n = 0;

	for (size_t i = 0; i < l->n_names; i++)
		if (l->names[i].kind == kind)
			n += extents ? l->names[i].len : 1;
	return n;
}

static uint32_t count_pods(const struct live *l)
{
	const struct weir_pod *pods = node_array(l->node, WEIR_MAP_pods);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_pods); i++)
		n += pods[i].ref != 0;
	return n;
}

static uint32_t count_backend_slots(const struct live *l)
{
	const struct weir_service *services = node_array(l->node, WEIR_MAP_services);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_services); i++)
		n += weir_service_slots(&services[i]);
	return n;
}

static uint32_t count_backends(const struct live *l)
{
	const struct weir_backend *backends = node_array(l->node, WEIR_MAP_backends);
	uint32_t n = 0;

	for (uint32_t i = 1; i < node_map_max(l->node, WEIR_MAP_backends); i++)
		n += !!(backends[i].flags & WEIR_BACKEND_TAKEN);
	return n;
}

#define SLOTS_AT_ONCE 4096

static uint32_t count_used_slots(const struct live *l, enum weir_map map)
{
	_cleanup_(mem_free) struct weir_key_slot *slots =
		mem_zalloc(SLOTS_AT_ONCE * sizeof(*slots));
	_cleanup_(mem_free) uint32_t *keys = mem_zalloc(SLOTS_AT_ONCE * sizeof(*keys));
	int fd = node_map_fd(l->node, map), r = 0;
	uint32_t at, n = 0, count;

	for (bool first = true; !r; first = false) {
		count = SLOTS_AT_ONCE;
		r = bpf_map_lookup_batch(fd, first ? NULL : &at, &at, keys, slots, &count, NULL);
		for (uint32_t i = 0; (!r || r == -ENOENT) && i < count; i++)
			n += !!slots[i].mark.used;
	}
	return n;
}

long long live_fill(const struct live *l, enum weir_map map)
{
	const struct map_info *i = map_info(map);

	switch (i->fill) {
	case WEIR_FILL_KEYS:
		return count_keys(node_map_fd(l->node, map));
	case WEIR_FILL_ALL:
		return node_map_max(l->node, map);
	case WEIR_FILL_UNCOUNTED:
		break;
	case WEIR_FILL_NAMES:
		return count_names(l, i->of, false);
	case WEIR_FILL_EXTENTS:
		return count_names(l, i->of, true);
	case WEIR_FILL_PODS:
		return count_pods(l);
	case WEIR_FILL_BACKENDS:
		return count_backends(l);
	case WEIR_FILL_BACKEND_EXTENTS:
		return count_backend_slots(l);
	case WEIR_FILL_USED:
		return count_used_slots(l, map);
	case WEIR_FILL_UNUSED: /* elements of a queue cannot be counted */
		return node_map_max(l->node, map) - count_used_slots(l, WEIR_MAP_gc_slots);
	}
	return -1;
}

/* False for settings, counters and free lists, which never fill, and for tables that evict. */
bool live_fills_up(enum weir_map map)
{
	return map_info(map)->full >= WEIR_FULL_LOSE;
}

int live_percent(const struct live *l, enum weir_map map)
{
	long long fill = live_fills_up(map) ? live_fill(l, map) : -1;

	return fill <= 0 ? -1 : fill * 100 / node_map_max(l->node, map);
}
