/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The order of evaluation: Service, backend, then both policy verdicts on the translated packet
 * (NP-46). Each end that is a pod of this node is judged, even when the other end denies.
 */
#include <string.h>

#include "reference/internal.h"

static bool has_address(const struct kube_pod *pod, const struct weir_addr *addr)
{
	if (pod->host_network || pod->phase == KUBE_SUCCEEDED || pod->phase == KUBE_FAILED)
		return false;
	for (int family = 0; family < 2; family++)
		if (!weir_addr_is_zero(&pod->addr[family]) &&
		    weir_addr_equal(&pod->addr[family], addr))
			return true;
	return false;
}

/* NP-56: the pod that is not being deleted, then the newest, then the first by name. */
static bool is_better_owner(const struct kube_pod *a, const struct kube_pod *b)
{
	if (a->meta.deleting != b->meta.deleting)
		return !a->meta.deleting;
	return a->meta.created > b->meta.created;
}

const struct kube_pod *reference_pod(const struct store *s, const struct weir_addr *addr)
{
	const struct kube_pod *found = NULL;

	for (size_t i = 0; i < s->n_pods; i++)
		if (has_address(s->pods[i], addr) && (!found || is_better_owner(s->pods[i], found)))
			found = s->pods[i];
	return found;
}

bool reference_is_node_addr(const struct store *s, const char *node, const struct weir_addr *addr)
{
	for (size_t i = 0; i < s->n_nodes; i++) {
		if (strcmp(s->nodes[i]->meta.name, node))
			continue;
		for (size_t j = 0; j < s->nodes[i]->n_addrs; j++)
			if (weir_addr_equal(&s->nodes[i]->addrs[j], addr))
				return true;
	}
	return false;
}

static bool is_local(const struct kube_pod *pod, const char *node)
{
	return pod && !strcmp(pod->node, node);
}

static void judge(const struct store *s, const char *node, const struct packet *p,
		  struct reference_answer *a)
{
	const struct kube_pod *ends[2] = {
		[KUBE_INGRESS] = p->dst_pod, [KUBE_EGRESS] = p->src_pod
	};

	for (int direction = 0; direction < 2; direction++) {
		struct reference_verdict *v = &a->sides[direction];

		v->judged = is_local(ends[direction], node);
		if (v->judged)
			reference_judge_end(s, node, p, direction, v);
		else
			v->allow = true;
	}
	if (!a->sides[KUBE_EGRESS].allow)
		a->reason = a->sides[KUBE_EGRESS].closed ? WEIR_POLICY_CLOSED : WEIR_EGRESS_DENIED;
	else if (!a->sides[KUBE_INGRESS].allow)
		a->reason =
			a->sides[KUBE_INGRESS].closed ? WEIR_POLICY_CLOSED : WEIR_INGRESS_DENIED;
	else
		a->reason = WEIR_FORWARDED;
}

static bool in_block(const struct weir_addr *a, const char *text)
{
	struct cidr block;

	return !cidr_parse(text, &block) && cidr_holds(&block, a);
}

/* Loopback, "this network", reserved, unspecified: on no wire. The broadcast is a destination. */
static bool on_no_wire(const struct weir_addr *a)
{
	static const char *const blocks[] = { "127.0.0.0/8", "0.0.0.0/8", "240.0.0.0/4", "::1/128",
					      "::/128" };

	for (size_t i = 0; i < 5; i++)
		if (in_block(a, blocks[i]))
			return true;
	return false;
}

static bool is_broadcast(const struct weir_addr *a)
{
	return in_block(a, "255.255.255.255/32");
}

/* NP-42: no tunnel leads from a pod to where it would be taken for something else. */
static bool is_tunnel(const struct packet *p, uint16_t overlay_port)
{
	return p->proto == 4 || p->proto == 41 || p->proto == 47 ||
	       (p->proto == 17 && overlay_port && p->port == overlay_port);
}

/* What no policy can allow; FORWARDED: nothing of that. */
static enum weir_reason forbidden(const struct packet *p, const char *node, uint16_t overlay_port)
{
	uint16_t dhcp_client = addr_family(&p->dst) ? 546 : 68;

	if (on_no_wire(&p->src) || (on_no_wire(&p->dst) && !is_broadcast(&p->dst)))
		return WEIR_MARTIAN;
	if (!is_local(p->src_pod, node))
		return WEIR_FORWARDED;
	if (p->proto == 17 && p->port == dhcp_client)
		return WEIR_DHCP_SERVER;
	return is_tunnel(p, overlay_port) ? WEIR_TUNNEL : WEIR_FORWARDED;
}

void reference_judge(const struct store *s, const char *node, const struct oracle_query *q,
		     struct reference_answer *ret_answer)
{
	struct packet p = { .src = q->src,
			    .proto = q->proto,
			    .host_origin = q->host_origin,
			    .echo_always = q->echo_always,
			    .closed = q->closed,
			    .n_closed = q->n_closed };
	struct reference_answer *a = ret_answer;

	memset(a, 0, sizeof(*a));
	a->dst = q->dst;
	a->port = q->port;
	p.src_pod = reference_pod(s, &q->src);
	if (is_local(p.src_pod, node))
		reference_service(s, node, q, a);
	if (a->reason != WEIR_FORWARDED)
		return;
	if (a->n_candidates) {
		a->dst = a->candidates[q->pick % a->n_candidates].addr;
		a->port = a->candidates[q->pick % a->n_candidates].port;
	}
	p.dst = a->dst;
	p.port = a->port;
	p.dst_pod = reference_pod(s, &p.dst);
	a->reason = forbidden(&p, node, q->overlay_port);
	if (a->reason == WEIR_FORWARDED)
		judge(s, node, &p, a);
}
