/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Loads the binary's BPF objects onto the instance's maps, pins them, finds them by version. */
#pragma once

#include <stdint.h>

#include "base/diag.h"

struct node;

/* After maps_open() and maps_init(). */
int programs_open(struct node *n, struct weir_err *err);
/* Removes the pinned programs. Hooks hold those that are attached. */
int programs_discard(const struct node *n, struct weir_err *err);
void programs_close(struct node *n);
/* The kernel's id of a program. */
int program_id(int fd, uint32_t *ret_id);
