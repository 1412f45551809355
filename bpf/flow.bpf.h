/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Connections: finds the one that a packet belongs to, verifies its ends, keeps its state, judges
 * it again after a change, and creates new ones.
 *
 *   flow_find        known and current: the common case, one look-up
 *   flow_revalidate  known, but policy or services changed since
 *   flow_create      not known: backend, both verdicts, entries (flow_create.bpf.h)
 */
#pragma once

#include "flow_state.bpf.h"
#include "policy.bpf.h"
#include "service.bpf.h"

/* The next step. */
enum flow_step {
	FLOW_DECIDED, /* none: s->reason says why the packet is passed or dropped */
	FLOW_NEW, /* of no live flow: flow_create() */
	FLOW_STALE, /* policy or services changed since: flow_revalidate() */
	FLOW_RACE, /* another CPU was faster: look up again */
	FLOW_UNTOUCHED, /* none: at an uplink, and no packet of a frontend */
};

static __always_inline enum flow_step decided(struct scratch *s, enum weir_reason why)
{
	s->reason = why;
	return FLOW_DECIDED;
}

static __always_inline __u32 current_stamp(const struct scratch *s)
{
	return s->policy_epoch << 1 | 1;
}

static __always_inline int read_epochs(struct scratch *s)
{
	struct weir_config *c = config_get();

	if (!c)
		return -1;
	s->zoned_flows = READ_WORD(c->zoned_flows);
	s->policy_epoch = READ_WORD(c->policy_epoch) & 0x7fffffff;
	s->service_epoch = READ_WORD(c->service_epoch);
	return 0;
}

/* Does this packet have the direction of its flow's first packet? */
static __always_inline int is_orig(const struct scratch *s, __u32 flags)
{
	return !!s->first == !!(flags & WEIR_FLOW_ORIG_FIRST);
}

/*
 * The entry that the packet belongs to. A packet that meets a reverse entry in its original
 * direction belongs to a direct flow of its own, with WEIR_ZONE_DIRECT; that flow keeps that zone
 * after the translated flow ends. Leaves in s->key the key that the flow has or would get. With no
 * such flow, the usual case, the second look-up is skipped: a miss costs as much as an insert.
 */
static __always_inline struct weir_flow *flow_lookup(struct scratch *s, const __u8 zone)
{
	struct pkt *p = &s->pkt;
	struct weir_flow *flow, *direct;

	s->leftover = 0;
	s->first = weir_tuple_make_wide(&s->key, &p->src_wide, p->sport_be, &p->dst_wide,
					p->dport_be, p->proto, zone);
	flow = bpf_map_lookup_elem(&conntrack, &s->key);
	if (!flow && !s->zoned_flows)
		return NULL;
	if (!flow || ((flow->flags & WEIR_FLOW_REPLY) && is_orig(s, flow->flags))) {
		s->key.zone = zone | WEIR_ZONE_DIRECT;
		direct = bpf_map_lookup_elem(&conntrack, &s->key);
		if (direct && !is_orig(s, direct->flags))
			direct = NULL;
		s->key.zone = flow || direct ? zone | WEIR_ZONE_DIRECT : zone;
		flow = direct;
	}
	if (flow && (flow->flags & WEIR_FLOW_DEAD))
		return NULL;
	return flow;
}

/*
 * ref of the pod behind a device, or 0. Slow path only: otherwise an entry's end proves the pod.
 * Tries the result of this CPU's last call first, and verifies it the same way.
 */
static __always_inline __u32 ref_by_device(struct scratch *s, __u32 ifindex)
{
	struct weir_pod *pod = pod_by_ref(s->last_ref);
	struct weir_attachment *a;

	if (pod && pod->ifindex == ifindex)
		return s->last_ref;
	a = bpf_map_lookup_elem(&attachments, &ifindex);
	if (!a)
		return 0;
	pod = bpf_map_lookup_elem(&pods, &a->slot);
	if (!pod || pod->ifindex != ifindex)
		return 0;
	s->last_ref = READ_WORD(pod->ref);
	return s->last_ref;
}

/* Whose budgets a packet uses that is seen at this device. */
static __always_inline __u32 bucket_of_device(struct scratch *s, __u32 ifindex)
{
	return at_uplink(&s->pkt) ? WEIR_OUTSIDE_BUCKET
				  : weir_pod_bucket(ref_by_device(s, ifindex));
}

/* An all-zero address means that the pod has none of that family. */
static __always_inline int pod_has_addr(const struct weir_pod *pod, const struct weir_addr *addr,
					__u8 v6)
{
	return !weir_addr_is_zero(addr) &&
	       weir_addr_equal(v6 ? &pod->addr[1] : &pod->addr[0], addr);
}

/*
 * May the pod use this address? Its own, and with the opt-out any other, a virtual one, that is
 * neither a recorded pod's nor a node's.
 */
static __always_inline int pod_uses_addr(const struct weir_pod *pod, const struct weir_addr *addr,
					 __u8 v6)
{
	if (pod_has_addr(pod, addr, v6))
		return 1;
	return pod_has_flag(pod, WEIR_POD_ANY_SENDER) && !bpf_map_lookup_elem(&endpoints, addr) &&
	       !bpf_map_lookup_elem(&nodes, addr);
}

/* The ref of an end now: the pod with its address, or the one that uses it as a virtual one. */
static __always_inline __u32 end_ref_now(const struct weir_end *end, const struct weir_addr *addr)
{
	__u32 ref = pod_ref_by_addr(addr);
	struct weir_pod *pod = ref ? NULL : pod_by_ref(end->ref);

	return pod && pod_uses_addr(pod, addr, !weir_addr_is_v4(addr)) ? end->ref : ref;
}

/* Result of verifying an end of an entry that is a local pod. */
enum flow_end {
	END_PROVEN, /* that pod, at that device */
	END_ELSEWHERE, /* that pod is at another device */
	END_GONE, /* the slot has another attachment: the entry is stale */
};

/* device 0: any. */
static __always_inline enum flow_end check_end(__u32 ref, __u32 device)
{
	struct weir_pod *pod = pod_by_ref(ref);

	if (!pod)
		return END_GONE;
	return device && pod->ifindex != device ? END_ELSEWHERE : END_PROVEN;
}

/* The pod that sends the packet. */
static __always_inline enum flow_end check_sender(struct __sk_buff *skb, struct scratch *s,
						  __u32 ref)
{
	struct weir_pod *pod = pod_by_ref(ref);

	if (!pod)
		return END_GONE;
	if (!((pod->ifindex ^ s->pkt.device) | mac_diff(skb, pod)))
		return END_PROVEN;
	if (pod->ifindex != s->pkt.device)
		return END_ELSEWHERE;
	if (pod_has_flag(pod, WEIR_POD_ANY_SENDER))
		return END_PROVEN;
	s->reason = WEIR_SPOOFED_MAC;
	return END_ELSEWHERE;
}

/* The pod that sent the packet that comes from the stack. */
static __always_inline enum flow_end check_source(__u32 ref, __u32 device)
{
	struct weir_pod *pod = pod_by_ref(ref);

	if (!pod)
		return END_GONE;
	return device && !pod_is_behind(pod, device) ? END_ELSEWHERE : END_PROVEN;
}

/* Verifies both ends of the packet's flow. END_ELSEWHERE: s->reason says which end. */
static __always_inline enum flow_end check_ends(struct __sk_buff *skb, struct scratch *s,
						struct weir_flow *flow, int orig)
{
	__u32 src_ref = orig ? flow->end[0].ref : flow->end[1].ref;
	__u32 dst_ref = orig ? flow->end[1].ref : flow->end[0].ref;
	enum flow_end end;

	s->route.dst_ref = dst_ref;
	s->reason = WEIR_SPOOFED;
	if (pod_sends(&s->pkt)) {
		end = check_sender(skb, s, src_ref);
		if (end == END_PROVEN && dst_ref)
			end = check_end(dst_ref, 0);
		return end;
	}
	end = check_end(dst_ref, s->pkt.device);
	if (end == END_ELSEWHERE)
		s->reason = WEIR_NOT_FOR_POD; /* a frame that a bridge flooded */
	if (end == END_PROVEN && src_ref)
		end = check_source(src_ref, s->pkt.from_device);
	return end;
}

/*
 * The entry at s->key must be removed before the packet can begin a new flow: this entry only, not
 * one that another CPU inserts meanwhile.
 */
static __always_inline enum flow_step flow_leave(struct scratch *s, const struct weir_flow *flow)
{
	s->leftover = 1;
	s->leftover_sequence = flow->sequence;
	return FLOW_NEW;
}

/* Is the sender known, so that nobody outside forged the packet? */
static __always_inline int proves_reset(const struct pkt *pkt)
{
	return pod_sends(pkt) || pkt->host_origin;
}

/*
 * The flags of the reverse entry of the pair at s->key, in s->rev_flags. -1: it has none. A
 * function of its own: only for packets that may begin a flow.
 */
__noinline int read_rev_flags(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_flow *flow, *rev;

	keep_arg(skb);
	if (!s)
		return -1;
	flow = bpf_map_lookup_elem(&conntrack, &s->key);
	rev = flow ? flow_rev(&s->key, flow, &s->rev_key) : NULL;
	if (!rev)
		return -1;
	s->rev_flags = rev->flags;
	return 0;
}

/*
 * Does this packet begin a new flow on an existing entry? A SYN does on a closing flow, one of a
 * known sender on a flow with a RST of anybody, and on an opening flow whose backend is gone. Any
 * packet that may begin a flow does on a pair that lost its reverse entry in a race; open flows are
 * not checked for that, it would cost them a look-up per packet.
 */
static __always_inline int flow_restarts(struct __sk_buff *skb, struct scratch *s,
					 struct weir_flow *flow, int orig)
{
	int tcp = s->pkt.proto == IPPROTO_TCP;
	__u32 flags = flow->flags;
	enum weir_flow_state state;

	if (!s->pkt.begins || (!tcp && (!orig || (flags & WEIR_FLOW_OPEN))))
		return 0;
	if (weir_flow_is_pair(flags)) {
		if (read_rev_flags(skb))
			return 1;
		flags |= s->rev_flags;
	}
	if (!tcp)
		return 0;
	state = weir_flow_state(flags, IPPROTO_TCP);
	return state == WEIR_STATE_CLOSING ||
	       ((flags & WEIR_FLOW_RST_ANY) && proves_reset(&s->pkt)) ||
	       (orig && state == WEIR_STATE_OPENING && backend_gone(flow));
}

/* key, flow: the forward or only entry of a flow that is not half-open any more. */
static __always_inline void leave_half_open(const struct weir_tuple *key,
					    const struct weir_flow *flow)
{
	__u32 slot = flow->gc_slot;
	struct weir_key_slot *k = bpf_map_lookup_elem(&gc_slots, &slot);

	if (k && weir_tuple_equal(&k->key, key))
		gc_slot_use(k, WEIR_GC_HALF_OPEN, WEIR_GC_USED);
}

/*
 * The first reply of the flow at s->key, whose flags these are. Without a handshake it is all that
 * a flow needs to be no longer half-open.
 */
__noinline int flow_answered(__u32 flags)
{
	struct scratch *s = scratch_get();
	struct weir_flow *flow;

	if (!s)
		return 0;
	flow = bpf_map_lookup_elem(&conntrack, &s->key);
	s->other = s->key;
	if (flow && (flags & WEIR_FLOW_REPLY)) {
		flow = flow_rev(&s->key, flow, &s->rev_key);
		s->other = s->rev_key;
	}
	if (flow)
		leave_half_open(&s->other, flow);
	return 0;
}

/* The flow at s->key is open if it has these bits. A function of its own: once for each flow. */
__noinline int flow_open_with(__u32 needs)
{
	struct scratch *s = scratch_get();
	struct weir_flow *flow;

	if (!s)
		return 0;
	flow = bpf_map_lookup_elem(&conntrack, &s->key);
	if (!flow || (flow_flags(&s->key, flow, &s->rev_key) & needs) != needs)
		return 0;
	__sync_fetch_and_or(&flow->flags, WEIR_FLOW_OPEN);
	leave_half_open(&s->key, flow);
	return 0;
}

/*
 * The originator's first packet after a reply: the flow is open. TCP
 * needs an ACK of a SYN-ACK: a listener answers a SYN and ignores a segment without ACK, so that
 * one end alone could hold open flows. A wrong ACK makes the listener send a RST.
 */
static __always_inline void flow_open(const struct pkt *p)
{
	int tcp = p->proto == IPPROTO_TCP;

	if (!tcp || (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK)
		flow_open_with(WEIR_FLOW_SEEN_REPLY | (tcp ? WEIR_FLOW_SYN_ACK : 0));
}

/*
 * Queues the flow at s->key, which may be closing, so that the oldest can be reclaimed when the
 * table is full. reply: that is a reverse entry. A function of its own: once for each FIN.
 */
__noinline int queue_closing(__u32 reply)
{
	struct scratch *s = scratch_get();
	struct weir_flow *flow;

	if (!s)
		return 0;
	s->other = s->key;
	if (reply) {
		flow = bpf_map_lookup_elem(&conntrack, &s->key);
		if (!flow || flow_rev_key(&s->key, flow, &s->other))
			return 0;
	}
	bpf_map_push_elem(&closing_keys, &s->other, BPF_EXIST);
	return 0;
}

static __always_inline int is_syn_ack(const struct pkt *pkt)
{
	return (pkt->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

/*
 * State bits that this packet sets for its direction. Reply bits are the originator's shifted by
 * one.
 */
static __always_inline __u32 packet_bits(const struct pkt *pkt, int orig)
{
	__u32 bits = WEIR_FLOW_SEEN_ORIG;

	if (pkt->tcp_flags & TCP_FIN)
		bits |= WEIR_FLOW_FIN_ORIG;
	if (pkt->tcp_flags & TCP_RST)
		bits |= WEIR_FLOW_RST_ORIG;
	if (orig)
		return bits;
	return bits << 1 | (is_syn_ack(pkt) ? WEIR_FLOW_SYN_ACK : 0);
}

_Static_assert(WEIR_FLOW_SEEN_REPLY == WEIR_FLOW_SEEN_ORIG << 1 &&
		       WEIR_FLOW_FIN_REPLY == WEIR_FLOW_FIN_ORIG << 1 &&
		       WEIR_FLOW_RST_REPLY == WEIR_FLOW_RST_ORIG << 1,
	       "packet_bits() shifts");

/*
 * The bits of this direction's RST, if this packet proves that RST forged: a blind RST then has no
 * effect.
 */
static __always_inline __u32 reset_refuted(const struct scratch *s, __u32 flags, __u32 bits,
					   int orig)
{
	__u32 rst = flags & (orig ? WEIR_FLOW_RST_ORIG : WEIR_FLOW_RST_REPLY) & ~bits;
	__u8 age = s->pkt.now - (flags >> WEIR_FLOW_RST_TICK_SHIFT);

	/* 0xff: noted by a CPU whose clock is a tick ahead, so just now */
	return rst && age >= WEIR_RST_SETTLE_TICKS && age != 0xff
		       ? rst | rst << WEIR_FLOW_RST_PROVEN_SHIFT
		       : 0;
}

/*
 * Notes the RST's tick for reset_refuted(), and whether its source is proven. rst: its bit. Two
 * RSTs at once may mix their ticks.
 */
static __always_inline void note_reset(const struct scratch *s, struct weir_flow *flow, __u32 rst)
{
	__u32 note = s->pkt.now << WEIR_FLOW_RST_TICK_SHIFT;

	if (proves_reset(&s->pkt))
		note |= rst << WEIR_FLOW_RST_PROVEN_SHIFT;
	__sync_fetch_and_and(&flow->flags, ~WEIR_FLOW_RST_TICK);
	__sync_fetch_and_or(&flow->flags, note);
}

/*
 * Updates the state of the packet's direction. Writes the entry only when something changes, so
 * that an established flow's cache line stays shared. Returns 0 if the entry is dead.
 */
static __always_inline int flow_touch(struct scratch *s, struct weir_flow *flow, int orig)
{
	__u32 bits = packet_bits(&s->pkt, orig), flags = READ_WORD(flow->flags);
	__u32 reset = reset_refuted(s, flags, bits, orig);

	if (flow->last_seen != s->pkt.now)
		flow->last_seen = s->pkt.now;
	if (flags & (reset | WEIR_FLOW_EXPIRING)) {
		flags = __sync_fetch_and_and(&flow->flags, ~(reset | WEIR_FLOW_EXPIRING));
		if (flags & WEIR_FLOW_DEAD)
			return 0;
	}
	if (bits & WEIR_FLOW_RST_ANY)
		note_reset(s, flow, bits & WEIR_FLOW_RST_ANY);
	if ((flags & bits) != bits) {
		__sync_fetch_and_or(&flow->flags, bits);
		if (bits & ~flags & (WEIR_FLOW_FIN_BOTH | WEIR_FLOW_RST_ANY))
			queue_closing(flags & WEIR_FLOW_REPLY);
		if ((bits & ~flags & WEIR_FLOW_SEEN_REPLY) && s->pkt.proto != IPPROTO_TCP)
			flow_answered(flags);
	}
	if (orig && !(flags & WEIR_FLOW_OPEN))
		flow_open(&s->pkt);
	return 1;
}

/* The rewrite that a packet of such a flow gets. In a hairpin the client is at both ends. */
static __always_inline __u8 rewrite_of(__u32 flags, int orig)
{
	if (!weir_flow_is_pair(flags))
		return 0;
	if (!(flags & WEIR_FLOW_SERVICE))
		return REWRITE_PORTS;
	if (flags & (WEIR_FLOW_HAIRPIN | WEIR_FLOW_SNAT))
		return REWRITE_PORTS | REWRITE_ADDRS;
	return REWRITE_PORTS | (orig ? REWRITE_DST : REWRITE_SRC);
}

/*
 * Fills s->route for a packet of a known flow; of one with WEIR_FLOW_SNAT only the member outside,
 * the rest is outside_route()'s.
 */
static __always_inline void route_from_flow(struct scratch *s, const struct weir_flow *flow,
					    int orig)
{
	struct route *r = &s->route;

	r->via_stack = !!(flow->flags & WEIR_FLOW_VIA_STACK);
	r->outside = !!(flow->flags & WEIR_FLOW_SNAT);
	r->rewrite = r->outside ? 0 : rewrite_of(flow->flags, orig);
	if (!r->rewrite)
		return;
	if (flow->flags & WEIR_FLOW_HAIRPIN)
		weir_wide_set(&r->dst_wide, &s->pkt.src_wide);
	weir_wide_set(orig && !(flow->flags & WEIR_FLOW_HAIRPIN) ? &r->dst_wide : &r->src_wide,
		      &flow->nat_wide);
	r->sport_be = orig ? flow->nat_cport_be : flow->nat_port_be;
	r->dport_be = orig ? flow->nat_port_be : flow->nat_cport_be;
}

/* An entry's stamp denies. A gate takes precedence over the policies' reason. */
static __always_inline enum flow_step denied(struct scratch *s, const struct weir_flow *flow,
					     enum weir_reason by_policy)
{
	struct weir_pod *src = pod_by_ref(flow->end[0].ref), *dst = pod_by_ref(flow->end[1].ref);
	__u64 words = (src ? READ_WORD(src->word) : 0) | (dst ? READ_WORD(dst->word) : 0);

	return decided(s, deny(s, weir_pod_flags(words) & WEIR_POD_GATE ? WEIR_GATED : by_policy));
}

/*
 * Did services change since this flow was last checked? Either end of a translated flow may end it
 * (SVC-91). Only the originator can turn an untranslated flow into a translated one: the
 * responder's packets begin none.
 */
static __always_inline int service_stale(const struct scratch *s, const struct weir_flow *flow,
					 int orig)
{
	return s->pkt.proto == IPPROTO_UDP && flow->service_stamp != s->service_epoch &&
	       (orig || (flow->flags & WEIR_FLOW_SERVICE));
}

/* FLOW_STALE, or decided: forwarded, or denied by the stamps. */
static __always_inline enum flow_step stamps_say(struct scratch *s, struct weir_flow *flow,
						 int orig)
{
	__u32 want = current_stamp(s), stamp;

	if (service_stale(s, flow, orig))
		return FLOW_STALE;
	if (flow->end[0].ref) {
		stamp = READ_WORD(flow->end[0].stamp);
		if (stamp != want)
			return stamp >> 1 == s->policy_epoch ? denied(s, flow, WEIR_EGRESS_DENIED)
							     : FLOW_STALE;
	}
	if (flow->end[1].ref) {
		stamp = READ_WORD(flow->end[1].stamp);
		if (stamp != want)
			return stamp >> 1 == s->policy_epoch ? denied(s, flow, WEIR_INGRESS_DENIED)
							     : FLOW_STALE;
	}
	return decided(s, WEIR_FORWARDED);
}

/*
 * As stamps_say(). NP-52: tables that change faster than packets are judged make each stamp stale;
 * then the verdict counts that flow_revalidate() has just made for this packet.
 */
static __always_inline enum flow_step check_stamps(struct scratch *s, struct weir_flow *flow,
						   int orig)
{
	enum flow_step step = stamps_say(s, flow, orig);

	if (step != FLOW_STALE || !s->judged || s->judged_sequence != flow->sequence)
		return step;
	if (flow->end[0].ref && !(s->allowed & ALLOW_EGRESS))
		return denied(s, flow, WEIR_EGRESS_DENIED);
	if (flow->end[1].ref && !(s->allowed & ALLOW_INGRESS))
		return denied(s, flow, WEIR_INGRESS_DENIED);
	return decided(s, WEIR_FORWARDED);
}

/*
 * Has the packet the key of this flow, but no part in it? Nothing replies from a frontend. A flow
 * of the node has packets of the node only.
 */
static __always_inline int is_impostor(const struct scratch *s, const struct weir_flow *flow,
				       int orig)
{
	if (orig)
		return (flow->flags & WEIR_FLOW_HOST_ORIGIN) && !s->pkt.host_origin;
	return weir_flow_is_pair(flow->flags) && !(flow->flags & WEIR_FLOW_REPLY);
}

/* Finds the packet's flow. Decided as FORWARDED or as a denial: s->route is filled. */
static __always_inline enum flow_step flow_find(struct __sk_buff *skb, struct scratch *s)
{
	struct weir_flow *flow;
	enum flow_end end;
	int orig;

	s->denied = 0;
	if (read_epochs(s))
		return decided(s, WEIR_INTERNAL);
	flow = flow_lookup(s, 0);
	if (!flow)
		return FLOW_NEW;
	orig = is_orig(s, flow->flags);
	if (is_impostor(s, flow, orig))
		return decided(s, WEIR_SPOOFED);
	end = check_ends(skb, s, flow, orig);
	if (end != END_PROVEN)
		return end == END_GONE ? flow_leave(s, flow) : FLOW_DECIDED;
	if (check_stamps(s, flow, orig) == FLOW_STALE)
		return FLOW_STALE;
	if (flow_restarts(skb, s, flow, orig))
		return flow_leave(s, flow);
	if (!flow_touch(s, flow, orig))
		return FLOW_NEW;
	route_from_flow(s, flow, orig);
	return FLOW_DECIDED;
}

/*
 * Removes the entry that flow_leave() noted, if it is still there. Only after the packet's source
 * is proven.
 */
__noinline int drop_leftover(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	struct weir_flow *old;

	keep_arg(skb);
	if (!s)
		return WEIR_INTERNAL;
	old = bpf_map_lookup_elem(&conntrack, &s->key);
	if (old && old->sequence == s->leftover_sequence)
		flow_delete(&s->key, old, &s->rev_key);
	return WEIR_FORWARDED;
}

/* Fills s->query for the flow at s->key as its first packet had it. */
static __always_inline void original_query(struct scratch *s, const struct weir_flow *flow)
{
	struct policy_query *q = &s->query;
	int client = flow->flags & WEIR_FLOW_ORIG_FIRST ? 0 : 1;
	int forward = weir_flow_is_pair(flow->flags) && !(flow->flags & WEIR_FLOW_REPLY);

	q->src = client ? s->key.addr[1] : s->key.addr[0];
	if ((flow->flags & (WEIR_FLOW_SNAT | WEIR_FLOW_REPLY)) ==
	    (WEIR_FLOW_SNAT | WEIR_FLOW_REPLY)) {
		if (!flow_peer(s, flow))
			q->src = s->peer;
	}
	if (forward) {
		q->dst = *weir_flow_backend(&s->key, flow);
		q->dport_be = flow->nat_port_be;
	} else {
		q->dst = client ? s->key.addr[0] : s->key.addr[1];
		q->dport_be = client ? s->key.port_be[0] : s->key.port_be[1];
	}
	if (flow->flags & WEIR_FLOW_HAIRPIN)
		q->src = q->dst; /* the reverse entry holds the reserved address instead */
	q->proto = s->key.proto;
	q->host_origin = !!(flow->flags & WEIR_FLOW_HOST_ORIGIN);
}

static __always_inline void stamp_end(struct weir_end *end, __u32 old, __u32 epoch, int allow)
{
	if (end->ref)
		__sync_val_compare_and_swap(&end->stamp, old, epoch << 1 | !!allow);
}

/*
 * Policy or services changed since the flow was stamped: judges it again in its original
 * orientation, and stamps it. Reads the epochs first, so that the stamp is never newer than the
 * tables. Returns enum flow_step. FLOW_NEW: an end moved or the backend is gone, and the packet, of
 * either end, begins a new flow. Otherwise look up again.
 */
__noinline int flow_revalidate(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	__u32 old_src, old_dst;
	struct weir_flow *flow;
	int service;

	keep_arg(skb);
	if (!s || read_epochs(s))
		return FLOW_RACE;
	flow = bpf_map_lookup_elem(&conntrack, &s->key);
	if (!flow)
		return FLOW_NEW;
	service = service_stale(s, flow, is_orig(s, flow->flags));
	if (service && (flow->end[0].ref || flow->flags & WEIR_FLOW_OUTSIDE) &&
	    service_moved(skb, s, flow)) {
		/* Decided by the tables alone: a spoofed packet cannot end a valid flow. */
		flow_leave(s, flow);
		drop_leftover(skb);
		return FLOW_NEW;
	}
	old_src = READ_WORD(flow->end[0].stamp);
	old_dst = READ_WORD(flow->end[1].stamp);
	original_query(s, flow);
	s->query.src_ref = end_ref_now(&flow->end[0], &s->query.src);
	/* an uplink judges only the ends that it judged when the flow began */
	s->query.dst_ref = flow->flags & WEIR_FLOW_OUTSIDE && !flow->end[1].ref
				   ? 0
				   : end_ref_now(&flow->end[1], &s->query.dst);
	if (s->query.src_ref != flow->end[0].ref || s->query.dst_ref != flow->end[1].ref)
		return flow_leave(s, flow);
	if (is_never_allowed(policy_judge(skb)))
		return flow_leave(s, flow);
	stamp_end(&flow->end[0], old_src, s->policy_epoch, s->allowed & ALLOW_EGRESS);
	stamp_end(&flow->end[1], old_dst, s->policy_epoch, s->allowed & ALLOW_INGRESS);
	if (service)
		flow->service_stamp = s->service_epoch;
	s->judged = 1;
	s->judged_sequence = flow->sequence;
	return FLOW_RACE;
}
