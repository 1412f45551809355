/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The BPF objects inside the binary. Apart from everything else, because the
 * generated skeletons claim names (struct store) that the tree uses itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OBJECT_MAX_PROGS 3

struct bpf_object_row {
	const char *name;
	const void *(*bytes)(size_t *ret_size);
	const char *progs[OBJECT_MAX_PROGS + 1];
	const char *own_map; /* pinned with them, or NULL */
	const char *start; /* run once after loading, or NULL */
	bool optional; /* some kernels cannot */
};

extern const struct bpf_object_row bpf_objects[];
extern const size_t bpf_objects_n;
