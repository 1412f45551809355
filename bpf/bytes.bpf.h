/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Access to the packet's bytes: reading, writing, its length, and the checksums that the kernel
 * must be told of. Bytes in the linear part, where headers nearly always are, are accessed directly
 * (2 ns instead of a helper's 10-15), all others by the helper. Pointers into the packet never
 * leave this file, so none can outlive a helper that moves the packet.
 *
 * Headers are taken as aligned, or clang copies them byte by byte. On machines that need alignment
 * (NET_IP_ALIGN) the verifier refuses unaligned access; on others it does not check. The helper
 * gets a buffer of its own, so that directly read values may stay in registers.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define READ_MAX 40 /* bytes in one call: the largest fixed header, IPv6's */
#define DIRECT_MAX 255 /* offsets above use the helper: the verifier needs a bound */

/*
 * Hides the offset's value from the compiler, so that it compares and adds the same register. clang
 * 14 compared l3_off where this file says l3_off + 10, and 6.1's verifier then had no bound for the
 * sum.
 */
static __always_inline __u64 opaque(__u64 off)
{
	asm volatile("" : "+r"(off));
	return off;
}

/* Returns 0, or a negative value if the packet ends before off + len. */
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

/* As packet_read(), of the link layer header only: the kernel keeps it in the linear part. */
static __always_inline int packet_read_link(struct __sk_buff *skb, const __u32 off, void *to,
					    const __u32 len)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + off + len > end)
		return -1;
	__builtin_memcpy(to, __builtin_assume_aligned(data + off, 8), len);
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
 * As packet_write(), of bytes whose change nothing in the packet makes up for. At an uplink the
 * device may have summed the whole packet (CHECKSUM_COMPLETE), and the kernel keeps that sum.
 */
static __always_inline int packet_write_summed(struct __sk_buff *skb, __u32 off, const void *from,
					       const __u32 len)
{
	__u64 apart[READ_MAX / 8];

	if (len > READ_MAX)
		return -1;
	__builtin_memcpy(apart, from, len);
	return bpf_skb_store_bytes(skb, off, apart, len, BPF_F_RECOMPUTE_CSUM);
}

/*
 * As packet_read(), always by the helper: for slow paths, so that the verifier walks one path. len
 * may be a variable.
 */
static __always_inline int packet_load(struct __sk_buff *skb, __u32 off, void *to, __u32 len)
{
	return bpf_skb_load_bytes(skb, off, to, len);
}

/*
 * Updates the L4 checksum at off for a change from `from` to `to`; the kernel knows whether that
 * checksum is complete. flags: those of bpf_l4_csum_replace().
 */
static __always_inline int packet_csum(struct __sk_buff *skb, __u32 off, __u64 from, __u64 to,
				       __u64 flags)
{
	return bpf_l4_csum_replace(skb, off, from, to, flags);
}

/* Sets the packet's length, link layer included. */
static __always_inline int packet_cut(struct __sk_buff *skb, __u32 len)
{
	return bpf_skb_change_tail(skb, len, 0);
}

/* Adds len bytes after the link layer header. 0 or -errno. */
static __always_inline int packet_make_room(struct __sk_buff *skb, __u32 len)
{
	return bpf_skb_adjust_room(skb, len, BPF_ADJ_ROOM_MAC, 0);
}

/* Removes len bytes after the network header. 0 or -errno. */
static __always_inline int packet_take_room(struct __sk_buff *skb, __u32 len)
{
	return bpf_skb_adjust_room(skb, -(__s32)len, BPF_ADJ_ROOM_NET, 0);
}
