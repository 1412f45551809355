/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The programs' clock: ticks of 2^WEIR_TICK_SHIFT ns of CLOCK_MONOTONIC. */
#pragma once

#include "scratch.bpf.h"

/*
 * Reads the clock only when jiffies changed, which is when the coarse clock changes: jiffies cost
 * one load, the clock 5-15 ns.
 */
static __always_inline __u32 ticks_now(struct scratch *s)
{
	__u64 jiffies = bpf_jiffies64();

	if (s->clock_jiffies != jiffies) {
		s->clock_jiffies = jiffies;
		s->clock_ticks = bpf_ktime_get_coarse_ns() >> WEIR_TICK_SHIFT;
	}
	return s->clock_ticks;
}

/* Ticks from then to now; 0 if then was written by another CPU whose clock is ahead. */
static __always_inline __u32 ticks_since(__u32 now, __u32 then)
{
	__s32 passed = now - then;

	return passed > 0 ? passed : 0;
}

/*
 * One more in a fixed window of a tick, for a bucket of pods: word has the tick in its upper half
 * and the count in its lower. Returns how many came before, at most limit. RACE: a lost
 * compare-and-swap goes uncounted, at most one extra per CPU.
 */
static __always_inline __u32 window_take(__u64 *word, __u32 now, __u32 limit)
{
	__u64 old = READ_WORD(*word), new = old;

	if (!old || ticks_since(now, old >> 32))
		new = (__u64)now << 32;
	if ((__u32) new < limit)
		__sync_val_compare_and_swap(word, old, new + 1);
	return new;
}
