/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Empties the maps of a loaded object. See prog_clear.c. */
#pragma once

#include <bpf/libbpf.h>

/* All maps but read-only data and tables of programs. 0 or -errno. */
int prog_maps_clear(const struct bpf_object *obj);
