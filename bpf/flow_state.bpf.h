/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What packets and gc share about a connection: its reverse entry, state, time limit and removal.
 * Included by pod and gc.
 *
 * Packets on several CPUs and gc can race for an entry. bpf_map_delete_elem has one winner; a gc
 * slot is returned by the CPU that turns gc_slots[slot].mark from used to free, so none is returned
 * twice. A reader that still holds a deleted entry may see another flow's value in it: its ends
 * then do not match the arriving device, and stamps are written by compare-and-swap only, so at
 * worst one packet is dropped or judged again.
 */
#pragma once

#include <linux/in.h>
#include <linux/in6.h>

#include <weir/limits.h>
#include <weir/flow.h>

#include "scratch.bpf.h"

/*
 * Copies to s->snat_rev the key of the reverse entry of one with WEIR_FLOW_SNAT and that gc slot,
 * or after a race the key of another flow. A function of its own, so that the verifier walks it
 * once.
 */
__noinline int snat_rev_key(__u32 slot)
{
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);
	struct scratch *s = scratch_get();
	__u32 other;

	if (!k || !s)
		return -1;
	other = READ_WORD(k->other);
	k = bpf_map_lookup_elem(&gc_slots, &other);
	if (!k)
		return -1;
	s->snat_rev = k->key;
	return 0;
}

/* Copies to s->peer what weir_flow_peer() finds, of s->snat_flow. */
__noinline int snat_peer(__u32 slot)
{
	const struct weir_addr *peer;
	struct scratch *s = scratch_get();

	if (!s || snat_rev_key(slot))
		return -1;
	peer = weir_flow_peer(&s->snat_flow, &s->snat_rev);
	if (!peer)
		return -1;
	s->peer = *peer;
	return 0;
}

/* Copies the client's other address to s->peer. -1: the flow is just being removed. */
static __always_inline int flow_peer(struct scratch *s, const struct weir_flow *flow)
{
	s->snat_flow.nat_addr = flow->nat_addr;
	s->snat_flow.nat_port_be = flow->nat_port_be;
	s->snat_flow.nat_cport_be = flow->nat_cport_be;
	return snat_peer(flow->gc_slot);
}

/* Key of the reverse entry of a pair. Returns 0, or -1 if there is none. */
static __always_inline int flow_rev_key(const struct weir_tuple *key, const struct weir_flow *flow,
					struct weir_tuple *ret_key)
{
	struct scratch *s;

	if (!(flow->flags & WEIR_FLOW_SNAT)) {
		weir_flow_rev_key(key, flow, ret_key);
		return 0;
	}
	s = scratch_get();
	if (!s || snat_rev_key(flow->gc_slot))
		return -1;
	*ret_key = s->snat_rev;
	return 0;
}

/* The reverse entry, or NULL if the flow has none. ret_key: its key, if the flow is a pair. */
static __always_inline struct weir_flow *
flow_rev(const struct weir_tuple *key, const struct weir_flow *flow, struct weir_tuple *ret_key)
{
	struct weir_flow *rev;

	if (!weir_flow_is_pair(flow->flags) || flow_rev_key(key, flow, ret_key))
		return NULL;
	rev = bpf_map_lookup_elem(&conntrack, ret_key);
	return rev && weir_flow_is_rev(key, flow, rev) ? rev : NULL;
}

/*
 * Flags of the whole flow: of its only entry, or of both entries of the pair, or-ed. room: for a
 * key. ret_last_seen: tick of the last packet in either direction.
 */
static __always_inline __u32 flow_joint(const struct weir_tuple *key, const struct weir_flow *flow,
					struct weir_tuple *room, __u32 *ret_last_seen)
{
	struct weir_flow *rev = flow_rev(key, flow, room);

	*ret_last_seen = flow->last_seen;
	if (!rev)
		return flow->flags;
	if ((__s32)(rev->last_seen - *ret_last_seen) > 0)
		*ret_last_seen = rev->last_seen;
	return flow->flags | rev->flags;
}

/* The flags alone. */
static __always_inline __u32 flow_flags(const struct weir_tuple *key, const struct weir_flow *flow,
					struct weir_tuple *room)
{
	__u32 last_seen;

	return flow_joint(key, flow, room, &last_seen);
}

static __always_inline __u32 flow_timeout(const struct weir_config *c, __u8 proto, __u32 flags)
{
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return c->timeout[WEIR_TIMEOUT_ECHO];
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return c->timeout[WEIR_TIMEOUT_OTHER];
	switch (weir_flow_state(flags, proto)) {
	case WEIR_STATE_ONE_WAY:
		return c->timeout[WEIR_TIMEOUT_UDP_ONE_WAY];
	case WEIR_STATE_ANSWERED:
		return c->timeout[WEIR_TIMEOUT_UDP_ANSWERED];
	case WEIR_STATE_CLOSING:
		return c->timeout[WEIR_TIMEOUT_TCP_CLOSING];
	case WEIR_STATE_OPEN:
		return c->timeout[WEIR_TIMEOUT_TCP_OPEN];
	default:
		return c->timeout[WEIR_TIMEOUT_TCP_OPENING];
	}
}

/* What one entry, or one half-open flow, adds to the counts of its bucket and of all. */
__noinline int count_entries(__u32 bucket, __s32 entries, __s32 half_open)
{
	struct weir_flow_share *share = bpf_map_lookup_elem(&flow_shares, &bucket);
	__u32 zero = 0;
	struct weir_config *c = bpf_map_lookup_elem(&config, &zero);

	if (!share || !c)
		return 0;
	if (entries) {
		__sync_fetch_and_add(&share->entries, entries);
		__sync_fetch_and_add(&c->entries, entries);
	}
	if (half_open) {
		__sync_fetch_and_add(&share->half_open, half_open);
		__sync_fetch_and_add(&c->half_open, half_open);
	}
	return 0;
}

/* Changes the use of a gc slot, if it is `from`, and the counts with it. Returns whether it was. */
static __always_inline int gc_slot_use(struct weir_key_slot *k, __u16 from, __u16 to)
{
	union weir_gc_mark old = { .word = READ_WORD(k->mark.word) }, new = old;

	new.used = to;
	if (old.used != from ||
	    __sync_val_compare_and_swap(&k->mark.word, old.word, new.word) != old.word)
		return 0;
	count_entries(old.bucket, (from == WEIR_GC_FREE) - (to == WEIR_GC_FREE),
		      (to == WEIR_GC_HALF_OPEN) - (from == WEIR_GC_HALF_OPEN));
	return 1;
}

/* Frees a gc slot that is used so. Returns whether it was: one CPU wins it. */
static __always_inline int gc_slot_free(struct weir_key_slot *k, __u32 slot, __u16 from)
{
	if (!gc_slot_use(k, from, WEIR_GC_FREE))
		return 0;
	if (bpf_map_push_elem(&gc_free, &slot, 0)) /* its lock was held too long: gc tries again */
		gc_slot_use(k, WEIR_GC_FREE, WEIR_GC_SUSPECT);
	return 1;
}

/* Frees the gc slot of an entry that is removed, or was not inserted. */
static __always_inline void gc_slot_return(struct weir_key_slot *k, __u32 slot)
{
	if (!gc_slot_free(k, slot, WEIR_GC_HALF_OPEN))
		gc_slot_free(k, slot, WEIR_GC_USED);
}

/*
 * Counts flows with WEIR_ZONE_DIRECT. Called before an insert and after a removal: the count is
 * never too low.
 */
static __always_inline void zoned_add(__s32 n)
{
	__u32 zero = 0;
	struct weir_config *c = bpf_map_lookup_elem(&config, &zero);

	if (c)
		__sync_fetch_and_add(&c->zoned_flows, n);
}

/*
 * Removes one entry, and returns its gc slot if this call removed it. The entry may have become
 * another flow's since it was found, and so may the slot: hence the comparison of the slot's key.
 * gc finds slots that are not returned here.
 */
static __always_inline int flow_delete_entry(const struct weir_tuple *key,
					     const struct weir_flow *flow)
{
	__u32 slot = flow->gc_slot;
	struct weir_key_slot *k;

	if (bpf_map_delete_elem(&conntrack, key))
		return -1;
	if (key->zone & WEIR_ZONE_DIRECT)
		zoned_add(-1);
	k = bpf_map_lookup_elem(&gc_slots, &slot);
	if (k && weir_tuple_equal(&k->key, key))
		gc_slot_return(k, slot);
	return 0;
}

/*
 * Removes a flow with its reverse entry. rev: room for that one's key, not inside key or flow.
 * Returns how many entries this call removed.
 */
static __always_inline int flow_delete(const struct weir_tuple *key, struct weir_flow *flow,
				       struct weir_tuple *rev)
{
	struct weir_flow *other = flow_rev(key, flow, rev);
	int n = !flow_delete_entry(key, flow);

	return other ? n + !flow_delete_entry(rev, other) : n;
}
