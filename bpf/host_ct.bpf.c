// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Connections that are older than Weir. An adopted pod may have open ones, which the host's
 * conntrack knows, translated by kube-proxy or hostPort. Their packets go to the stack unchanged,
 * so that a hand-over ends no connection, and are judged as the connection that conntrack
 * describes. Entered from pod.bpf.c for packets of adopted pods that belong to no known flow.
 *
 * A separate object: kernels without these kfuncs refuse it, and such packets are then judged as
 * mid-stream (midstream.bpf.h).
 */
#include "flow_create.bpf.h"
#include "forward.bpf.h"
#include "fragment.bpf.h"
#include "icmp.bpf.h"

#define CURRENT_NETNS (-1)
#define DIR_REPLY 1 /* IP_CT_DIR_REPLY */
#define STATUS_TRANSLATED (1 << 4 | 1 << 5) /* IPS_SRC_NAT, IPS_DST_NAT */

/* The members read of the kernel's types; the loader relocates them. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
union nf_inet_addr {
	__u32 all[4];
};
union nf_conntrack_man_proto {
	__be16 all;
};
struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
};
struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
};
struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};
struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2]; /* by direction */
	unsigned long status;
};
#pragma clang attribute pop

/* As in 6.1: later kernels' struct is longer, and they accept this length. */
struct bpf_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir; /* out: the direction of the tuple */
	__u8 reserved[2];
};
WEIR_ASSERT_SIZE(struct bpf_ct_opts, 12);

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple_size, struct bpf_ct_opts *opts,
					 __u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *ct) __ksym;

/* The packet's tuple, or reversed. Returns its size. */
static __always_inline __u32 make_tuple(struct bpf_sock_tuple *t, const struct pkt *p, int turned)
{
	const struct weir_addr *src = turned ? &p->dst : &p->src, *dst = turned ? &p->src : &p->dst;
	__be16 sport_be = turned ? p->dport_be : p->sport_be,
	       dport_be = turned ? p->sport_be : p->dport_be;

	if (p->v6) {
		__builtin_memcpy(t->ipv6.saddr, src, sizeof(*src));
		__builtin_memcpy(t->ipv6.daddr, dst, sizeof(*dst));
		t->ipv6.sport = sport_be;
		t->ipv6.dport = dport_be;
		return sizeof(t->ipv6);
	}
	t->ipv4.saddr = src->w[3];
	t->ipv4.daddr = dst->w[3];
	t->ipv4.sport = sport_be;
	t->ipv4.dport = dport_be;
	return sizeof(t->ipv4);
}

/* An address from conntrack as struct weir_addr. */
static __always_inline struct weir_addr address_of(const struct nf_conntrack_man *man, int v6)
{
	struct weir_addr a = weir_addr_from_v4(man->u3.all[0]);

	for (int i = 0; v6 && i < 4; i++)
		a.w[i] = man->u3.all[i];
	return a;
}

/*
 * Did the node begin the connection? Its own address proves nothing: conntrack also knows a
 * connection that a packet from outside with that source began. Of the pod's packets the answer is
 * the node's to receive.
 */
static __always_inline int begun_by_node(const struct __sk_buff *skb, const struct scratch *s)
{
	return is_own_node(&s->query.src) && (pod_sends(&s->pkt) || sent_by_node(skb, &s->pkt));
}

/*
 * Fills s->query with the connection's first packet at its real destination, where its replies come
 * from.
 */
static __always_inline void query_from_ct(const struct __sk_buff *skb, struct scratch *s,
					  const struct nf_conn *ct)
{
	struct policy_query *q = &s->query;

	q->src = address_of(&ct->tuplehash[0].tuple.src, s->pkt.v6);
	q->dst = address_of(&ct->tuplehash[1].tuple.src, s->pkt.v6);
	q->dport_be = ct->tuplehash[1].tuple.src.u.all;
	s->route.sport_be = ct->tuplehash[0].tuple.src.u.all; /* for the event */
	q->proto = s->pkt.proto;
	q->host_origin = begun_by_node(skb, s);
	q->src_ref = pod_ref_by_addr(&q->src);
	q->dst_ref = pod_ref_by_addr(&q->dst);
}

/*
 * Does the packet belong to the connection that conntrack knows? UDP only as a reply: a client's
 * own datagram begins a flow of Weir's. A RST only if the host translates: otherwise it may answer
 * a reply that was not translated because Weir's flow was lost (SVC-95).
 */
static __always_inline int claims(const struct pkt *p, const struct nf_conn *ct, int is_reply)
{
	if (p->proto == IPPROTO_TCP)
		return !(p->tcp_flags & TCP_RST) || (ct->status & STATUS_TRANSLATED);
	return is_reply;
}

/* Does conntrack know the tuple? Then fills s->query. */
static __always_inline int host_knows(struct __sk_buff *skb, struct scratch *s, int turned)
{
	struct bpf_ct_opts opts = { .netns_id = CURRENT_NETNS, .l4proto = s->pkt.proto };
	struct bpf_sock_tuple tuple = {};
	struct nf_conn *ct;
	int counts;

	if (make_tuple(&tuple, &s->pkt, turned) == sizeof(tuple.ipv6))
		ct = bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv6), &opts, sizeof(opts));
	else
		ct = bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts));
	if (!ct)
		return 0;
	counts = claims(&s->pkt, ct, (opts.dir == DIR_REPLY) == !turned);
	if (counts)
		query_from_ct(skb, s, ct);
	bpf_ct_release(ct);
	return counts;
}

/*
 * Returns enum flow_step. FLOW_NEW: conntrack knows no connection. Decided: HOST_FLOW, or why the
 * packet is dropped. On the pod's side of a translation the packet has the other direction's tuple,
 * reversed.
 */
__noinline int host_flow(struct __sk_buff *skb)
{
	struct scratch *s = scratch_get();
	enum weir_reason why;

	keep_arg(skb);
	if (!s || (s->pkt.proto != IPPROTO_TCP && s->pkt.proto != IPPROTO_UDP))
		return FLOW_NEW;
	why = find_ends(skb, s);
	if (why)
		return decided(s, why);
	return host_knows(skb, s, 0) || host_knows(skb, s, 1) ? decided(s, WEIR_HOST_FLOW)
							      : FLOW_NEW;
}

/* Events carry the tuple of the flow's first packet. */
static __always_inline enum weir_reason judge_host_flow(struct __sk_buff *skb, struct scratch *s)
{
	s->pkt.src = s->query.src;
	s->pkt.dst = s->query.dst;
	s->pkt.sport_be = s->route.sport_be;
	s->pkt.dport_be = s->query.dport_be;
	s->pkt.decision_parts = DECISION_SERVICE;
	return policy_judge(skb);
}

/* The first program's scratch is in another object: the packet is parsed again. */
static __always_inline int adopted(struct __sk_buff *skb, __u8 hook, const __u32 start)
{
	struct scratch *s = scratch_get();
	__u32 zero = 0;
	struct weir_handoff *h = bpf_map_lookup_elem(&handoff, &zero);
	enum weir_reason why;

	if (!s || !h)
		return drop(skb, WEIR_INTERNAL);
	decision_begin(s);
	why = pkt_parse(skb, s, hook);
	if (why == WEIR_FRAGMENT)
		why = fragment_parse(skb);
	if (why == WEIR_ICMP_ERROR)
		why = quote_read(skb); /* conntrack translates an error with its connection */
	if (why || host_flow(skb) == FLOW_NEW) {
		bpf_tail_call(skb, &tail_calls, start);
		s->reason = WEIR_INTERNAL;
	}
	why = s->reason;
	h->host_asked = 0;
	s->denied = 0;
	if (why == WEIR_HOST_FLOW)
		why = judge_host_flow(skb, s);
	if (why)
		return drop(skb, why);
	if (s->denied)
		event_send(skb, WEIR_NOT_ENFORCED);
	if (s->pkt.fragment == FRAGMENT_HEAD)
		fragment_keep(skb);
	decision_publish(s, WEIR_HOST_FLOW);
	return pass_to_stack(skb, s->denied ? WEIR_NOT_ENFORCED : WEIR_HOST_FLOW);
}

SEC("tc")
int from_adopted(struct __sk_buff *skb)
{
	return adopted(skb, HOOK_FROM_POD, WEIR_TAIL_CALL_FROM_POD);
}

SEC("tc")
int to_adopted(struct __sk_buff *skb)
{
	return adopted(skb, HOOK_TO_POD, WEIR_TAIL_CALL_TO_POD);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
