// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * gc: removes expired connections, with no process alive. A timer visits a slice of gc_slots[] per
 * tick (a walk of a hash cannot be resumed from BPF). Every entry has a slot there, both entries of
 * a pair too, so that one that lost the other in a race is found as well.
 *
 * An expired entry is flagged, and removed if the next round finds it still flagged: by then no
 * reader can hold it, and a packet that came meanwhile has cleared the flag. A separate object:
 * PREEMPT_RT kernels refuse bpf_timer.
 */
#include <asm-generic/errno-base.h>

#include "flow_state.bpf.h"

#define CLOCK_MONOTONIC 1
#define NS_PER_US 1000

struct gc {
	struct bpf_timer timer;
	__u32 next; /* slot to visit */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gc);
} gc_timer SEC(".maps");

struct slice {
	const struct weir_config *config;
	struct gc *gc;
	__u32 now;
};

/* A flow that gc visits: flags and last packet of both of its entries. */
struct visit {
	__u32 joint;
	__u32 last_seen; /* tick */
};

/* Flags an expired flow; returns whether the flag of the last round still stands. */
static __always_inline int expire(const struct slice *slice, const struct visit *v, __u8 proto,
				  struct weir_flow *flow)
{
	__u32 flags = flow->flags;

	if ((__s32)(slice->now - v->last_seen) <=
	    (__s32)flow_timeout(slice->config, proto, v->joint)) {
		if (flags & WEIR_FLOW_EXPIRING) /* the other direction is alive */
			__sync_fetch_and_and(&flow->flags, ~(__u32)WEIR_FLOW_EXPIRING);
		return 0;
	}
	if (!(flags & WEIR_FLOW_EXPIRING)) {
		__sync_fetch_and_or(&flow->flags, WEIR_FLOW_EXPIRING);
		return 0;
	}
	/* if a packet changed the flags meanwhile, the flow lives on */
	return __sync_val_compare_and_swap(&flow->flags, flags, flags | WEIR_FLOW_DEAD) == flags;
}

/*
 * A slot without an entry: freed at the second visit only, since the entry may be about to be
 * inserted.
 */
static __always_inline void gc_orphan(struct weir_key_slot *k, __u32 slot)
{
	if (!gc_slot_free(k, slot, WEIR_GC_SUSPECT) &&
	    !gc_slot_use(k, WEIR_GC_HALF_OPEN, WEIR_GC_SUSPECT))
		gc_slot_use(k, WEIR_GC_USED, WEIR_GC_SUSPECT);
}

/* An end of another attachment than the one that is there: no packet can follow this flow. */
static __always_inline int pod_is_gone(const struct weir_flow *flow)
{
	__u32 client = flow->end[0].ref, server = flow->end[1].ref;

	return (client && !pod_by_ref(client)) || (server && !pod_by_ref(server));
}

/* For what the gc slot of an entry is used. */
static __always_inline __u16 gc_use_of(const struct weir_flow *flow, const struct visit *v,
				       __u8 proto)
{
	__u32 settled = WEIR_FLOW_OPEN | (proto == IPPROTO_TCP ? 0 : WEIR_FLOW_SEEN_REPLY);

	return (flow->flags & WEIR_FLOW_REPLY) || (v->joint & settled) ? WEIR_GC_USED
								       : WEIR_GC_HALF_OPEN;
}

static __always_inline void gc_slot_visit(const struct slice *slice, __u32 slot)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);
	struct weir_tuple key, rev;
	struct weir_flow *flow;
	struct visit v;

	if (!k || k->mark.used == WEIR_GC_FREE)
		return;
	key = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &key);
	if (!flow || flow->gc_slot != slot) {
		gc_orphan(k, slot);
		return;
	}
	v.joint = flow_joint(&key, flow, &rev, &v.last_seen);
	if (k->mark.used == WEIR_GC_SUSPECT) /* the insert was under way at the last visit */
		gc_slot_use(k, WEIR_GC_SUSPECT, gc_use_of(flow, &v, key.proto));
	if (pod_is_gone(flow) || expire(slice, &v, key.proto, flow))
		flow_delete(&key, flow, &rev);
}

static long gc_step(__u32 i, struct slice *slice)
{
	__u32 zero = 0, slot;
	struct weir_config *c = bpf_map_lookup_elem(&config, &zero);
	struct gc *gc = bpf_map_lookup_elem(&gc_timer, &zero);

	if (!c || !gc)
		return 1;
	slice->config = c;
	slot = gc->next;
	if (slot >= c->gc_slots) {
		slot = 0;
		c->gc_rounds++;
	}
	gc->next = slot + 1;
	gc_slot_visit(slice, slot);
	return 0;
}

static int gc_tick(void *map, __u32 *key, struct gc *gc)
{
	struct slice slice = { .now = bpf_ktime_get_coarse_ns() >> WEIR_TICK_SHIFT };
	__u32 zero = 0, slots;
	struct weir_config *c = bpf_map_lookup_elem(&config, &zero);

	if (!c)
		return 0;
	slots = c->gc_slice < WEIR_GC_SLICE_MAX ? c->gc_slice : WEIR_GC_SLICE_MAX;
	if (slots > c->gc_slots) /* at most one round per tick: packets need time to clear a flag */
		slots = c->gc_slots;
	bpf_loop(slots, gc_step, &slice, 0);
	bpf_timer_start(&gc->timer, (__u64)c->gc_interval_us * NS_PER_US, 0);
	return 0;
}

/*
 * Starts the timer. User space runs it once after the maps are made; running it again is harmless.
 * A tc program, run with any frame: 6.1 refuses queues in syscall programs. Returns 0 or -errno.
 */
SEC("tc")
int gc_start(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct gc *gc = bpf_map_lookup_elem(&gc_timer, &zero);
	long r;

	if (!gc)
		return -1;
	r = bpf_timer_init(&gc->timer, &gc_timer, CLOCK_MONOTONIC);
	if (r && r != -EBUSY) /* started before */
		return r;
	r = bpf_timer_set_callback(&gc->timer, gc_tick);
	return r ? r : bpf_timer_start(&gc->timer, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
