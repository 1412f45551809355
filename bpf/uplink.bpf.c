// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The two programs at every uplink: clients outside of the cluster reach Services by them. Read
 * top-down, they are the packet's path: parse, connection (frontend and backend only if new or
 * stale), translation, the stack or a redirect. A packet that cannot be parsed, or is of no
 * frontend, passes untouched: the stack knows what it is.
 */
#include "fragment.bpf.h"
#include "outside.bpf.h"
#include "outside_icmp.bpf.h"

static __always_inline enum weir_reason translate(struct __sk_buff *skb, struct scratch *s)
{
	if (s->pkt.fragment)
		return fragment_nat(skb);
	return nat_apply(skb, s) ? WEIR_INTERNAL : WEIR_FORWARDED;
}

/* Before the translation, so that an ICMP error quotes the packet as it was sent. */
static __always_inline enum weir_reason find_way_out(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why = s->route.dst_ref ? WEIR_FORWARDED : (enum weir_reason)path_find(skb);

	if (why)
		return why;
	return hops_take(skb) ? WEIR_HOPS_EXCEEDED : WEIR_FORWARDED;
}

/* The translated packet leaves by redirect: to a pod of this node, or along s->path. */
static __always_inline int leave(struct __sk_buff *skb, struct scratch *s, enum weir_reason reason)
{
	struct weir_pod *pod;

	if (!s->route.dst_ref) {
		count(skb, reason);
		return path_take(s);
	}
	pod = pod_by_ref(s->route.dst_ref);
	return pod ? to_local_pod(skb, pod, reason) : drop(skb, WEIR_RACE);
}

/* After the way is found and the packet is translated. */
static __always_inline int outside_send(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason reason = s->denied ? WEIR_NOT_ENFORCED : WEIR_FORWARDED;

	if (s->denied)
		event_send(skb, reason);
	return s->route.outside ? leave(skb, s, reason) : pass_to_stack(skb, reason);
}

static __always_inline int outside_forward(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why = WEIR_FORWARDED;

	if (s->pkt.fragment == FRAGMENT_HEAD)
		fragment_keep(skb);
	if (s->route.outside)
		why = find_way_out(skb, s);
	if (why)
		return drop_outside(skb, s, why);
	if (s->route.rewrite)
		why = translate(skb, s);
	return why ? drop(skb, why) : outside_send(skb, s);
}

/* What is not this hook's passes; a pod's answer must not reach the stack, so it is dropped. */
static __always_inline int untouched(struct __sk_buff *skb, const struct scratch *s)
{
	return pod_sends(&s->pkt) ? drop(skb, WEIR_RACE) : TC_ACT_UNSPEC;
}

static __always_inline int outside_error(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;

	decision_begin(s);
	if (outside_quoted(skb, s) != FLOW_DECIDED)
		return untouched(skb, s);
	why = s->reason;
	if (!why && s->route.outside)
		why = find_way_out(skb, s);
	if (!why && s->route.rewrite && quote_nat(skb))
		why = WEIR_INTERNAL;
	return why ? drop(skb, why) : outside_send(skb, s);
}

static __always_inline int outside_packet(struct __sk_buff *skb, struct scratch *s, __u8 hook)
{
	enum weir_reason why = pkt_parse(skb, s, hook);

	if (why == WEIR_FRAGMENT)
		why = fragment_parse(skb);
	if (why == WEIR_ICMP_ERROR)
		return outside_error(skb, s);
	if (why || s->pkt.multicast)
		return untouched(skb, s);
	/* what this node or its pods send by the stack was proven before */
	s->pkt.host_origin = !!from_stack(&s->pkt);
	if (outside_flow(skb, s) != FLOW_DECIDED)
		return untouched(skb, s);
	why = s->reason;
	if (weir_verdict_of(why) != WEIR_PASS)
		return drop_outside(skb, s, why);
	return outside_forward(skb, s);
}

/* Every packet that comes in by an uplink. */
SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	if (!s || skb->pkt_type != PACKET_TYPE_HOST) /* not sent to this node */
		return TC_ACT_UNSPEC;
	return outside_packet(skb, s, HOOK_FROM_UPLINK);
}

/* Every packet that leaves by an uplink. */
SEC("tc")
int to_uplink(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	return s ? outside_packet(skb, s, HOOK_TO_UPLINK) : TC_ACT_UNSPEC;
}

/*
 * A packet of a pod that from_pod has judged, of a connection whose client outside the pod sees
 * with another address.
 */
SEC("tc")
int pod_outside(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	return s ? outside_packet(skb, s, HOOK_POD_SENDS) : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
