/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where a packet goes, and the counters. Only this file and the entry programs know TC_ACT_*.
 * Passing returns TC_ACT_UNSPEC, which is TCX_NEXT: other programs after Weir's still run.
 */
#pragma once

#include <linux/pkt_cls.h>

#include "bytes.bpf.h"
#include "event.bpf.h"
#include "scratch.bpf.h"

#define PACKET_TYPE_HOST 0 /* PACKET_HOST of linux/if_packet.h */

static __always_inline void count(struct __sk_buff *skb, __u32 reason)
{
	struct weir_counter *c = bpf_map_lookup_elem(&counters, &reason);

	if (!c)
		return;
	c->packets++;
	c->bytes += skb->len;
}

static __always_inline int pass_to_stack(struct __sk_buff *skb, enum weir_reason reason)
{
	count(skb, reason);
	return TC_ACT_UNSPEC;
}

static __always_inline int drop(struct __sk_buff *skb, enum weir_reason reason)
{
	struct scratch *s = scratch_get();

	if (s)
		decision_publish(s, reason);
	count(skb, reason);
	event_send(skb, reason);
	return TC_ACT_SHOT;
}

/*
 * The MAC that the sender addressed (its gateway's) becomes the source, the pod's the destination.
 */
static __always_inline int address_to_pod(struct __sk_buff *skb, const struct weir_pod *pod)
{
	__u8 macs[12], gateway[6];

	if (packet_read(skb, 0, gateway, sizeof(gateway)))
		return -1;
	__builtin_memcpy(macs, pod->mac, 6);
	__builtin_memcpy(macs + 6, gateway, 6);
	return packet_write(skb, 0, macs, sizeof(macs));
}

/*
 * Redirects into the pod behind the device. Frames to a bridge's MAC are PACKET_OTHERHOST there and
 * would be dropped.
 */
static __always_inline int redirect_to_pod(struct __sk_buff *skb, __u32 ifindex)
{
	if (skb->pkt_type != PACKET_TYPE_HOST)
		bpf_skb_change_type(skb, PACKET_TYPE_HOST);
	return bpf_redirect_peer(ifindex, 0);
}

static __always_inline int to_local_pod(struct __sk_buff *skb, const struct weir_pod *pod,
					enum weir_reason reason)
{
	__u32 ifindex = pod->ifindex;

	if (address_to_pod(skb, pod))
		return drop(skb, WEIR_INTERNAL);
	count(skb, reason);
	return redirect_to_pod(skb, ifindex);
}

/*
 * From a pod: to a local pod by redirect, unless its flow came through the stack. All else goes to
 * the stack.
 */
static __always_inline int forward(struct __sk_buff *skb, struct scratch *s,
				   enum weir_reason reason)
{
	struct weir_pod *pod;

	if (reason == WEIR_NOT_ENFORCED)
		event_send(skb, reason);
	if (from_stack(&s->pkt) || s->route.via_stack)
		return pass_to_stack(skb, reason);
	pod = pod_by_ref(s->route.dst_ref);
	return pod ? to_local_pod(skb, pod, reason) : pass_to_stack(skb, reason);
}
