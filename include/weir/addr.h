/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Addresses: one type for both families. Every other header here includes it.
 *
 * BPF programs and user space share these headers; nothing in them is defined a second time
 * elsewhere. Byte order: addresses and fields that end in _be are network order, all else is host
 * order. A value that changes after insert is one aligned word (docs/design.md, "Atomic").
 */
#pragma once

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define WEIR_ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), #type " is " #size " bytes")

/* One address of either family. IPv4 is kept as ::ffff:a.b.c.d (PARSE-4). */
struct weir_addr {
	union {
		__u8 b[16];
		__be32 w[4]; /* no wider member, so that keys stay 4-aligned without holes */
	};
};
WEIR_ASSERT_SIZE(struct weir_addr, 16);

/*
 * An address as two 8-aligned words, for the packet path. Copied half by half: clang 14 copies the
 * whole struct byte by byte.
 */
struct weir_wide {
	__u64 half[2];
};
WEIR_ASSERT_SIZE(struct weir_wide, sizeof(struct weir_addr));

static __always_inline struct weir_wide weir_wide(const struct weir_addr *addr)
{
	struct weir_wide wide;

	__builtin_memcpy(&wide, addr, sizeof(wide));
	return wide;
}

static __always_inline void weir_wide_set(struct weir_wide *to, const struct weir_wide *from)
{
	to->half[0] = from->half[0];
	to->half[1] = from->half[1];
}

#define WEIR_V4_PREFIX_BITS 96 /* an IPv4 /n is a /(96 + n) here */

static __always_inline int weir_addr_equal(const struct weir_addr *a, const struct weir_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

static __always_inline int weir_addr_is_zero(const struct weir_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

static __always_inline int weir_addr_is_v4(const struct weir_addr *a)
{
	return !(a->w[0] | a->w[1]) && a->b[8] == 0 && a->b[9] == 0 && a->b[10] == 0xff &&
	       a->b[11] == 0xff;
}

static __always_inline struct weir_addr weir_addr_from_v4(__be32 v4)
{
	struct weir_addr a = {};

	a.b[10] = 0xff;
	a.b[11] = 0xff;
	a.w[3] = v4;
	return a;
}
