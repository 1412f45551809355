/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Makes the maps of a loaded object as they were when they were made. */
#pragma once

#include <bpf/libbpf.h>

/* Every map but read-only data and tables of programs. 0 or -errno. */
int prog_maps_clear(const struct bpf_object *obj);
