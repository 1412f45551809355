// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The table of maps, and sizes. See map_info.h. */
#include <errno.h>

#include "kernel/map_info.h"

/* The table has void where a kind has no key or value. */
#define KEY_SIZE(kind, key) (MAP_##kind == MAP_QUEUE || MAP_##kind == MAP_RING ? 0 : sizeof(key))
#define VALUE_SIZE(kind, value) (MAP_##kind == MAP_RING ? 0 : sizeof(value))

#define SIZES_ANY .most = UINT32_MAX
#define SIZES_BITS(n) .most = 1u << (n)
#define SIZES_POWER_OF_TWO .most = 1u << 31, .power_of_two = true
#define SIZES_FIXED .most = 0

/* Kinds of fill with a parameter; the others are plain enumerators. */
#define WEIR_FILL_NAMES(kind) WEIR_FILL_NAMES, .of = WEIR_NAME_##kind
#define WEIR_FILL_EXTENTS(kind) WEIR_FILL_EXTENTS, .of = WEIR_NAME_##kind

static const struct map_info infos[] = {
#define MAP_INFO(map, kind_, key, value, entries_, sizes, knob_, full_, fill_, text) \
	[WEIR_MAP_##map] = { .name = #map,                                           \
			     .kind_name = #kind_,                                    \
			     .kind = MAP_##kind_,                                    \
			     .key_size = KEY_SIZE(kind_, key),                       \
			     .value_size = VALUE_SIZE(kind_, value),                 \
			     .entries = (entries_),                                  \
			     SIZES_##sizes,                                          \
			     .knob = WEIR_KNOB_##knob_,                              \
			     .full = WEIR_FULL_##full_,                              \
			     .full_text = (text),                                    \
			     .fill = WEIR_FILL_##fill_ },
	WEIR_MAPS(MAP_INFO)
#undef MAP_INFO
};

const struct map_info *map_info(enum weir_map map)
{
	return &infos[map];
}

bool map_is_table(enum weir_map map)
{
	return infos[map].kind == MAP_TABLE || infos[map].kind == MAP_TRIE;
}

static uint32_t most(const struct map_info *i)
{
	return i->most ? i->most : i->entries;
}

bool map_size_works(enum weir_map map, uint32_t entries)
{
	const struct map_info *i = &infos[map];

	return entries <= most(i) && (i->most || entries == i->entries) &&
	       !(i->power_of_two && entries & (entries - 1));
}

static uint32_t scaled(const struct map_info *i, uint32_t percent)
{
	uint64_t want = (uint64_t)i->entries * percent / 100, power = 1;

	want = want < 1 ? 1 : want > most(i) ? most(i) : want;
	while (power < want)
		power *= 2;
	return i->power_of_two ? power : want;
}

void sizes_scale(struct node_setup *sizes, enum weir_knob knob, uint32_t percent)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (infos[map].knob == knob)
			sizes->max[map] = scaled(&infos[map], percent);
}

void sizes_set(struct node_setup *sizes, enum weir_knob knob, uint32_t entries)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		if (infos[map].knob == knob)
			sizes->max[map] = entries;
}

uint32_t sizes_of(const struct node_setup *sizes, enum weir_map map)
{
	return sizes && sizes->max[map] ? sizes->max[map] : infos[map].entries;
}

int sizes_check(const struct node_setup *sizes, struct weir_err *err)
{
	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		const struct map_info *i = &infos[map];
		uint32_t want = sizes_of(sizes, map);

		if (!map_size_works(map, want))
			return err_set(err, -EINVAL,
				       "map %s: %u entries requested, %s %u are supported%s",
				       i->name, want, i->most ? "at most" : "only", most(i),
				       i->power_of_two ? ", and only powers of two" : "");
	}
	if (sizes_of(sizes, WEIR_MAP_gc_slots) != sizes_of(sizes, WEIR_MAP_gc_free))
		return err_set(err, -EINVAL, "maps gc_slots and gc_free must have the same size");
	return 0;
}
