/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ones' complement arithmetic on values. Touches no packet: nat.bpf.h, icmp.bpf.h and reject.bpf.h
 * change the packets' checksums.
 */
#pragma once

#include <weir/addr.h>

/* Folds a sum to the 32 bits that the kernel's helpers take. */
static __always_inline __u32 csum_32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

/* Folds and complements a sum for a header field. */
static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline __u64 csum_words(const __u32 *words, const __u32 n, __u64 sum)
{
	for (__u32 i = 0; i < n; i++)
		sum += words[i];
	return sum;
}

/* Difference that replacing one 16-bit word makes to a sum. */
static __always_inline __u32 word_diff(__u16 old, __u16 new)
{
	return (__u32)(__u16)~old + new;
}

/* The same for an address. The first 12 bytes of two IPv4 addresses are equal and add nothing. */
static __always_inline __u32 addr_diff(const struct weir_addr *old, const struct weir_addr *new)
{
	__u64 sum = 0;

	for (int i = 0; i < 4; i++)
		sum += (__u64)(__u32)~old->w[i] + new->w[i];
	return csum_32(sum);
}
