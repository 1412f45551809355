/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* An open instance, as the files of this folder share it. Included by this folder only. */
#pragma once

#include <stdbool.h>

#include "base/instance.h"
#include "kernel/node.h"

#define PIN_MODE 0755 /* the BPF file system itself is closed to others */

struct node {
	enum node_mode mode;
	char pin_dir[INSTANCE_PATH_MAX]; /* /sys/fs/bpf/weir[-NAME]; or the next place (next.h) */
	char live_dir[INSTANCE_PATH_MAX]; /* "" unless pin_dir is the next place */
	char run_dir[INSTANCE_PATH_MAX]; /* /run/weir[-NAME] */
	int lock_fd;
	bool ready; /* its pinned maps are complete: config has a layout version */
	int map_fd[_WEIR_MAP_MAX];
	uint32_t map_max[_WEIR_MAP_MAX];
	void *array[_WEIR_MAP_MAX]; /* NULL unless the map is an ARRAY */
	int prog_fd[_WEIR_PROGRAM_MAX];
	int own_map_fd; /* of gc's timer, which stops with the map's last reference */
	const char *origin; /* see node_keep_origin(); NULL: none */
	struct weir_err lacks[_WEIR_OBJECT_MAX]; /* why an object is not loaded; empty if it is */
};
