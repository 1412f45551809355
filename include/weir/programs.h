/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All programs in one table, and the BPF objects that hold them. Loading, pinning (by these names),
 * attaching, tail calls and listing follow from it.
 *
 * WEIR_OBJECTS(X): X(name, NEED, "map of its own" or NULL)
 *   NEED: NEEDED, or OPTIONAL if some kernels refuse it and Weir works without it
 * WEIR_PROGRAMS(X): X(name, TAIL_CALL, object, HOOK)
 *   TAIL_CALL: an index of the map tail_calls[], WEIR_TAIL_CALL_<TAIL_CALL>; or empty
 */
#pragma once

#include <weir/service.h>

#define WEIR_OBJECTS(X)            \
	X(pod, NEEDED, NULL)       \
	X(uplink, NEEDED, NULL)    \
	X(host_ct, OPTIONAL, NULL) \
	X(map_word, NEEDED, NULL)  \
	X(sock, OPTIONAL, NULL)    \
	X(stale, OPTIONAL, NULL)   \
	X(gc, OPTIONAL, "gc_timer")

#define WEIR_TAIL_CALLS(X)                                \
	X(from_pod, FROM_POD, pod, INGRESS)               \
	X(to_pod, TO_POD, pod, EGRESS)                    \
	X(from_adopted, FROM_ADOPTED, host_ct, TAIL_CALL) \
	X(to_adopted, TO_ADOPTED, host_ct, TAIL_CALL)     \
	X(pod_outside, POD_OUTSIDE, uplink, TAIL_CALL)

#define WEIR_PROGRAMS(X)                         \
	WEIR_TAIL_CALLS(X)                       \
	X(from_uplink, , uplink, UPLINK_INGRESS) \
	X(to_uplink, , uplink, UPLINK_EGRESS)    \
	X(store_word, , map_word, SYSCALL)       \
	X(gc_start, , gc, START)                 \
	X(connect4, , sock, CONNECT4)            \
	X(connect6, , sock, CONNECT6)            \
	X(getpeername4, , sock, GETPEERNAME4)    \
	X(getpeername6, , sock, GETPEERNAME6)    \
	X(sendmsg4, , sock, SENDMSG4)            \
	X(sendmsg6, , sock, SENDMSG6)            \
	X(recvmsg4, , sock, RECVMSG4)            \
	X(recvmsg6, , sock, RECVMSG6)            \
	X(stale_sockets, , stale, ITERATOR)

enum weir_object {
#define WEIR_OBJECT_ENUM(name, ...) WEIR_OBJECT_##name,
	WEIR_OBJECTS(WEIR_OBJECT_ENUM)
#undef WEIR_OBJECT_ENUM
		_WEIR_OBJECT_MAX,
};

enum weir_program {
#define WEIR_PROGRAM_ENUM(name, ...) WEIR_PROGRAM_##name,
	WEIR_PROGRAMS(WEIR_PROGRAM_ENUM)
#undef WEIR_PROGRAM_ENUM
		_WEIR_PROGRAM_MAX,
};

/* Index of the map tail_calls[]: the number of the program. */
enum weir_tail_call {
#define WEIR_TAIL_CALL_ENUM(name, tail_call, ...) WEIR_TAIL_CALL_##tail_call = WEIR_PROGRAM_##name,
	WEIR_TAIL_CALLS(WEIR_TAIL_CALL_ENUM)
#undef WEIR_TAIL_CALL_ENUM
		_WEIR_TAIL_CALL_MAX,
};

enum weir_hook {
	WEIR_HOOK_INGRESS, /* tc at the host end of a pod's veth: packets from the pod */
	WEIR_HOOK_EGRESS, /* tc at the host end of a pod's veth: packets to the pod */
	WEIR_HOOK_UPLINK_INGRESS, /* tc at an uplink: packets from the network */
	WEIR_HOOK_UPLINK_EGRESS, /* tc at an uplink: packets to the network */
	WEIR_HOOK_TAIL_CALL, /* not attached: entered by tail call */
	WEIR_HOOK_SYSCALL, /* not attached: user space runs it */
	WEIR_HOOK_START, /* not attached: user space runs it once after load */
	WEIR_HOOK_ITERATOR, /* not attached: user space reads what it writes */
	/* at the cgroup of the node's processes: calls of their sockets */
	WEIR_HOOK_CONNECT4,
	WEIR_HOOK_CONNECT6,
	WEIR_HOOK_GETPEERNAME4,
	WEIR_HOOK_GETPEERNAME6,
	WEIR_HOOK_SENDMSG4,
	WEIR_HOOK_SENDMSG6,
	WEIR_HOOK_RECVMSG4,
	WEIR_HOOK_RECVMSG6,
};

/* ---- Arguments of programs ---------------------------------------------------------------- */

/* What a program passes on by tail call: per CPU, for one packet. */
struct weir_handoff {
	/* tick | 1 of the packet that host_ct was asked about; 0: none (bpf/midstream.bpf.h) */
	__u32 host_asked;
	__u32 pad; /* values of per-CPU maps are rounded up to 8 bytes */
};
WEIR_ASSERT_SIZE(struct weir_handoff, 8);

/*
 * Argument of program store_word: stores one word in place in a hash map (docs/design.md,
 * "Atomic").
 */
enum weir_store_target {
	WEIR_STORE_IDENTITY, /* identities[addr] = value */
	WEIR_STORE_FRONTEND, /* frontends[frontend] = value */
	WEIR_STORE_NODE, /* nodes[addr] = value */
};

struct weir_store_word {
	__u64 value; /* of maps with values of 32 bits: as much of it */
	__u32 map; /* enum weir_store_target */
	union {
		struct weir_addr addr;
		struct weir_frontend frontend;
	};
	/* the program returns 0, or -ENOENT if the key is missing */
};
WEIR_ASSERT_SIZE(struct weir_store_word, 32);
