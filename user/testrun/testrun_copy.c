// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Copies live tables into a private instance, where programs can run without any effect on the live
 * instance's connections, counters, events and devices. See testrun_copy.h. Only reads from live.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "kernel/maps.h"
#include "testrun/testrun_copy.h"
#include "sync/table.h"

#define FIRST_DEVICE 100000 /* ifindexes; no such devices exist */

/* Devices and the state of the node are not copied. */
static bool is_copied(enum weir_map map)
{
	if (map == WEIR_MAP_attachments || map == WEIR_MAP_config || map == WEIR_MAP_watch)
		return false;
	return map_is_table(map) || map_info(map)->kind == MAP_ARRAY;
}

void testrun_copy_setup(const struct node *live, struct node_setup *ret_setup)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (is_copied(map))
			ret_setup->max[map] = node_map_max(live, map);
	memcpy(ret_setup->hairpin, node_config(live)->hairpin, sizeof(ret_setup->hairpin));
}

/* table_replace(), since a new trie already has one element (NP-29). */
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

int testrun_copy(const struct node *live, struct node *ret_copy, struct weir_err *err)
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
	memcpy(node_config(ret_copy)->overlay_ports, node_config(live)->overlay_ports,
	       sizeof(node_config(live)->overlay_ports));
	if (!r && node_config(live)->generation != generation)
		r = err_set(err, -ESTALE, "generation %llu was replaced while its tables were read",
			    (unsigned long long)generation);
	return r;
}
