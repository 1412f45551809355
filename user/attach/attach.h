/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Weir's programs on the devices of pods, by whichever way the kernel has. */
#pragma once

#include "kernel/node.h"

enum attach_kind {
	ATTACH_AUTO, /* tcx where the kernel has it, else clsact */
	ATTACH_TCX,
	ATTACH_CLSACT,
};

/* Process-wide choice for tests and `load --attach`; default ATTACH_AUTO. */
extern enum attach_kind attach_preference;

int attach_device(struct node *n, uint32_t ifindex,
		  struct weir_err *err); /* idempotent: replaces in place */
int attach_detach(struct node *n, uint32_t ifindex,
		  struct weir_err *err); /* no error when it was not attached */
/*
 * The programs that are not on the device, by either way, as they are loaded now. Returns how many.
 */
size_t attach_missing(const struct node *n, uint32_t ifindex,
		      const char *ret_progs[_WEIR_PROGRAM_MAX]);
/*
 * Calls fn for each program or filter of others that runs before ours: prog is ours, what names the
 * other.
 */
void attach_each_before(const struct node *n, uint32_t ifindex,
			void (*fn)(const char *prog, const char *what, void *arg), void *arg);
/* Is each program on the device, and the one that is loaded now? */
bool attach_is_current(const struct node *n, uint32_t ifindex);
/* Calls fn for each device that has pinned links. */
void attach_each_pinned(const struct node *n, void (*fn)(uint32_t ifindex, void *arg), void *arg);
/*
 * What is pinned for a device, whichever namespace the device is in; touches nothing else of that
 * number.
 */
void attach_detach_pinned(const struct node *n, uint32_t ifindex);
