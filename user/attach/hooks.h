/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* tcx and clsact behind one set of calls. Private to this folder: attach.c chooses. */
#pragma once

#include <linux/bpf.h>

#include "attach/attach.h"
#include "kernel/node.h"

/* Is the program attached to devices? */
static inline bool hook_is_of_device(enum weir_program prog)
{
	return program_info(prog)->hook <= WEIR_HOOK_UPLINK_EGRESS;
}

static inline enum attach_place hook_place(enum weir_program prog)
{
	return program_info(prog)->hook >= WEIR_HOOK_UPLINK_INGRESS ? ATTACH_UPLINK : ATTACH_POD;
}

/* At tc ingress of its device; else at egress. */
static inline bool hook_is_ingress(enum weir_program prog)
{
	return program_info(prog)->hook == WEIR_HOOK_INGRESS ||
	       program_info(prog)->hook == WEIR_HOOK_UPLINK_INGRESS;
}

/* Programs that belong on a device of that kind. */
#define each_hook(prog, place)                               \
	for (int prog = 0; prog < _WEIR_PROGRAM_MAX; prog++) \
		if (hook_is_of_device(prog) && hook_place(prog) == (place))

struct hook_ops {
	/* *ret_prog_id: the attached program, 0 if there is none. Changes nothing. */
	int (*query)(const struct node *n, enum weir_program prog, uint32_t ifindex,
		     uint32_t *ret_prog_id);
	/* Attaches, or replaces atomically what an earlier call attached. */
	int (*attach)(const struct node *n, enum weir_program prog, uint32_t ifindex, int prog_fd);
	/* 0 also if nothing was attached, or the device is gone. */
	int (*detach)(const struct node *n, enum weir_program prog, uint32_t ifindex);
};

#define HOOK_CLSACT_PREFERENCE 49 /* early, with room for other filters before it */

extern const struct hook_ops hook_tcx, hook_clsact;

/* Does this kernel have tcx? prog_fd: any tc program. */
bool hook_tcx_works(int prog_fd);

enum bpf_attach_type hook_tcx_type(enum weir_program prog);
