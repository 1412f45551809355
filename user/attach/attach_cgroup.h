/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The programs of the node's own processes, at the cgroup that holds them. Pinned links, one for
 * each program; the pin folder's link `cgroup` says which cgroup was asked for.
 */
#pragma once

#include "kernel/node.h"

#define ATTACH_CGROUP_NONE "none" /* in place of a folder: not served, as asked */

/*
 * Attaches the loaded programs to that cgroup, and to no other: replaced in place where they are
 * attached already. The new ones are attached before others are detached.
 */
int attach_cgroup(struct node *n, const char *dir, struct weir_err *err);
/* Detaches all. why: NULL, or ATTACH_CGROUP_NONE, which is kept for attach_cgroup_asked(). */
int attach_cgroup_detach(const struct node *n, const char *why, struct weir_err *err);
/* The folder that was asked for, or ATTACH_CGROUP_NONE; for mem_free(). NULL: nothing was. */
char *attach_cgroup_asked(const struct node *n);
/* Names the programs whose loaded version is not attached there; returns how many. */
size_t attach_cgroup_missing(const struct node *n, const char *dir,
			     const char *ret_progs[_WEIR_PROGRAM_MAX]);
