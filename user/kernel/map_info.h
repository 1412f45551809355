/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The rows of include/weir/maps.h for C code, and the sizes that may be requested. Opens no map. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include <weir/maps.h>

enum map_kind {
	MAP_TABLE,
	MAP_TRIE,
	MAP_ARRAY,
	MAP_FLOWS,
	MAP_STATE,
	MAP_QUEUE,
	MAP_PERCPU,
	MAP_RING,
	MAP_PROGS,
	MAP_RECENT,
	MAP_SOCKETS,
};

struct map_info {
	const char *name, *kind_name;
	enum map_kind kind;
	uint32_t key_size, value_size;
	uint32_t entries; /* by default */
	uint32_t most; /* entries that the programs support; 0: only the default */
	bool power_of_two;
	enum weir_knob knob;
	enum weir_full full;
	const char *full_text;
	enum weir_fill fill;
	enum weir_name_kind of; /* of WEIR_FILL_NAMES and WEIR_FILL_EXTENTS */
};

const struct map_info *map_info(enum weir_map map);
/* A hash or trie that user space writes, by diff. */
bool map_is_table(enum weir_map map);
/* Do the programs support this number of entries? */
bool map_size_works(enum weir_map map, uint32_t entries);

/* What is fixed when an instance's maps are created. All zero: defaults. */
struct node_setup {
	uint32_t max[_WEIR_MAP_MAX]; /* entries */
	struct weir_addr hairpin[2]; /* by family: weir_config.hairpin */
	/* set by node_open_next(): the loaded layout's addresses are not known, the default is used
	 */
	bool hairpin_lost;
	/* likewise: entries of a loaded map whose size cannot be kept, 0: none; the new map has the
	 * default
	 */
	uint32_t lost[_WEIR_MAP_MAX];
};

/* Scales the maps of a knob to the nearest supported size at percent of the default. */
void sizes_scale(struct node_setup *sizes, enum weir_knob knob, uint32_t percent);
/* Sets each map of a knob to the same number of entries. */
void sizes_set(struct node_setup *sizes, enum weir_knob knob, uint32_t entries);
/* The size that a map is created with; sizes may be NULL. */
uint32_t sizes_of(const struct node_setup *sizes, enum weir_map map);
/* -EINVAL: err names a map whose size is not supported. */
int sizes_check(const struct node_setup *sizes, struct weir_err *err);
