/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The rows of include/weir/programs.h for C code, and the bytes of the objects inside the binary.
 * Only objects.c includes the generated skeletons: they are large.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <weir/programs.h>

struct object_info {
	const char *name;
	const void *(*bytes)(size_t *ret_size);
	const char *own_map; /* pinned with its programs, or NULL */
	bool optional;
};

struct program_info {
	const char *name;
	enum weir_object object;
	enum weir_hook hook;
};

const struct object_info *object_info(enum weir_object object);
const struct program_info *program_info(enum weir_program prog);
