/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The packet's bytes, and nothing else knows how to reach them: reading, writing, its length, and
 * the sums that the kernel must be told of. Directly where they lie in the linear part, as headers
 * nearly always do (2 ns instead of a helper's 10-15), else by the helper. Pointers into the packet
 * never leave this file, so no helper that moves the packet can leave one behind. Headers are taken
 * as aligned, or clang copies them byte by byte: where the hardware wants them aligned
 * (NET_IP_ALIGN) the verifier refuses what is not, and where it does not care the verifier does not
 * either. The helper gets a buffer of its own, so that what is read directly may stay in registers.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define READ_MAX 40 /* bytes in one call: the largest fixed header, IPv6's */
#define DIRECT_MAX 255 /* offsets above go by the helper: the verifier wants a bound */

/*
 * The offset as a value of which the compiler knows nothing, so that it compares and adds the same
 * register: clang 14 compared l3_off where this file says l3_off + 10, and 6.1's verifier then knew
 * no bound of the sum.
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

static __always_inline int packet_write(struct __sk_buff *skb, __u32 off, const void *from,
					const __u32 len)
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

/*
 * As packet_read(), always by the helper: for what is rare, so that the verifier has one way to
 * walk. len may vary.
 */
static __always_inline int packet_load(struct __sk_buff *skb, __u32 off, void *to, __u32 len)
{
	return bpf_skb_load_bytes(skb, off, to, len);
}

/*
 * Changes the L4 sum at off for a change from `from` to `to`, whether the kernel holds that sum for
 * complete or not. flags: those of bpf_l4_csum_replace().
 */
static __always_inline int packet_sum(struct __sk_buff *skb, __u32 off, __u64 from, __u64 to,
				      __u64 flags)
{
	return bpf_l4_csum_replace(skb, off, from, to, flags);
}

/* Sets the packet's length, from the link layer on. */
static __always_inline int packet_cut(struct __sk_buff *skb, __u32 len)
{
	return bpf_skb_change_tail(skb, len, 0);
}

/* Makes room behind the link layer's header, or takes len bytes away behind the network header. */
static __always_inline int packet_make_room(struct __sk_buff *skb, __u32 len)
{
	return bpf_skb_adjust_room(skb, len, BPF_ADJ_ROOM_MAC, 0);
}

static __always_inline int packet_take_room(struct __sk_buff *skb, __u32 len)
{
	return bpf_skb_adjust_room(skb, -(__s32)len, BPF_ADJ_ROOM_NET, 0);
}
