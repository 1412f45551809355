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

/* What a key of frontends stands for. Another number here is another table of frontends. */
enum weir_frontend_scope {
	WEIR_SCOPE_ADDRESS, /* one address */
	/*
	 * every address of this node that serves node ports, which nodes[] says; addr is the
	 * family's unspecified address (SVC-36, SVC-63)
	 */
	WEIR_SCOPE_NODE_PORT,
};

/*
 * Key of frontends. port 0 with proto 0 stands for "this is a cluster IP": its value is service 0,
 * and a packet to the address that matches no other frontend does not go to the stack (SVC-32,
 * SVC-64). An address goes before a node port (SVC-7).
 */
struct weir_frontend {
	struct weir_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 scope; /* enum weir_frontend_scope */
};
WEIR_ASSERT_SIZE(struct weir_frontend, 20);

enum weir_frontend_flag {
	/* external IP, load balancer address or node port: not the list of cluster IP traffic */
	WEIR_FRONTEND_EXTERNAL = 1 << 0,
	/* only sources in source_ranges may begin a connection (SVC-50 to SVC-55) */
	WEIR_FRONTEND_RANGES = 1 << 1,
};

/* Value of frontends: id of the service port and enum weir_frontend_flag, stored as one word. */
static __always_inline __u64 weir_frontend_word(__u32 service, __u32 flags)
{
	return (__u64)flags << 32 | service;
}

static __always_inline __u32 weir_frontend_service(__u64 word)
{
	return (__u32)word;
}

static __always_inline __u32 weir_frontend_flags(__u64 word)
{
	return word >> 32;
}

/*
 * Key of source_ranges, of service ports with WEIR_FRONTEND_RANGES: the longest prefix is of the
 * service's id and the source address. There is no element for what is not allowed.
 */
struct weir_source_range {
	__u32 prefix_len; /* WEIR_SOURCE_RANGE_BITS and the length of the block */
	__u32 service;
	struct weir_addr addr;
};
WEIR_ASSERT_SIZE(struct weir_source_range, 24);

#define WEIR_SOURCE_RANGE_BITS 32 /* of the service's id */

enum weir_service_flag {
	/* usable endpoints exist elsewhere: if none is here, drop, not reject (SVC-60 to SVC-62) */
	WEIR_SERVICE_USABLE = 1 << 0,
	/* externalTrafficPolicy Local: clients outside keep their address (B.9) */
	WEIR_SERVICE_EXTERNAL_LOCAL = 1 << 1,
};

/*
 * The upper half of a service's flags counts how often its session affinity was turned on: records
 * of another count are none (SVC-73).
 */
#define WEIR_AFFINITY_COUNT_SHIFT 16

/* The lists of candidates of a service port: which one a new connection chooses from. */
enum weir_list {
	WEIR_LIST_INTERNAL, /* traffic to the cluster IP, of all clients */
	WEIR_LIST_EXTERNAL, /* to other frontends, from clients outside */
	WEIR_LIST_SHORT, /* the same from pods of this node, and from the node itself (SVC-35) */
	_WEIR_LIST_MAX,
};

/* Value of services[]; service 0 means "no service". Each member is changed by one store. */
struct weir_service {
	/* by enum weir_list: weir_extent() of backend_slots[]; equal lists share one extent */
	__u64 extents[_WEIR_LIST_MAX];
	__u32 flags; /* enum weir_service_flag */
	__u32 affinity_s; /* sessionAffinity ClientIP: its timeout; 0: none */
};
WEIR_ASSERT_SIZE(struct weir_service, 32);

/* Does a list with a lower number have the same extent? */
static __always_inline int weir_extent_is_shared(const struct weir_service *s, int list)
{
	for (int i = 0; i < list; i++)
		if (s->extents[i] == s->extents[list])
			return 1;
	return 0;
}

/* Elements of backend_slots[] that it leads to. */
static __always_inline __u32 weir_service_slots(const struct weir_service *s)
{
	__u32 n = 0;

	for (int list = 0; list < _WEIR_LIST_MAX; list++)
		if (!weir_extent_is_shared(s, list))
			n += weir_extent_len(s->extents[list]);
	return n;
}

enum weir_backend_flag {
	/* cleared after generation is raised when the endpoint stops serving (SVC-91) */
	WEIR_BACKEND_SERVING = 1 << 0,
	/* the id is in use: set last, cleared when no packet can hold it any more */
	WEIR_BACKEND_TAKEN = 1 << 1,
	/* of services with session affinity: a bit for each list that has the backend (SVC-74) */
	WEIR_BACKEND_LISTED = 1 << 2, /* of WEIR_LIST_INTERNAL */
	WEIR_BACKEND_LISTED_ALL = (WEIR_BACKEND_LISTED << _WEIR_LIST_MAX) - WEIR_BACKEND_LISTED,
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

/*
 * Key of affinity: the client as it sent, before any translation (SVC-70). A process of this node
 * whose socket has no address yet: the unspecified one of its family.
 */
struct weir_affinity_key {
	__u32 service;
	struct weir_addr client;
};
WEIR_ASSERT_SIZE(struct weir_affinity_key, 20);

/* The backend of the client's last connection to that service port. Written by packets. */
struct weir_affinity {
	__u64 used_ns; /* bpf_ktime_get_ns() of that connection (SVC-71) */
	__u32 backend, generation;
	__u32 count; /* the service's, WEIR_AFFINITY_COUNT_SHIFT */
	__u32 unused;
};
WEIR_ASSERT_SIZE(struct weir_affinity, 24);
