// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The table of BPF objects: what is loaded, by name. See objects.h. */
#include "kernel/objects.h"

#include "gc.skel.h"
#include "store.skel.h"
#include "tc_adopt.skel.h"
#include "tc_pod.skel.h"

const struct bpf_object_row bpf_objects[] = {
	{ .name = "tc_pod",
	  .bytes = tc_pod__elf_bytes,
	  .progs = { "from_pod", "to_pod" },
	  .has_steps = true,
	  .first_step = WEIR_STEP_FROM_POD },
	{ .name = "tc_adopt",
	  .bytes = tc_adopt__elf_bytes,
	  .progs = { "from_adopted", "to_adopted" },
	  .has_steps = true,
	  .first_step = WEIR_STEP_FROM_ADOPTED,
	  .lack = LACK_HOST_FLOWS },
	{ .name = "store", .bytes = store__elf_bytes, .progs = { "store_word" } },
	{ .name = "gc",
	  .bytes = gc__elf_bytes,
	  .progs = { "sweep_start" },
	  .own_map = "sweep_timer",
	  .start = "sweep_start",
	  .lack = LACK_SWEEP }, /* PREEMPT_RT refuses bpf_timer: conntrack then only loses what is replaced */
};

const size_t bpf_objects_n = sizeof(bpf_objects) / sizeof(bpf_objects[0]);
