// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which programs belong on a device, and whether by tcx or clsact. What the pod sends is
 * ingress at the host's end of its veth. The chosen kind is attached before the other one is
 * detached, so that a device is never without its programs.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "attach/attach.h"
#include "attach/hooks.h"
#include "kernel/programs.h"

enum attach_kind attach_preference = ATTACH_AUTO;

static const struct hook_ops *chosen_ops(const struct node *n)
{
	if (attach_preference == ATTACH_AUTO)
		return hook_tcx_works(node_prog_fd(n, WEIR_PROGRAM_from_pod)) ? &hook_tcx
									      : &hook_clsact;
	return attach_preference == ATTACH_TCX ? &hook_tcx : &hook_clsact;
}

static const struct hook_ops *other_ops(const struct hook_ops *ops)
{
	return ops == &hook_tcx ? &hook_clsact : &hook_tcx;
}

static bool is_current(const struct node *n, const struct hook_ops *ops, enum weir_program prog,
		       uint32_t ifindex)
{
	uint32_t attached = 0, wanted = 0, other = 0;

	if (program_id(node_prog_fd(n, prog), &wanted))
		return false;
	return !ops->query(n, prog, ifindex, &attached) && attached == wanted &&
	       !other_ops(ops)->query(n, prog, ifindex, &other) && !other;
}

bool attach_is_current(const struct node *n, enum attach_place place, uint32_t ifindex)
{
	const struct hook_ops *ops = chosen_ops(n);
	bool current = true;

	each_hook(prog, place)
	{
		current = current && is_current(n, ops, prog, ifindex);
	}
	return current;
}

size_t attach_missing(const struct node *n, enum attach_place place, uint32_t ifindex,
		      const char *ret_progs[_WEIR_PROGRAM_MAX])
{
	size_t missing = 0;

	each_hook(prog, place)
	{
		uint32_t wanted = 0, tcx = 0, clsact = 0;

		program_id(node_prog_fd(n, prog), &wanted);
		hook_tcx.query(n, prog, ifindex, &tcx);
		hook_clsact.query(n, prog, ifindex, &clsact);
		if (!wanted || (tcx != wanted && clsact != wanted))
			ret_progs[missing++] = program_info(prog)->name;
	}
	return missing;
}

/*
 * The device was of the other kind. Its filters of clsact were replaced: both kinds use the same
 * preference and handle.
 */
static int detach_other_place(const struct node *n, enum attach_place place, uint32_t ifindex)
{
	int r = 0;

	each_hook(prog, place == ATTACH_POD ? ATTACH_UPLINK : ATTACH_POD)
	{
		r = r ? r : hook_tcx.detach(n, prog, ifindex);
	}
	return r;
}

int attach_device(struct node *n, enum attach_place place, uint32_t ifindex, struct weir_err *err)
{
	const struct hook_ops *ops = chosen_ops(n);
	int r;

	/* from_pod first: a device is never open in the pod's sending direction alone */
	each_hook(prog, place)
	{
		if (is_current(n, ops, prog, ifindex))
			continue;
		r = ops->attach(n, prog, ifindex, node_prog_fd(n, prog));
		if (!r)
			r = other_ops(ops)->detach(n, prog, ifindex);
		if (r)
			return err_set(err, r, "attach %s to device %u: %s",
				       program_info(prog)->name, ifindex, strerror(-r));
	}
	r = detach_other_place(n, place, ifindex);
	return r ? err_set(err, r, "detach old programs from device %u: %s", ifindex, strerror(-r))
		 : 0;
}

int attach_detach(struct node *n, uint32_t ifindex, struct weir_err *err)
{
	for (int prog = 0; prog < _WEIR_PROGRAM_MAX; prog++) {
		int r = 0;

		if (!hook_is_of_device(prog))
			continue;
		r = hook_tcx.detach(n, prog, ifindex);
		if (!r)
			r = hook_clsact.detach(n, prog, ifindex);
		if (r)
			return err_set(err, r, "detach %s from device %u: %s",
				       program_info(prog)->name, ifindex, strerror(-r));
	}
	return 0;
}

void attach_detach_pinned(const struct node *n, uint32_t ifindex)
{
	for (int prog = 0; prog < _WEIR_PROGRAM_MAX; prog++)
		if (hook_is_of_device(prog))
			hook_tcx.detach(n, prog, ifindex);
}
