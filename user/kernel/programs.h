/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The BPF objects inside the binary: loaded onto the instance's maps, pinned, found again by their
 * version.
 */
#pragma once

#include <stdint.h>

#include "base/diag.h"

struct node;

/* Needs maps_open() and, where it may load, maps_init(). */
int programs_open(struct node *n, struct weir_err *err);
void programs_close(struct node *n);
/* The kernel's id of a program: what an attachment is compared by. */
int program_id(int fd, uint32_t *ret_id);
