// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See netns_tc.h. The programs are assembled here; by clsact, which every kernel has. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/mem.h"
#include "base/netns.h"
#include "lib/netns_tc.h"

#define ETHERTYPE_AT 12
#define V6_NEXT_HEADER_AT (ETH_HLEN + 6)

#define MOV(reg, value)                                           \
	{                                                         \
		BPF_ALU64 | BPF_MOV | BPF_K, (reg), 0, 0, (value) \
	}
#define MOV_REG(reg, from)                                       \
	{                                                        \
		BPF_ALU64 | BPF_MOV | BPF_X, (reg), (from), 0, 0 \
	}
#define LOAD(size, at)                                   \
	{                                                \
		BPF_LD | BPF_ABS | (size), 0, 0, 0, (at) \
	} /* packet[at] to r0 */
#define SKIP_UNLESS_EQUAL(value, n)                                   \
	{                                                             \
		BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, (n), (value) \
	}
#define RETURN                                 \
	{                                      \
		BPF_JMP | BPF_EXIT, 0, 0, 0, 0 \
	}

static void attach(const struct netns_cluster *c, const char *where, enum bpf_tc_attach_point point,
		   const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	_cleanup_(netns_leave) int back = -1;
	_cleanup_(fd_close) int prog =
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "netns_tc", "GPL", insns, n, NULL);
	int r;

	assert_true(prog >= 0);
	netns_cluster_enter(c, where, &back);
	hook.ifindex = if_nametoindex("eth0");
	opts.prog_fd = prog;
	r = bpf_tc_hook_create(&hook);
	assert_true(!r || r == -EEXIST);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

void netns_tc_deaf(const struct netns_cluster *c, const char *where)
{
	const struct bpf_insn insns[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1), /* where BPF_LD | BPF_ABS finds the packet */
		LOAD(BPF_H, ETHERTYPE_AT),
		SKIP_UNLESS_EQUAL(ETH_P_IP, 2),
		MOV(BPF_REG_0, TC_ACT_SHOT),
		RETURN,
		SKIP_UNLESS_EQUAL(ETH_P_IPV6, 6),
		LOAD(BPF_B, V6_NEXT_HEADER_AT),
		SKIP_UNLESS_EQUAL(IPPROTO_TCP, 1),
		MOV(BPF_REG_0, IPPROTO_UDP),
		SKIP_UNLESS_EQUAL(IPPROTO_UDP, 2),
		MOV(BPF_REG_0, TC_ACT_SHOT),
		RETURN,
		MOV(BPF_REG_0, TC_ACT_OK),
		RETURN,
	};

	attach(c, where, BPF_TC_INGRESS, insns, ARRAY_SIZE(insns));
}

void netns_tc_redirect(const struct netns_cluster *c, const char *where, const char *device)
{
	_cleanup_(netns_leave) int back = -1;
	int ifindex;

	netns_cluster_enter(c, where, &back);
	ifindex = if_nametoindex(device);
	netns_leave(&back);
	assert_int_not_equal(ifindex, 0);
	attach(c, where, BPF_TC_EGRESS,
	       (const struct bpf_insn[]){
		       MOV(BPF_REG_1, ifindex),
		       MOV(BPF_REG_2, 0),
		       { BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect },
		       RETURN,
	       },
	       4);
}
