/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The BPF objects inside the binary. Apart from everything else, because the
 * generated skeletons claim names (struct store) that the tree uses itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <weir/types.h>

#define OBJECT_MAX_PROGS 3

/* What some kernels cannot. */
enum object_lack {
	LACK_NONE,
	LACK_SWEEP,
	LACK_HOST_FLOWS,
	_LACK_MAX,
};

struct bpf_object_row {
	const char *name;
	const void *(*bytes)(size_t *ret_size);
	const char *progs[OBJECT_MAX_PROGS + 1];
	const char *own_map; /* pinned with them, or NULL */
	const char *start; /* run once after loading, or NULL */
	bool has_steps; /* its programs stand in steps[] too, from first_step on */
	enum weir_step first_step;
	enum object_lack lack; /* LACK_NONE: it is needed. Else what is missing where the kernel refuses it */
};

extern const struct bpf_object_row bpf_objects[];
extern const size_t bpf_objects_n;
