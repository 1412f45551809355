/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How SCTP's checksum (CRC32c, RFC 9260 appendix A) changes with the first bytes of a message. A
 * CRC is linear: the CRCs of two messages of equal length differ by the CRC of their difference,
 * and each zero byte that follows multiplies that by x^8. So the rest of the message is never read,
 * and n bytes cost one multiplication for each bit that is set in n.
 *
 * Polynomials over GF(2) modulo CRC32c's, bit-reflected: x^0 is the top bit.
 */
#pragma once

#include <linux/types.h>

#include <weir/addr.h>

#define WEIR_CRC32C_POLYNOMIAL 0x82f63b78u
#define WEIR_CRC32C_LEN_MAX 0xffff /* bytes that the shift below covers: an IP packet has fewer */

/*
 * value if the lowest bit of bits is set, else 0. Multiplies instead of masking: 6.18's verifier
 * forks its state at the "and" with a mask of all zeros or all ones.
 */
static __always_inline __u32 weir_crc32c_if(__u32 bits, __u32 value)
{
	__u64 bit = bits & 1;

	asm volatile("" : "+r"(bit));
	return (__u32)bit * value;
}

/* Not inlined: called sixteen times. */
static __attribute__((noinline)) __u32 weir_crc32c_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int bit = 31; bit >= 0; bit--) {
		product ^= weir_crc32c_if(a >> bit, b);
		b = b >> 1 ^ weir_crc32c_if(b, WEIR_CRC32C_POLYNOMIAL);
	}
	return product;
}

#define WEIR_CRC32C_ONE 0x80000000u /* x^0 */

/* value * x^(8 * 2^bit) if that bit is set in len, else value * 1; power: x^(8 * 2^bit). */
static __always_inline __u32 weir_crc32c_step(__u32 value, __u32 len, int bit, __u32 power)
{
	__u32 chosen = WEIR_CRC32C_ONE ^ weir_crc32c_if(len >> bit, power ^ WEIR_CRC32C_ONE);

	return weir_crc32c_multiply(chosen, value);
}

/*
 * How the checksum of a message of len bytes changes (exclusive or) when its first four bytes
 * change by diff; both in memory order, read as little endian.
 */
static __always_inline __u32 weir_crc32c_shift(__u32 diff, __u32 len)
{
	diff = weir_crc32c_step(diff, len, 0, 0x00800000);
	diff = weir_crc32c_step(diff, len, 1, 0x00008000);
	diff = weir_crc32c_step(diff, len, 2, 0x82f63b78);
	diff = weir_crc32c_step(diff, len, 3, 0x6ea2d55c);
	diff = weir_crc32c_step(diff, len, 4, 0x18b8ea18);
	diff = weir_crc32c_step(diff, len, 5, 0x510ac59a);
	diff = weir_crc32c_step(diff, len, 6, 0xb82be955);
	diff = weir_crc32c_step(diff, len, 7, 0xb8fdb1e7);
	diff = weir_crc32c_step(diff, len, 8, 0x88e56f72);
	diff = weir_crc32c_step(diff, len, 9, 0x74c360a4);
	diff = weir_crc32c_step(diff, len, 10, 0xe4172b16);
	diff = weir_crc32c_step(diff, len, 11, 0x0d65762a);
	diff = weir_crc32c_step(diff, len, 12, 0x35d73a62);
	diff = weir_crc32c_step(diff, len, 13, 0x28461564);
	diff = weir_crc32c_step(diff, len, 14, 0xbf455269);
	return weir_crc32c_step(diff, len, 15, 0xe2ea32dc);
}
