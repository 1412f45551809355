/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * All programs in one table, and the BPF objects that they are in. Loading, pinning (by these
 * names), attaching, tail calls and listing follow from it.
 *
 * WEIR_OBJECTS(X): X(name, NEED, "map of its own" or NULL)
 *   NEED: NEEDED, or OPTIONAL where some kernels refuse it and Weir works without
 * WEIR_PROGRAMS(X): X(name, STEP, object, HOOK)
 *   STEP: those of WEIR_STEPS are elements of the map steps[], as WEIR_STEP_<STEP>; others have
 *   none
 */
#pragma once

#include <weir/service.h>

#define WEIR_OBJECTS(X)            \
	X(pod, NEEDED, NULL)       \
	X(host_ct, OPTIONAL, NULL) \
	X(map_word, NEEDED, NULL)  \
	X(gc, OPTIONAL, "gc_timer")

#define WEIR_STEPS(X)                                \
	X(from_pod, FROM_POD, pod, INGRESS)          \
	X(to_pod, TO_POD, pod, EGRESS)               \
	X(from_adopted, FROM_ADOPTED, host_ct, STEP) \
	X(to_adopted, TO_ADOPTED, host_ct, STEP)

#define WEIR_PROGRAMS(X)                   \
	WEIR_STEPS(X)                      \
	X(store_word, , map_word, SYSCALL) \
	X(gc_start, , gc, START)

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

/* Index of steps[], for tail calls: the number of the program. */
enum weir_step {
#define WEIR_STEP_ENUM(name, step, ...) WEIR_STEP_##step = WEIR_PROGRAM_##name,
	WEIR_STEPS(WEIR_STEP_ENUM)
#undef WEIR_STEP_ENUM
		_WEIR_STEP_MAX,
};

enum weir_hook {
	WEIR_HOOK_INGRESS, /* tc, at the host's end of a pod's veth: what the pod sends */
	WEIR_HOOK_EGRESS, /* the same: what the pod is sent */
	WEIR_HOOK_STEP, /* nowhere: by tail call */
	WEIR_HOOK_SYSCALL, /* nowhere: user space runs it */
	WEIR_HOOK_START, /* nowhere: run once, after it was loaded */
};

/*
 * ---- What they are given ------------------------------------------------------------------------
 */

/* What a program hands to the one that it goes on in (steps); on one CPU, for one packet. */
struct weir_handoff {
	__u32 host_asked; /* tick of the packet of which the host's conntrack was asked
			     (bpf/midstream.bpf.h) */
	__u32 pad; /* values of per-CPU maps are rounded up to 8 bytes */
};
WEIR_ASSERT_SIZE(struct weir_handoff, 8);

/*
 * Argument of the `store_word` program: one word stored in place in a hash map (docs/design.md,
 * "Atomic").
 */
enum weir_word_map {
	WEIR_WORD_IDENTITY, /* identities[addr] = value */
	WEIR_WORD_FRONTEND, /* frontends[frontend] = value */
};

struct weir_map_word {
	__u32 map; /* enum weir_word_map */
	__u32 value;
	union {
		struct weir_addr addr;
		struct weir_frontend frontend;
	};
	__u32 pad;
	/* the program returns 0, or -ENOENT when the key is not there */
};
WEIR_ASSERT_SIZE(struct weir_map_word, 32);
