// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The sweep: forgets connections whose time is over, with no process alive. A
 * timer walks flow_keys[] a slice a tick (a hash cannot be resumed from BPF),
 * where every entry has a place, both halves of a pair and so also a half that
 * lost the other in a race.
 * What is over is marked, and removed when the next round finds it still marked:
 * by then no reader can hold it, and a packet that came in between has taken
 * the mark away. Loaded apart: PREEMPT_RT kernels refuse bpf_timer.
 */
#include "flow_state.bpf.h"

#define CLOCK_MONOTONIC 1
#define NS_PER_US 1000

struct sweep {
	struct bpf_timer timer;
	__u32 next; /* place to look at */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sweep);
} sweep_timer SEC(".maps");

struct slice {
	const struct weir_config *config;
	struct sweep *sweep;
	__u32 now;
};

/* When did either direction last see a packet, and what do both entries say together? */
static __always_inline __u32 joint_state(const struct weir_tuple *key, const struct weir_flow *flow,
					 __u32 *last_seen)
{
	struct weir_tuple twin_key;
	struct weir_flow *twin;

	*last_seen = flow->last_seen;
	twin = flow_twin(key, flow, &twin_key);
	if (!twin)
		return flow->flags;
	if ((__s32)(twin->last_seen - *last_seen) > 0)
		*last_seen = twin->last_seen;
	return flow->flags | twin->flags;
}

static __always_inline void expire(const struct weir_tuple *key, struct weir_flow *flow)
{
	__u32 flags = flow->flags;
	struct weir_tuple twin;

	if (!(flags & WEIR_FLOW_EXPIRING)) {
		__sync_fetch_and_or(&flow->flags, WEIR_FLOW_EXPIRING);
		return;
	}
	/* a packet that came since has changed the flags, and the flow lives on */
	if (__sync_val_compare_and_swap(&flow->flags, flags, flags | WEIR_FLOW_DEAD) == flags)
		flow_delete(key, flow, &twin);
}

/* A place whose flow is gone: free it, but not while its flow is being inserted, so only on the second sight. */
static __always_inline void sweep_orphan(struct weir_flow_key *k, __u32 place)
{
	if (k->used == PLACE_SUSPECT)
		place_free(k, place, PLACE_SUSPECT);
	else
		__sync_val_compare_and_swap(&k->used, PLACE_USED, PLACE_SUSPECT);
}

static __always_inline void sweep_place(const struct slice *slice, __u32 place)
{
	struct weir_flow_key *k = bpf_map_lookup_elem(&flow_keys, &place);
	__u32 flags, last_seen;
	struct weir_flow *flow;
	struct weir_tuple key;

	if (!k || k->used == PLACE_FREE)
		return;
	key = k->key;
	flow = bpf_map_lookup_elem(&conntrack, &key);
	if (!flow || flow->place != place) {
		sweep_orphan(k, place);
		return;
	}
	if (k->used == PLACE_SUSPECT) /* its insert was under way when we looked last */
		__sync_val_compare_and_swap(&k->used, PLACE_SUSPECT, PLACE_USED);
	flags = joint_state(&key, flow, &last_seen);
	if ((__s32)(slice->now - last_seen) > (__s32)flow_timeout(slice->config, key.proto, flags))
		expire(&key, flow);
	else if (flow->flags & WEIR_FLOW_EXPIRING) /* the reply's direction is alive */
		__sync_fetch_and_and(&flow->flags, ~(__u32)WEIR_FLOW_EXPIRING);
}

static long sweep_step(__u32 i, struct slice *slice)
{
	__u32 zero = 0, place;
	struct weir_config *c = bpf_map_lookup_elem(&config, &zero);
	struct sweep *sweep = bpf_map_lookup_elem(&sweep_timer, &zero);

	if (!c || !sweep)
		return 1;
	slice->config = c;
	place = sweep->next;
	if (place >= c->conntrack_places) {
		place = 0;
		c->sweeps++;
	}
	sweep->next = place + 1;
	sweep_place(slice, place);
	return 0;
}

static int sweep_tick(void *map, __u32 *key, struct sweep *sweep)
{
	struct slice slice = { .now = bpf_ktime_get_coarse_ns() >> WEIR_TICK_SHIFT };
	__u32 zero = 0, places;
	struct weir_config *c = bpf_map_lookup_elem(&config, &zero);

	if (!c)
		return 0;
	places = c->sweep_slice < WEIR_SWEEP_SLICE_MAX ? c->sweep_slice : WEIR_SWEEP_SLICE_MAX;
	if (places > c->conntrack_places) /* at most one round a tick: a mark needs time before the removal */
		places = c->conntrack_places;
	bpf_loop(places, sweep_step, &slice, 0);
	bpf_timer_start(&sweep->timer, (__u64)c->sweep_interval_us * NS_PER_US, 0);
	return 0;
}

/*
 * Run once after the maps are made; again it is harmless. A tc program, run by
 * BPF_PROG_RUN with any frame: 6.1 refuses queues in syscall programs. Returns 0
 * or -errno.
 */
SEC("tc")
int sweep_start(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct sweep *sweep = bpf_map_lookup_elem(&sweep_timer, &zero);
	long r;

	if (!sweep)
		return -1;
	r = bpf_timer_init(&sweep->timer, &sweep_timer, CLOCK_MONOTONIC);
	if (r && r != -16 /* EBUSY: made before */)
		return r;
	r = bpf_timer_set_callback(&sweep->timer, sweep_tick);
	return r ? r : bpf_timer_start(&sweep->timer, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
