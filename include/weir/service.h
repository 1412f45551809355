/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Services: frontends, what they lead to, and backends.
 */
#pragma once

#include <weir/addr.h>

/* An extent of elements of backend_slots[]. */
static __always_inline __u64 weir_extent(__u32 offset, __u32 len)
{
	return (__u64)offset << 32 | len;
}

static __always_inline __u32 weir_extent_offset(__u64 extent)
{
	return extent >> 32;
}

static __always_inline __u32 weir_extent_len(__u64 extent)
{
	return (__u32)extent;
}

/*
 * Key of frontends. port 0 with proto 0 is "this is a known cluster IP": its value is service 0,
 * and a packet to it that no other frontend takes is not for the stack (SVC-32, SVC-64).
 */
struct weir_frontend {
	struct weir_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 scope; /* 0; node-port scopes come later */
};
WEIR_ASSERT_SIZE(struct weir_frontend, 20);

enum weir_service_flag {
	/* hasAny of B.3: an empty extent then means DROP, not REJECT (SVC-60, SVC-61) */
	WEIR_SERVICE_USABLE = 1 << 0,
};

/* Value of services[]; service 0 stands for "no service". Each member is one store. */
struct weir_service {
	__u64 internal; /* weir_extent() of backend_slots[]: cluster IP traffic */
	__u64 external; /* not used yet */
	__u64 flags; /* enum weir_service_flag */
};
WEIR_ASSERT_SIZE(struct weir_service, 24);

enum weir_backend_flag {
	WEIR_BACKEND_SERVING = 1 << 0, /* cleared behind the generation when it stops (SVC-91) */
	WEIR_BACKEND_TAKEN = 1 << 1, /* the id is in use: stored last, cleared when no packet can
					hold it any more */
};

/*
 * Value of backends[]: one endpoint of one service port. Backend 0 is never used. It says itself
 * what it stands for, so names has no element for it.
 */
struct weir_backend {
	struct weir_addr addr;
	__be16 port_be;
	__u16 flags; /* enum weir_backend_flag */
	__u32 service;
	__u32 generation; /* raised when the endpoint stops serving, and whenever the id is reused
			   */
	__u32 slot_hint; /* written by packets: the pod that had this address last; proven before it
			    is believed */
};
WEIR_ASSERT_SIZE(struct weir_backend, 32);
