/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The two ways to put a program on a device, behind one set of calls. Private to this folder:
 * attach.c chooses.
 */
#pragma once

#include <linux/bpf.h>

#include "kernel/node.h"

/* Programs that belong on a pod's device. */
#define each_hook(prog)                                      \
	for (int prog = 0; prog < _WEIR_PROGRAM_MAX; prog++) \
		if (program_info(prog)->hook <= WEIR_HOOK_EGRESS)

struct hook_ops {
	/* 0 and the attached program's id, 0 when there is none. Never writes. */
	int (*query)(const struct node *n, enum weir_program prog, uint32_t ifindex,
		     uint32_t *ret_prog_id);
	/*
	 * Attaches, or replaces what an earlier call attached, without a packet in between that
	 * meets none.
	 */
	int (*attach)(const struct node *n, enum weir_program prog, uint32_t ifindex, int prog_fd);
	/* 0 also when nothing was attached, or the device is gone. */
	int (*detach)(const struct node *n, enum weir_program prog, uint32_t ifindex);
};

#define HOOK_CLSACT_PREFERENCE 49 /* early, yet with room for others before it */

extern const struct hook_ops hook_tcx, hook_clsact;

/* Does this kernel have tcx? prog_fd: any tc program. */
bool hook_tcx_works(int prog_fd);

enum bpf_attach_type hook_tcx_type(enum weir_program prog);
