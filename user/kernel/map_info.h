/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The rows of include/weir/maps.h for C code, and the sizes that may be asked for. Touches no map.
 */
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
	MAP_LRU,
	MAP_STATE,
	MAP_QUEUE,
	MAP_PERCPU,
	MAP_RING,
	MAP_PROGS,
};

struct map_info {
	const char *name, *kind_name;
	enum map_kind kind;
	uint32_t key_size, value_size;
	uint32_t entries; /* by default */
	uint32_t most; /* entries that the programs can work with; 0: the default and no other */
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
/* Can the programs work with so many entries? */
bool map_size_works(enum weir_map map, uint32_t entries);

/* Sizes other than the defaults; 0 keeps the default. Only when the maps are made. */
struct node_sizes {
	uint32_t max[_WEIR_MAP_MAX];
};

/*
 * Sets the sizes of the maps that follow a knob, as near to percent of the default as the programs
 * can work with.
 */
void sizes_scale(struct node_sizes *sizes, enum weir_knob knob, uint32_t percent);
/* The same number of entries for each of them. */
void sizes_set(struct node_sizes *sizes, enum weir_knob knob, uint32_t entries);
/* What a map is made with; sizes may be NULL. */
uint32_t sizes_of(const struct node_sizes *sizes, enum weir_map map);
/* -EINVAL: err names a map that would not work. */
int sizes_check(const struct node_sizes *sizes, struct weir_err *err);
