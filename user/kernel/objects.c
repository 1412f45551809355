// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The table of objects and programs. See objects.h. */
#include "kernel/objects.h"

#include "gc.skel.h"
#include "map_word.skel.h"
#include "host_ct.skel.h"
#include "pod.skel.h"
#include "sock.skel.h"
#include "stale.skel.h"
#include "uplink.skel.h"

#define NEEDED false
#define OPTIONAL true

static const struct object_info objects[] = {
#define OBJECT_INFO(object, need, map)                               \
	[WEIR_OBJECT_##object] = { .name = #object,                  \
				   .bytes = object##_bpf__elf_bytes, \
				   .own_map = (map),                 \
				   .optional = (need) },
	WEIR_OBJECTS(OBJECT_INFO)
#undef OBJECT_INFO
};

static const struct program_info programs[] = {
#define PROGRAM_INFO(prog, step, object_, hook_)                   \
	[WEIR_PROGRAM_##prog] = { .name = #prog,                   \
				  .object = WEIR_OBJECT_##object_, \
				  .hook = WEIR_HOOK_##hook_ },
	WEIR_PROGRAMS(PROGRAM_INFO)
#undef PROGRAM_INFO
};

const struct object_info *object_info(enum weir_object object)
{
	return &objects[object];
}

const struct program_info *program_info(enum weir_program prog)
{
	return &programs[prog];
}
