// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which programs belong on a pod's device, and by which way. The host's end of
 * a veth sees as ingress what the pod sends. The new way is attached before the
 * other one is removed, so that a device is never without its programs.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "attach/hooks.h"
#include "kernel/programs.h"

enum attach_kind attach_preference = ATTACH_AUTO;

static const struct hook hooks[ATTACH_HOOKS] = {
	{ "from_pod", HOOK_INGRESS },
	{ "to_pod", HOOK_EGRESS },
};

static const struct hook_ops *chosen_ops(const struct node *n)
{
	if (attach_preference == ATTACH_AUTO)
		return hook_tcx_works(node_prog_fd(n, hooks[0].prog)) ? &hook_tcx : &hook_clsact;
	return attach_preference == ATTACH_TCX ? &hook_tcx : &hook_clsact;
}

static const struct hook_ops *other_ops(const struct hook_ops *ops)
{
	return ops == &hook_tcx ? &hook_clsact : &hook_tcx;
}

static bool is_current(struct node *n, const struct hook_ops *ops, const struct hook *h, uint32_t ifindex)
{
	uint32_t attached = 0, wanted = 0, other = 0;

	if (program_id(node_prog_fd(n, h->prog), &wanted))
		return false;
	return !ops->query(n, h, ifindex, &attached) && attached == wanted &&
	       !other_ops(ops)->query(n, h, ifindex, &other) && !other;
}

bool attach_is_current(struct node *n, uint32_t ifindex)
{
	const struct hook_ops *ops = chosen_ops(n);
	bool current = true;

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		current = current && is_current(n, ops, &hooks[i], ifindex);
	return current;
}

const struct hook *attach_hook(size_t i)
{
	return &hooks[i];
}

size_t attach_missing(const struct node *n, uint32_t ifindex, const char *ret_progs[ATTACH_HOOKS])
{
	size_t missing = 0;

	for (size_t i = 0; i < ATTACH_HOOKS; i++) {
		uint32_t wanted = 0, tcx = 0, clsact = 0;

		program_id(node_prog_fd(n, hooks[i].prog), &wanted);
		hook_tcx.query(n, &hooks[i], ifindex, &tcx);
		hook_clsact.query(n, &hooks[i], ifindex, &clsact);
		if (!wanted || (tcx != wanted && clsact != wanted))
			ret_progs[missing++] = hooks[i].prog;
	}
	return missing;
}

int attach_device(struct node *n, uint32_t ifindex, struct weir_err *err)
{
	const struct hook_ops *ops = chosen_ops(n);

	/* what the pod sends is judged first: a device is never open in that direction only */
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct hook *h = &hooks[i];
		int r;

		if (is_current(n, ops, h, ifindex))
			continue;
		r = ops->attach(n, h, ifindex, node_prog_fd(n, h->prog));
		if (!r)
			r = other_ops(ops)->detach(n, h, ifindex);
		if (r)
			return err_set(err, r, "attach %s to device %u: %s", h->prog, ifindex, strerror(-r));
	}
	return 0;
}

int attach_detach(struct node *n, uint32_t ifindex, struct weir_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const struct hook *h = &hooks[i];
		int r = hook_tcx.detach(n, h, ifindex);

		if (!r)
			r = hook_clsact.detach(n, h, ifindex);
		if (r)
			return err_set(err, r, "detach %s from device %u: %s", h->prog, ifindex, strerror(-r));
	}
	return 0;
}

void attach_detach_pinned(struct node *n, uint32_t ifindex)
{
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		hook_tcx.detach(n, &hooks[i], ifindex);
}
