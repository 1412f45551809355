/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ICMP errors at an uplink: they follow the connection of the packet that they quote, as icmp.bpf.h
 * says, and are translated like its replies. An error about anything else passes untouched.
 */
#pragma once

#include "icmp.bpf.h"
#include "outside.bpf.h"

/* As quote_find(), of connections that uplinks translate. */
__noinline int outside_quote_find(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum outside_part part;
	struct weir_flow *flow;
	enum weir_reason why;
	int orig;

	keep_arg(skb);
	if (!s)
		return FLOW_RACE;
	s->denied = 0;
	if (read_epochs(s))
		return decided(s, WEIR_INTERNAL);
	flow = flow_lookup(s, outside_zone(&s->pkt));
	if (!flow)
		return FLOW_UNTOUCHED;
	orig = is_orig(s, flow->flags);
	part = outside_part_of(&s->pkt, flow->flags, orig);
	if (part != OUTSIDE_MINE)
		return part == OUTSIDE_FORGED ? decided(s, WEIR_ICMP_FORGED) : FLOW_UNTOUCHED;
	/* the quoted direction must have sent a packet */
	if (!(flow_flags(&s->key, flow, &s->rev_key) &
	      (orig ? WEIR_FLOW_SEEN_REPLY : WEIR_FLOW_SEEN_ORIG)))
		return decided(s, WEIR_ICMP_FORGED);
	if (check_stamps(s, flow, orig) == FLOW_STALE)
		return FLOW_STALE;
	if (s->reason)
		return FLOW_DECIDED;
	s->route.dst_ref = 0;
	route_from_flow(s, flow, orig);
	why = outside_route(s, flow, orig);
	return decided(s, why);
}

/* Decided as FORWARDED: s->route is filled, and s->pkt is the quoted packet reversed. */
static __always_inline enum flow_step outside_quoted(struct __sk_buff *skb, struct scratch *s)
{
	enum flow_step step;

	if (quote_read(skb))
		return FLOW_UNTOUCHED;
	step = outside_quote_find(skb);
	if (step == FLOW_STALE) {
		if (flow_revalidate(skb) == FLOW_NEW)
			return FLOW_UNTOUCHED;
		step = outside_quote_find(skb);
		s->judged = 0;
	}
	return step == FLOW_DECIDED || step == FLOW_UNTOUCHED ? step : decided(s, WEIR_RACE);
}
