/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Services: frontends, the backends that they lead to, and how these are listed. */
#pragma once

#include <weir/addr.h>

/* An extent: consecutive elements of backend_slots[]. */
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
 * Key of frontends. port 0 with proto 0 stands for "this is a cluster IP": its value is service 0,
 * and a packet to the address that matches no other frontend does not go to the stack (SVC-32,
 * SVC-64).
 */
struct weir_frontend {
	struct weir_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 scope; /* 0 */
};
WEIR_ASSERT_SIZE(struct weir_frontend, 20);

enum weir_service_flag {
	/* usable endpoints exist elsewhere: if none is here, drop, not reject (SVC-60, SVC-61) */
	WEIR_SERVICE_USABLE = 1 << 0,
};

/* Value of services[]; service 0 means "no service". Each member is changed by one store. */
struct weir_service {
	__u64 internal; /* weir_extent() of backend_slots[]: cluster IP traffic */
	__u64 external; /* 0: external frontends are not served yet */
	__u64 flags; /* enum weir_service_flag */
};
WEIR_ASSERT_SIZE(struct weir_service, 24);

enum weir_backend_flag {
	/* cleared after generation is raised when the endpoint stops serving (SVC-91) */
	WEIR_BACKEND_SERVING = 1 << 0,
	/* the id is in use: set last, cleared when no packet can hold it any more */
	WEIR_BACKEND_TAKEN = 1 << 1,
};

/*
 * Value of backends[]: one endpoint of one service port. Backend 0 is never used. The value
 * identifies its endpoint, so backends have no element in names.
 */
struct weir_backend {
	struct weir_addr addr;
	__be16 port_be;
	__u16 flags; /* enum weir_backend_flag */
	__u32 service;
	__u32 generation; /* raised when the endpoint stops serving and when the id is reused */
	/* slot of the pod with this address, written by packets; verified before use */
	__u32 slot_hint;
};
WEIR_ASSERT_SIZE(struct weir_backend, 32);
