// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Programs on devices by clsact filters, for kernels without tcx. Preference and handle are fixed,
 * so that a replacement finds Weir's filter and no packet passes unfiltered; foreign filters stay.
 * The qdisc is never removed: it may be shared, and an empty one does nothing.
 */
#include <errno.h>

#include <bpf/libbpf.h>

#include "attach/hooks.h"

#define HANDLE 0x5765 /* "We" */

static enum bpf_tc_attach_point point_of(enum weir_program prog)
{
	return hook_is_ingress(prog) ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static int clsact_query(const struct node *n, enum weir_program prog, uint32_t ifindex,
			uint32_t *ret_prog_id)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point_of(prog));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = HOOK_CLSACT_PREFERENCE);
	int r = bpf_tc_query(&hook, &opts);

	if (r && r != -ENOENT && r != -EINVAL) /* EINVAL: no clsact qdisc */
		return r;
	*ret_prog_id = r ? 0 : opts.prog_id;
	return 0;
}

static int clsact_attach(const struct node *n, enum weir_program prog, uint32_t ifindex,
			 int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = HOOK_CLSACT_PREFERENCE,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r;
	hook.attach_point = point_of(prog);
	return bpf_tc_attach(&hook, &opts);
}

static int clsact_detach(const struct node *n, enum weir_program prog, uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point_of(prog));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = HOOK_CLSACT_PREFERENCE);
	uint32_t id;
	int r = clsact_query(n, prog, ifindex, &id);

	if (r == -ENODEV || (!r && !id))
		return 0;
	return r ? r : bpf_tc_detach(&hook, &opts);
}

const struct hook_ops hook_clsact = { .query = clsact_query,
				      .attach = clsact_attach,
				      .detach = clsact_detach };
