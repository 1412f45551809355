/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What packets and the sweep both need to know about a connection: its twin,
 * its state, its time limit, and how it is removed. Shared by tc_pod and gc.
 *
 * Two things can race for an entry: packets on several CPUs, and the sweep.
 * bpf_map_delete_elem has one winner; places are given back by whoever turns
 * flow_keys[place].used from set to clear, so none is given back twice. A
 * reader that still holds a deleted entry may see another flow's value in it:
 * its ends then do not match the arriving device, and stamps are only written by
 * compare-and-exchange, so the worst result is one packet that is dropped or
 * judged again.
 */
#pragma once

#include <linux/in.h>
#include <linux/in6.h>

#include <weir/config.h>

#include "maps.bpf.h"

#define FLOW_SEEN_BOTH (WEIR_FLOW_SEEN_ORIG | WEIR_FLOW_SEEN_REPLY)
#define FLOW_FIN_BOTH (WEIR_FLOW_FIN_ORIG | WEIR_FLOW_FIN_REPLY)
#define FLOW_RST_ANY (WEIR_FLOW_RST_ORIG | WEIR_FLOW_RST_REPLY)

/* struct weir_flow_key.used in flow_keys[] */
enum place_use {
	PLACE_FREE,
	PLACE_USED,
	PLACE_SUSPECT, /* the sweep found no entry for it; freed on the next round */
};

static __always_inline int flow_is_pair(__u32 flags)
{
	return !!(flags & WEIR_FLOW_TRANSLATED);
}

/* Key of the linked entry: both kinds lead from the client's end and nat_* to the other. */
static __always_inline void flow_twin_key(const struct weir_tuple *key, const struct weir_flow *flow,
					  struct weir_tuple *ret_twin)
{
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	__u8 mark = (flow->flags & WEIR_FLOW_REPLY) && (flow->flags & WEIR_FLOW_MARKED);

	weir_tuple_make(ret_twin, client ? &key->addr[1] : &key->addr[0], flow->nat_cport_be, &flow->nat_addr,
			flow->nat_port_be, key->proto, mark);
}

/* Is other, found under the key of flow's twin, that twin? It leads back to the key then. */
static __always_inline int flow_is_twin(const struct weir_tuple *key, const struct weir_flow *flow,
					const struct weir_flow *other)
{
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;

	return flow_is_pair(other->flags) && ((flow->flags ^ other->flags) & WEIR_FLOW_REPLY) &&
	       other->nat_cport_be == (client ? key->port_be[1] : key->port_be[0]) &&
	       other->nat_port_be == (client ? key->port_be[0] : key->port_be[1]) &&
	       weir_addr_equal(&other->nat_addr, client ? &key->addr[0] : &key->addr[1]);
}

enum flow_state {
	FLOW_OPENING,
	FLOW_OPEN,
	FLOW_CLOSING,
};

/* flags: of the flow's one entry, or of both entries of the pair, or-ed. */
static __always_inline enum flow_state flow_state(__u32 flags)
{
	if ((flags & FLOW_RST_ANY) || (flags & FLOW_FIN_BOTH) == FLOW_FIN_BOTH)
		return FLOW_CLOSING;
	return flags & WEIR_FLOW_OPEN ? FLOW_OPEN : FLOW_OPENING;
}

static __always_inline __u32 flow_timeout(const struct weir_config *c, __u8 proto, __u32 flags)
{
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return c->timeout[WEIR_TIMEOUT_ECHO];
	if (proto == IPPROTO_UDP)
		return c->timeout[(flags & FLOW_SEEN_BOTH) == FLOW_SEEN_BOTH ? WEIR_TIMEOUT_UDP_ANSWERED
									     : WEIR_TIMEOUT_UDP_ONE_WAY];
	if (proto != IPPROTO_TCP)
		return c->timeout[WEIR_TIMEOUT_OTHER];
	switch (flow_state(flags)) {
	case FLOW_CLOSING:
		return c->timeout[WEIR_TIMEOUT_TCP_CLOSING];
	case FLOW_OPEN:
		return c->timeout[WEIR_TIMEOUT_TCP_OPEN];
	default:
		return c->timeout[WEIR_TIMEOUT_TCP_OPENING];
	}
}

/* Gives a place of flow_keys[] back, once. expect: what it must be used as. */
static __always_inline void place_free(__u32 place, __u32 expect)
{
	struct weir_flow_key *k = bpf_map_lookup_elem(&flow_keys, &place);

	if (k && __sync_val_compare_and_swap(&k->used, expect, PLACE_FREE) == expect)
		bpf_map_push_elem(&free_keys, &place, 0);
}

/* Removes one entry; its place goes back if this call was the one that removed it. */
static __always_inline void flow_delete_entry(const struct weir_tuple *key, const struct weir_flow *flow)
{
	__u32 place = flow->place;

	if (bpf_map_delete_elem(&conntrack, key))
		return;
	if (place != WEIR_NO_PLACE)
		place_free(place, PLACE_USED);
}

/* Removes a flow, with its twin if it has one. twin: room for the twin's key, outside of any memory handed in. */
static __always_inline void flow_delete(const struct weir_tuple *key, struct weir_flow *flow,
					struct weir_tuple *twin)
{
	struct weir_flow *other = NULL;

	if (flow_is_pair(flow->flags)) {
		flow_twin_key(key, flow, twin);
		other = bpf_map_lookup_elem(&conntrack, twin);
		if (other && !flow_is_twin(key, flow, other))
			other = NULL;
	}
	flow_delete_entry(key, flow);
	if (other)
		flow_delete_entry(twin, other);
}
