/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What can be said of a connection from its entries alone, for the packets, the
 * sweep and user space alike: its state, and where its other half is. Reads no
 * table; time limits stand in the config.
 */
#pragma once

#include <linux/in.h>

#include <weir/types.h>

#define WEIR_FLOW_SEEN_BOTH (WEIR_FLOW_SEEN_ORIG | WEIR_FLOW_SEEN_REPLY)
#define WEIR_FLOW_FIN_BOTH (WEIR_FLOW_FIN_ORIG | WEIR_FLOW_FIN_REPLY)
#define WEIR_FLOW_RST_ANY (WEIR_FLOW_RST_ORIG | WEIR_FLOW_RST_REPLY)

/* Written as packets pass, each by its own direction. */
#define WEIR_FLOW_STATE_BITS (WEIR_FLOW_SEEN_BOTH | WEIR_FLOW_FIN_BOTH | WEIR_FLOW_RST_ANY | WEIR_FLOW_OPEN)

enum weir_flow_state {
	/* TCP */
	WEIR_STATE_OPENING,
	WEIR_STATE_OPEN,
	WEIR_STATE_CLOSING, /* both FINs, or a RST that no traffic followed */
	/* all other protocols */
	WEIR_STATE_ONE_WAY,
	WEIR_STATE_ANSWERED,
};

/* flags: of the flow's one entry, or of both entries of the pair, or-ed. */
static __always_inline enum weir_flow_state weir_flow_state(__u32 flags, __u8 proto)
{
	if (proto != IPPROTO_TCP)
		return (flags & WEIR_FLOW_SEEN_BOTH) == WEIR_FLOW_SEEN_BOTH ? WEIR_STATE_ANSWERED
									    : WEIR_STATE_ONE_WAY;
	if ((flags & WEIR_FLOW_RST_ANY) || (flags & WEIR_FLOW_FIN_BOTH) == WEIR_FLOW_FIN_BOTH)
		return WEIR_STATE_CLOSING;
	return flags & WEIR_FLOW_OPEN ? WEIR_STATE_OPEN : WEIR_STATE_OPENING;
}

static __always_inline int weir_flow_is_pair(__u32 flags)
{
	return !!(flags & WEIR_FLOW_TRANSLATED);
}

/* The client's address in an entry's key, and the address at the other end. */
static __always_inline const struct weir_addr *weir_flow_client(const struct weir_tuple *key,
								const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_ORIG_FIRST ? &key->addr[0] : &key->addr[1];
}

static __always_inline const struct weir_addr *weir_flow_far(const struct weir_tuple *key,
							     const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_ORIG_FIRST ? &key->addr[1] : &key->addr[0];
}

/* Where the forward entry of a pair leads to. */
static __always_inline const struct weir_addr *weir_flow_backend(const struct weir_tuple *key,
								 const struct weir_flow *flow)
{
	return flow->flags & WEIR_FLOW_HAIRPIN ? weir_flow_client(key, flow) : &flow->nat_addr;
}

/*
 * Key of the linked entry: both kinds lead from the client's end and nat_* to the other. A hairpin's reply entry leads
 * from the pod to the frontend, its forward entry from the reserved address to the pod.
 */
static __always_inline void weir_flow_twin_key(const struct weir_tuple *key, const struct weir_flow *flow,
					       struct weir_tuple *ret_twin)
{
	__u32 hairpin = flow->flags & WEIR_FLOW_HAIRPIN, reply = flow->flags & WEIR_FLOW_REPLY;
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	const struct weir_addr *near = &flow->nat_addr, *far = near;

	if (hairpin && reply)
		client = !client;
	if (hairpin && !reply)
		far = client ? &key->addr[1] : &key->addr[0];
	else
		near = client ? &key->addr[1] : &key->addr[0];
	weir_tuple_make(ret_twin, near, flow->nat_cport_be, far, flow->nat_port_be, key->proto,
			reply && (flow->flags & WEIR_FLOW_MARKED));
}

/* Is other, found under the key of flow's twin, that twin? It leads back to the key then. */
static __always_inline int weir_flow_is_twin(const struct weir_tuple *key, const struct weir_flow *flow,
					     const struct weir_flow *other)
{
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	int by_client = (flow->flags & WEIR_FLOW_HAIRPIN) && (flow->flags & WEIR_FLOW_REPLY);

	return weir_flow_is_pair(other->flags) && ((flow->flags ^ other->flags) & WEIR_FLOW_REPLY) &&
	       !((flow->flags ^ other->flags) & WEIR_FLOW_HAIRPIN) &&
	       other->nat_cport_be == (client ? key->port_be[1] : key->port_be[0]) &&
	       other->nat_port_be == (client ? key->port_be[0] : key->port_be[1]) &&
	       weir_addr_equal(&other->nat_addr,
			       by_client ? weir_flow_client(key, flow) : weir_flow_far(key, flow));
}
