/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Updates SCTP's checksum when ports change (include/weir/crc32c.h). It covers everything from the
 * common header on and has no pseudo header, so addresses do not matter. With CHECKSUM_PARTIAL the
 * device completes it: the field holds 0 and must keep it. Never reads the payload.
 */
#pragma once

#include <weir/crc32c.h>

#include "packet.bpf.h"

#define SCTP_CHECK_OFF 8

/*
 * Is the checksum at off, which is 0, yet to be completed? If so, the kernel leaves the field alone
 * for a change outside a pseudo header; if not, 0 becomes another number, which is then undone.
 */
static __always_inline int sctp_csum_is_partial(struct __sk_buff *skb, __u32 off)
{
	__u32 sum = 0;

	if (packet_csum(skb, off, 0, 1, sizeof(sum)) || packet_read(skb, off, &sum, sizeof(sum)))
		return -1;
	if (!sum)
		return 1;
	sum = 0;
	return packet_write(skb, off, &sum, sizeof(sum)) ? -1 : 0;
}

/* A function of its own, so that the verifier walks it once and not once per caller's path. */
__noinline __u32 sctp_csum_shift(__u32 diff, __u32 len)
{
	return weir_crc32c_shift(diff, len);
}

/*
 * ports: both ports as one word in packet order. The packet still has the old ones. Returns 0 or
 * -1.
 */
__noinline int sctp_csum_update(struct __sk_buff *skb, __u32 from, __u32 to)
{
	struct scratch *s = scratch_get();
	__u32 off, sum;
	int partial;

	if (!s)
		return -1;
	off = s->pkt.l4_off + SCTP_CHECK_OFF;
	if (packet_read(skb, off, &sum, sizeof(sum)))
		return -1;
	if (!sum) {
		partial = sctp_csum_is_partial(skb, off);
		if (partial)
			return partial < 0 ? -1 : 0;
	}
	sum ^= sctp_csum_shift(from ^ to, (s->pkt.end - s->pkt.l4_off) & WEIR_CRC32C_LEN_MAX);
	return packet_write(skb, off, &sum, sizeof(sum)) ? -1 : 0;
}
