/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading and writing the packet's bytes: directly where they lie in the linear
 * part, as headers nearly always do (2 ns instead of a helper's 10-15), else by
 * the helper. Pointers into the packet never leave this file, so no helper that
 * moves the packet can leave one behind. Headers are taken as aligned, or clang
 * copies them byte by byte: where the hardware wants them aligned (NET_IP_ALIGN) the
 * verifier refuses what is not, and where it does not care the verifier does not either. The helper gets a
 * buffer of its own, so that what is read directly may stay in registers.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define READ_MAX 40 /* bytes in one call: the largest fixed header, IPv6's */
#define DIRECT_MAX 255 /* offsets above go by the helper: the verifier wants a bound */

/*
 * The offset as a value of which the compiler knows nothing, so that it compares
 * and adds the same register: clang 14 compared l3_off where this file says
 * l3_off + 10, and 6.1's verifier then knew no bound of the sum.
 */
static __always_inline __u64 opaque(__u64 off)
{
	asm volatile("" : "+r"(off));
	return off;
}

/* 0, or negative where the packet ends before off + len. */
static __always_inline int packet_read(struct __sk_buff *skb, __u32 off, void *to, const __u32 len)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u64 at = __builtin_constant_p(off) ? off : opaque(off);
	__u64 apart[READ_MAX / 8];

	if (at <= DIRECT_MAX && data + at + len <= end) {
		__builtin_memcpy(to, __builtin_assume_aligned(data + at, 8), len);
		return 0;
	}
	if (len > READ_MAX || bpf_skb_load_bytes(skb, off, apart, len))
		return -1;
	__builtin_memcpy(to, apart, len);
	return 0;
}

static __always_inline int packet_write(struct __sk_buff *skb, __u32 off, const void *from, const __u32 len)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u64 at = __builtin_constant_p(off) ? off : opaque(off);
	__u64 apart[READ_MAX / 8];

	if (at <= DIRECT_MAX && data + at + len <= end) {
		__builtin_memcpy(__builtin_assume_aligned(data + at, 8), from, len);
		return 0;
	}
	if (len > READ_MAX)
		return -1;
	__builtin_memcpy(apart, from, len);
	return bpf_skb_store_bytes(skb, off, apart, len, 0);
}
