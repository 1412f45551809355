// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The two programs at the host end of every pod's veth. Read top-down, they are the packet's path:
 * parse, connection (service and policy only if new or stale), translation, forwarding. A packet
 * that cannot be parsed is never passed.
 */
#include "flow_create.bpf.h"
#include "forward.bpf.h"
#include "fragment.bpf.h"
#include "icmp.bpf.h"
#include "midstream.bpf.h"
#include "nat.bpf.h"
#include "neighbour.bpf.h"
#include "reject.bpf.h"

/* flow_find() again, after a rare step changed something. Returns enum flow_step. */
__noinline int flow_find_again(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();

	keep_arg(skb);
	return s ? flow_find(skb, s) : FLOW_RACE;
}

/* Judges a stale flow again and looks at it anew. */
static __always_inline enum flow_step flow_renew(struct __sk_buff *skb)
{
	enum flow_step step = flow_revalidate(skb);

	return step == FLOW_NEW ? step : (enum flow_step)flow_find_again(skb);
}

/*
 * After the one look-up did not decide: the flow is new, or policy or services changed since it was
 * judged.
 */
static __always_inline enum weir_reason flow_slow_path(struct __sk_buff *skb, struct scratch *s,
						       enum flow_step step)
{
	if (step == FLOW_STALE)
		step = flow_renew(skb);
	/*
	 * RACE: another CPU inserted this flow, or its key collided. Look again; if still missing,
	 * decide once more.
	 */
	for (int i = 0; i < 2 && step == FLOW_NEW; i++) {
		step = flow_create(skb, s);
		if (step != FLOW_RACE)
			break;
		decision_begin(s);
		step = flow_find_again(skb);
	}
	if (step == FLOW_STALE) /* another CPU's flow, and the tables changed since */
		step = flow_renew(skb);
	s->judged = 0;
	return step == FLOW_DECIDED ? s->reason : WEIR_RACE;
}

/* Finds the flow and its verdict. Returns FORWARDED, UNCACHED, MULTICAST, or the reason to drop. */
static __always_inline enum weir_reason pod_verdict(struct __sk_buff *skb, struct scratch *s)
{
	enum weir_reason why;
	enum flow_step step;

	step = flow_find(skb, s);
	if (step == FLOW_DECIDED && s->reason == WEIR_FORWARDED)
		return WEIR_FORWARDED;
	decision_begin(s);
	if (step == FLOW_NEW)
		ask_host(skb, s);
	why = flow_slow_path(skb, s, step);
	if (why == WEIR_MID_STREAM)
		why = mid_stream(skb, s);
	decision_publish(s, why);
	return why;
}

static __always_inline enum weir_reason translate(struct __sk_buff *skb, struct scratch *s)
{
	if (s->pkt.fragment)
		return fragment_nat(skb);
	return nat_apply(skb, s) ? WEIR_INTERNAL : WEIR_FORWARDED;
}

/*
 * A pod answers a client outside whose connection was redirected to it, with another source: the
 * answer leaves by redirect too, in pod_outside (uplink.bpf.c), unchanged so far.
 */
static __always_inline int to_outside(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &tail_calls, WEIR_TAIL_CALL_POD_OUTSIDE);
	return drop(skb, WEIR_INTERNAL);
}

static __always_inline int pod_forward(struct __sk_buff *skb, struct scratch *s,
				       enum weir_reason why)
{
	enum weir_reason broken = WEIR_FORWARDED;

	if (s->pkt.fragment == FRAGMENT_HEAD)
		fragment_keep(skb);
	if (s->route.outside)
		return to_outside(skb);
	if (s->route.rewrite && why == WEIR_FORWARDED)
		broken = translate(skb, s);
	if (broken)
		return drop(skb, broken);
	return forward(skb, s, s->denied ? WEIR_NOT_ENFORCED : why);
}

/*
 * Neighbour discovery, MLD and DHCP are for the local link and pass without a verdict, so a pod
 * must not send them anywhere else: the stack would forward them. In the direction to a pod the hop
 * limit proves the link (parse_icmp()).
 */
static __always_inline int stays_on_link(const struct pkt *p)
{
	return !pod_sends(p) || p->multicast || link_local_v6(&p->dst) || is_own_node(&p->dst) ||
	       pod_ref_by_addr(&p->dst);
}

/* ARP, neighbour discovery, MLD and DHCP of the local link: why they pass or are dropped. */
static __always_inline enum weir_reason link_message(struct __sk_buff *skb, struct scratch *s,
						     enum weir_reason why)
{
	enum weir_reason forged = WEIR_FORWARDED;

	if (why == WEIR_NEIGHBOUR && !stays_on_link(&s->pkt))
		return WEIR_OFF_LINK;
	if (pod_sends(&s->pkt))
		forged = neighbour_check(skb);
	return forged ? forged : why;
}

/* Packets that belong to no connection, and ICMP errors. */
static __always_inline int handle_non_flow(struct __sk_buff *skb, struct scratch *s,
					   enum weir_reason why)
{
	decision_begin(s);
	if (why == WEIR_NOT_IP || why == WEIR_NEIGHBOUR)
		why = link_message(skb, s, why);
	if (why == WEIR_NOT_IP || why == WEIR_NEIGHBOUR)
		return pass_to_stack(skb, why);
	if (why == WEIR_ICMP_ERROR)
		why = icmp_error(skb);
	if (why == WEIR_ICMP_NO_FLOW) {
		ask_host(skb, s);
		why = mid_stream_error(skb, s);
	}
	if (weir_verdict_of(why) != WEIR_PASS)
		return drop(skb, why);
	decision_publish(s, why);
	if (why == WEIR_FORWARDED && s->route.outside)
		return to_outside(skb);
	return forward(skb, s, s->denied ? WEIR_NOT_ENFORCED : why);
}

/* Every packet that a local pod sends. */
SEC("tc")
int from_pod(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	if (!s)
		return drop(skb, WEIR_INTERNAL);
	why = pkt_parse(skb, s, HOOK_FROM_POD);
	if (why == WEIR_FRAGMENT)
		why = fragment_parse(skb);
	if (why)
		return handle_non_flow(skb, s, why);
	why = pod_verdict(skb, s);
	if (weir_verdict_of(why) != WEIR_PASS)
		return drop_from_pod(skb, s, why);
	return pod_forward(skb, s, why);
}

/* Every packet that the stack, so the node or the world, sends to a local pod. */
SEC("tc")
int to_pod(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	if (!s)
		return drop(skb, WEIR_INTERNAL);
	why = pkt_parse(skb, s, HOOK_TO_POD);
	if (why == WEIR_FRAGMENT)
		why = fragment_parse(skb);
	if (why)
		return handle_non_flow(skb, s, why);
	s->pkt.host_origin = sent_by_node(skb, &s->pkt);
	why = pod_verdict(skb, s);
	if (weir_verdict_of(why) != WEIR_PASS)
		return drop(skb, why);
	return pod_forward(skb, s, why);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
