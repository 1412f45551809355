// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See netns_foreign.h. The program is assembled here: it adds one to its element of an array and
 * returns TC_ACT_UNSPEC, which is TCX_NEXT.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach/attach.h"
#include "base/mem.h"
#include "lib/netns_foreign.h"
#include "sandbox/netns.h"

#define TCX_INGRESS 46 /* not in Debian 12's headers */
#define TCX_EGRESS 47
#define TCX_BEFORE (1U << 3) /* BPF_F_BEFORE: before all others */

static int load_counter(int map_fd, int element)
{
	const struct bpf_insn insns[] = {
		{ BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, element },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4 },
		{ BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd },
		{ 0, 0, 0, 0, 0 }, /* upper half of the 64-bit load */
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem },
		{ BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1 },
		{ BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -1 },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "foreign", "GPL", insns, ARRAY_SIZE(insns),
			     NULL);
}

static int attach_tcx(int prog_fd, uint32_t ifindex, bool egress, bool before)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = before ? TCX_BEFORE : 0);

	return bpf_link_create(prog_fd, ifindex,
			       (enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS), &opts);
}

static int attach_clsact(int prog_fd, uint32_t ifindex, bool egress, bool before)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = before ? 10 : 100,
		    .prog_fd = prog_fd);
	int r = bpf_tc_hook_create(&hook);

	if (r && r != -EEXIST)
		return r;
	hook.attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
	return bpf_tc_attach(&hook, &opts);
}

static uint32_t device_of(const struct netns_cluster *c, const char *pod)
{
	_cleanup_(attachment_list_free) struct attachment_list list = {};
	uint32_t ifindex = 0;

	assert_int_equal(attachment_list_read(c->name, &list, NULL), 0);
	for (size_t i = 0; i < list.n; i++) {
		_cleanup_(mem_free) char *name =
			mem_printf("%s/%s", list.items[i].ns, list.items[i].name);

		if (!strcmp(name, pod))
			ifindex = list.items[i].ifindex;
	}
	assert_int_not_equal(ifindex, 0);
	return ifindex;
}

void netns_foreign_attach(const struct netns_cluster *c, const char *pod, struct netns_foreign *f)
{
	_cleanup_(netns_leave) int back = -1;

	f->map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 8, _FOREIGN_MAX, NULL);
	f->ifindex = device_of(c, pod);
	assert_true(f->map_fd >= 0);
	netns_cluster_enter(c, "node", &back);
	for (int i = 0; i < _FOREIGN_MAX; i++) {
		_cleanup_(fd_close) int prog = load_counter(f->map_fd, i);
		bool egress = i & FOREIGN_EGRESS, before = !(i & FOREIGN_AFTER);

		assert_true(prog >= 0);
		f->fd[i] = -1;
		if (c->env->attach == ATTACH_CLSACT)
			assert_int_equal(attach_clsact(prog, f->ifindex, egress, before), 0);
		else
			f->fd[i] = attach_tcx(prog, f->ifindex, egress, before);
		assert_true(c->env->attach == ATTACH_CLSACT || f->fd[i] >= 0);
	}
}

uint64_t netns_foreign_count(const struct netns_foreign *f, int which)
{
	uint32_t key = which;
	uint64_t value = 0;

	assert_int_equal(bpf_map_lookup_elem(f->map_fd, &key, &value), 0);
	return value;
}

void netns_foreign_close(struct netns_foreign *f)
{
	for (int i = 0; i < _FOREIGN_MAX; i++)
		fd_close(&f->fd[i]);
	fd_close(&f->map_fd);
}
