/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Weir's programs on the devices of pods and on uplinks, by tcx or clsact. */
#pragma once

#include "kernel/node.h"

enum attach_kind {
	ATTACH_AUTO, /* tcx where the kernel has it, else clsact */
	ATTACH_TCX,
	ATTACH_CLSACT,
};

/* Which programs belong on a device. */
enum attach_place {
	ATTACH_POD, /* the host's end of a pod's veth */
	ATTACH_UPLINK,
};

/* Process-wide, for tests and `load --attach`; default ATTACH_AUTO. */
extern enum attach_kind attach_preference;

/* Idempotent: replaces in place. Detaches the programs of the other kind of device. */
int attach_device(struct node *n, enum attach_place place, uint32_t ifindex, struct weir_err *err);
/* All programs of Weir. 0 also if nothing was attached. */
int attach_detach(struct node *n, uint32_t ifindex, struct weir_err *err);
/*
 * Names the programs whose loaded version is not on the device, by tcx or clsact; returns how many.
 */
size_t attach_missing(const struct node *n, enum attach_place place, uint32_t ifindex,
		      const char *ret_progs[_WEIR_PROGRAM_MAX]);
/* Calls fn for each foreign program or filter that runs before ours (prog); what describes it. */
void attach_each_before(const struct node *n, enum attach_place place, uint32_t ifindex,
			void (*fn)(const char *prog, const char *what, void *arg), void *arg);
/* Is each program on the device the one that is loaded, attached by the chosen kind alone? */
bool attach_is_current(const struct node *n, enum attach_place place, uint32_t ifindex);
/* Calls fn for each device that has pinned links. */
void attach_each_pinned(const struct node *n, void (*fn)(uint32_t ifindex, void *arg), void *arg);
/*
 * Detaches the pinned links of a device, in any network namespace; leaves clsact filters, which
 * would be found by ifindex alone.
 */
void attach_detach_pinned(const struct node *n, uint32_t ifindex);
