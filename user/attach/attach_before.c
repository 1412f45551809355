// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What runs on a pod's device before Weir's programs: tcx programs in front, all tcx programs if
 * Weir is a clsact filter, and filters of lower preference. Read-only.
 */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "base/nl.h"
#include "attach/attach.h"
#include "attach/hooks.h"

#define PROGRAMS_MAX 64 /* of tcx on one device, BPF_MPROG_MAX */
#define TEXT_MAX 64

typedef void (*before_fn)(const char *prog, const char *what, void *arg);

static void describe_program(uint32_t id, char *text)
{
	_cleanup_(fd_close) int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (fd >= 0)
		bpf_obj_get_info_by_fd(fd, &info, &len);
	snprintf(text, TEXT_MAX, "BPF program %s (id %u)",
		 *info.name ? info.name : "without a name", id);
}

/* The tcx programs in front of own; all of them if own is 0. */
static void each_program(enum weir_program prog, uint32_t ifindex, uint32_t own, before_fn fn,
			 void *arg)
{
	uint32_t ids[PROGRAMS_MAX] = {}, n = PROGRAMS_MAX;
	char text[TEXT_MAX];

	if (bpf_prog_query(ifindex, hook_tcx_type(prog), 0, NULL, ids, &n))
		return;
	for (uint32_t i = 0; i < n && ids[i] != own; i++) {
		describe_program(ids[i], text);
		fn(program_info(prog)->name, text, arg);
	}
}

struct filters {
	enum weir_program prog;
	before_fn fn;
	void *arg;
};

static int read_filter(const struct nlmsghdr *h, void *arg)
{
	const struct tcmsg *body = mnl_nlmsg_get_payload(h);
	unsigned int preference = body->tcm_info >> 16;
	const struct filters *f = arg;
	const struct nlattr *attr;
	char text[TEXT_MAX];

	/* an entry without a handle is only the head of a list of filters */
	if (!body->tcm_handle || preference >= HOOK_CLSACT_PREFERENCE)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, h, sizeof(*body))
	{
		if (mnl_attr_get_type(attr) != TCA_KIND)
			continue;
		snprintf(text, sizeof(text), "tc filter %.16s (pref %u)", mnl_attr_get_str(attr),
			 preference);
		f->fn(program_info(f->prog)->name, text, f->arg);
	}
	return MNL_CB_OK;
}

static void each_filter(enum weir_program prog, uint32_t ifindex, before_fn fn, void *arg)
{
	struct tcmsg body = { .tcm_ifindex = ifindex,
			      .tcm_parent = TC_H_MAKE(TC_H_CLSACT, hook_is_ingress(prog)
									   ? TC_H_MIN_INGRESS
									   : TC_H_MIN_EGRESS) };
	struct filters filters = { prog, fn, arg };
	_cleanup_(nl_close) struct nl *nl = NULL;

	if (!nl_open_own(NETLINK_ROUTE, &nl, NULL))
		nl_talk(nl, nl_begin(nl, RTM_GETTFILTER, NLM_F_DUMP, &body, sizeof(body)),
			read_filter, &filters);
}

void attach_each_before(const struct node *n, enum attach_place place, uint32_t ifindex,
			before_fn fn, void *arg)
{
	each_hook(prog, place)
	{
		uint32_t tcx = 0, clsact = 0;

		hook_tcx.query(n, prog, ifindex, &tcx);
		hook_clsact.query(n, prog, ifindex, &clsact);
		if (!tcx && !clsact)
			continue;
		each_program(prog, ifindex, tcx, fn, arg);
		if (!tcx)
			each_filter(prog, ifindex, fn, arg);
	}
}
