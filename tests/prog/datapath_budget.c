// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Static limits of the programs: instructions that the verifier walks, and stack along the deepest
 * chain of calls. The kernel of this machine may accept more than the oldest supported one, so both
 * are counted here as that one counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/mem.h"
#include "lib/prog_env.h"

#include "gc.skel.h"
#include "map_word.skel.h"
#include "pod.skel.h"
#include "uplink.skel.h"

/* A third above the measured numbers (6.18, clang 14); the kernel's own limit is a million. */
#define FROM_POD_INSNS 170000
#define TO_POD_INSNS 170000
#define UPLINK_INSNS 175000
#define GC_INSNS 18000
#define MAP_WORD_INSNS 200

/* The kernel allows 512 bytes; how it rounds a frame, and so the sum, differs by version. */
#define STACK_BYTES 480 /* the kernel allows 512 */
#define FRAME_ROUND 32 /* 6.1; 6.18 has 16 */

#define SUBPROGRAMS_MAX 64
#define LOG_STATS 4
#define LOG_SIZE (1 << 20)

struct subprograms {
	uint32_t start[SUBPROGRAMS_MAX + 1];
	uint32_t frame[SUBPROGRAMS_MAX];
	uint32_t n;
	const struct bpf_insn *insns;
};

/* The instruction that a call or a pointer to a callback refers to; -1 for other instructions. */
static int64_t call_target(const struct bpf_insn *insn, uint32_t at)
{
	if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL)
		return (int64_t)at + insn->imm + 1;
	if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC)
		return (int64_t)at + insn->imm + 1;
	return -1;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void find_subprograms(struct subprograms *s, const struct bpf_program *prog)
{
	uint32_t count = bpf_program__insn_cnt(prog), kept = 1;

	*s = (struct subprograms){ .n = 1, .insns = bpf_program__insns(prog) };
	for (uint32_t i = 0; i < count; i++) {
		int64_t target = call_target(&s->insns[i], i);
		uint32_t k = 0;

		while (target >= 0 && k < s->n && s->start[k] != target)
			k++;
		if (target < 0 || k < s->n)
			continue;
		assert_true(s->n < SUBPROGRAMS_MAX);
		s->start[s->n++] = target;
	}
	kept = s->n;
	qsort(s->start, kept, sizeof(s->start[0]), by_number);
	s->start[kept] = count;
}

/* Parses "stack depth 64+0+32", in the order of the subprograms. */
static void read_frames(struct subprograms *s, const char *log)
{
	const char *at = strstr(log, "stack depth ");
	uint32_t n = 0;

	assert_non_null(at);
	at += strlen("stack depth ");
	while (n < SUBPROGRAMS_MAX) {
		char *end;

		s->frame[n++] = strtoul(at, &end, 10);
		if (*end != '+')
			break;
		at = end + 1;
	}
	assert_int_equal(n, s->n);
}

static uint32_t index_of(const struct subprograms *s, int64_t target)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->start[i] == target)
			return i;
	fail_msg("a call into the middle of a function");
	return 0;
}

/* Bytes on the deepest chain of calls from a subprogram. BPF calls cannot recurse. */
static uint32_t depth_from(const struct subprograms *s, uint32_t sub)
{
	uint32_t own = s->frame[sub] ? s->frame[sub] : 1, deepest = 0;

	own = (own + FRAME_ROUND - 1) / FRAME_ROUND * FRAME_ROUND;
	for (uint32_t i = s->start[sub]; i < s->start[sub + 1]; i++) {
		int64_t target = call_target(&s->insns[i], i);
		uint32_t depth = target < 0 ? 0 : depth_from(s, index_of(s, target));

		if (depth > deepest)
			deepest = depth;
	}
	return own + deepest;
}

static void ask_for_logs(struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
	{
		bpf_program__set_log_level(prog, LOG_STATS);
		bpf_program__set_log_buf(prog, mem_zalloc(LOG_SIZE), LOG_SIZE);
	}
}

static void check_program(struct bpf_program *prog, uint32_t insns_max)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct subprograms subs;
	size_t log_size;
	char *log = (char *)bpf_program__log_buf(prog, &log_size);
	uint32_t depth;

	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len), 0);
	find_subprograms(&subs, prog);
	read_frames(&subs, log);
	depth = depth_from(&subs, 0);
	print_message("%s: %u instructions verified (limit %u), %u bytes of stack (limit %u)\n",
		      info.name, info.verified_insns, insns_max, depth, STACK_BYTES);
	free(log);
	assert_in_range(info.verified_insns, 1, insns_max);
	assert_in_range(depth, 1, STACK_BYTES);
}

static void pod_stays_within_its_budget(void **state)
{
	struct pod_bpf *skel = pod_bpf__open();

	assert_non_null(skel);
	ask_for_logs(skel->obj);
	assert_int_equal(pod_bpf__load(skel), 0);
	check_program(skel->progs.from_pod, FROM_POD_INSNS);
	check_program(skel->progs.to_pod, TO_POD_INSNS);
	pod_bpf__destroy(skel);
}

static void uplink_stays_within_its_budget(void **state)
{
	struct uplink_bpf *skel = uplink_bpf__open();

	assert_non_null(skel);
	ask_for_logs(skel->obj);
	assert_int_equal(uplink_bpf__load(skel), 0);
	check_program(skel->progs.from_uplink, UPLINK_INSNS);
	check_program(skel->progs.to_uplink, UPLINK_INSNS);
	check_program(skel->progs.pod_outside, UPLINK_INSNS);
	uplink_bpf__destroy(skel);
}

static void gc_stays_within_its_budget(void **state)
{
	struct gc_bpf *skel = gc_bpf__open();

	assert_non_null(skel);
	ask_for_logs(skel->obj);
	assert_int_equal(gc_bpf__load(skel), 0);
	check_program(skel->progs.gc_start, GC_INSNS);
	gc_bpf__destroy(skel);
}

static void map_word_stays_within_its_budget(void **state)
{
	struct map_word_bpf *skel = map_word_bpf__open();

	assert_non_null(skel);
	ask_for_logs(skel->obj);
	assert_int_equal(map_word_bpf__load(skel), 0);
	check_program(skel->progs.store_word, MAP_WORD_INSNS);
	map_word_bpf__destroy(skel);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pod_stays_within_its_budget),
		cmocka_unit_test(uplink_stays_within_its_budget),
		cmocka_unit_test(gc_stays_within_its_budget),
		cmocka_unit_test(map_word_stays_within_its_budget),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return prog_tests_run(tests);
}
