// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What the kernel has, on a second table of one's own: programs can be run on the copy as often as
 * one likes, and no connection, counter, event or device of the live instance notices. See
 * probe_copy.h. Only reads from live.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "testrun/probe_copy.h"
#include "sync/table.h"

#define FIRST_DEVICE 100000 /* names of devices; none of them exists */

/* Device numbers, and the node's own state, are the copy's own. */
static bool is_copied(enum weir_map map)
{
	if (map == WEIR_MAP_attachments || map == WEIR_MAP_config || map == WEIR_MAP_watch)
		return false;
	return map_is_table(map) || map_info(map)->kind == MAP_ARRAY;
}

void probe_copy_sizes(const struct node *live, struct node_sizes *ret_sizes)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (is_copied(map))
			ret_sizes->max[map] = node_map_max(live, map);
}

/* A trie is made with one element in it already (NP-29): it is replaced, not added to. */
static int copy_table(const struct node *live, struct node *copy, enum weir_map map,
		      struct weir_err *err)
{
	_cleanup_(table_free) struct table t = {};
	int r;

	table_init(&t, map);
	r = table_read(node_map_fd(live, map), &t, err);
	return r ? r : table_replace(node_map_fd(copy, map), &t, err);
}

static void copy_array(const struct node *live, struct node *copy, enum weir_map map)
{
	memcpy(node_array(copy, map), node_array(live, map),
	       (size_t)node_map_max(live, map) * map_info(map)->value_size);
}

static void unplug_all(struct node *copy)
{
	struct weir_pod *pods = node_array(copy, WEIR_MAP_pods);

	for (uint32_t i = 1; i < node_map_max(copy, WEIR_MAP_pods); i++)
		if (pods[i].ref)
			pods[i].ifindex = FIRST_DEVICE + i;
}

int probe_copy(const struct node *live, struct node *ret_copy, struct weir_err *err)
{
	uint64_t generation = node_config(live)->generation;
	int r = 0;

	for (int map = 0; map < _WEIR_MAP_MAX && !r; map++) {
		if (!is_copied(map))
			continue;
		if (map_info(map)->kind == MAP_ARRAY)
			copy_array(live, ret_copy, map);
		else
			r = copy_table(live, ret_copy, map, err);
	}
	unplug_all(ret_copy);
	if (!r && node_config(live)->generation != generation)
		r = err_set(err, -ESTALE, "generation %llu was replaced while its tables were read",
			    (unsigned long long)generation);
	return r;
}
