/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the files of this folder share about an open instance. Nobody outside includes it. */
#pragma once

#include <stdbool.h>

#include "base/instance.h"
#include "kernel/node.h"

struct node {
	enum node_mode mode;
	char pin_dir[INSTANCE_PATH_MAX]; /* /sys/fs/bpf/weir[-NAME] */
	char run_dir[INSTANCE_PATH_MAX]; /* /run/weir[-NAME] */
	int lock_fd;
	int map_fd[_WEIR_MAP_MAX];
	uint32_t map_max[_WEIR_MAP_MAX];
	void *array[_WEIR_MAP_MAX]; /* NULL where the map is no ARRAY */
	int prog_fd[_WEIR_PROGRAM_MAX];
	int own_map_fd; /* of gc's timer: it stops when nobody holds it */
	const char *origin; /* see node_keep_origin(); NULL: none */
	struct weir_err lacks[_WEIR_OBJECT_MAX]; /* why an object is not there; empty when it is */
};
