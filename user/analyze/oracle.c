// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The verdict on a first packet, computed from the plan. Shares no code with the datapath: the
 * differential tests compare the two.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "analyze/oracle.h"

#define DHCP 68 /* ports of DHCP clients: only servers send to them */
#define DHCP6 546

/* A pod of this node asks (SVC-35). */
static const struct plan_list *list_of(const struct plan_service *s, const struct plan_frontend *f)
{
	return &s->lists[f->flags & WEIR_FRONTEND_EXTERNAL ? WEIR_LIST_SHORT : WEIR_LIST_INTERNAL];
}

const struct plan_list *oracle_candidates(const struct plan *p, const struct oracle_query *q)
{
	const struct plan_frontend *f = plan_match_frontend(p, &q->dst, q->port, q->proto);

	return f && f->service ? list_of(&p->services[f->service], f) : NULL;
}

/* SVC-51 */
static bool in_ranges(const struct plan_service *s, const struct weir_addr *src)
{
	for (size_t i = 0; i < s->n_ranges; i++)
		if (cidr_holds(&s->ranges[i], src))
			return true;
	return false;
}

/* Translates the destination; FORWARDED with service 0: it is not a frontend. */
static enum weir_reason translate(const struct plan *p, const struct oracle_query *q,
				  struct oracle_answer *a)
{
	const struct plan_frontend *f = plan_match_frontend(p, &q->dst, q->port, q->proto);
	const struct plan_list *list;
	const struct plan_service *s;

	if (!f)
		return WEIR_FORWARDED;
	if (!f->service)
		return WEIR_NO_SERVICE_PORT;
	a->service = f->service;
	s = &p->services[f->service];
	if (f->flags & WEIR_FRONTEND_RANGES && !in_ranges(s, &q->src))
		return WEIR_SOURCE_RANGE;
	list = list_of(s, f);
	if (!list->n)
		return s->flags & WEIR_SERVICE_USABLE ? WEIR_NO_LOCAL_ENDPOINT : WEIR_NO_ENDPOINT;
	a->backend = list->items[q->pick % list->n];
	a->dst = p->backends[a->backend].addr;
	a->port = p->backends[a->backend].port;
	return WEIR_FORWARDED; /* also to the client itself (SVC-84) */
}

static void judge_set(const struct plan *p, uint32_t set, uint32_t identity,
		      const struct oracle_query *q, struct oracle_side *side)
{
	const struct plan_word *word = plan_set_word(&p->sets[set], identity);
	const struct plan_range *range;

	if (word->kind != WEIR_WORD_PORTS) {
		side->allow = word->kind == WEIR_WORD_ALLOW;
		side->rule = word->rule;
		return;
	}
	range = plan_find_range(p, word->ports, weir_port_point(q->proto, q->port));
	side->allow = range && range->word.kind == WEIR_WORD_ALLOW;
	side->rule = range ? range->word.rule : 0;
}

enum weir_reason oracle_denial(const struct plan *p, enum kube_direction direction, uint32_t set)
{
	if (p->sets[set].default_word.kind == WEIR_WORD_CLOSED)
		return WEIR_POLICY_CLOSED;
	return direction == KUBE_EGRESS ? WEIR_EGRESS_DENIED : WEIR_INGRESS_DENIED;
}

/* q is already translated (NP-46). */
static void judge_sides(const struct plan *p, const struct oracle_query *q, struct oracle_answer *a)
{
	const struct plan_pod *src = plan_find_local_pod(p, &q->src),
			      *dst = plan_find_local_pod(p, &q->dst);
	bool echo = q->proto == (weir_addr_is_v4(&q->dst) ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	bool exempt = (src && src == dst) || (echo && p->echo_always); /* NP-40, NP-38 */

	if (src) {
		a->egress.judged = true;
		a->egress.set = src->egress_set;
		if (src->egress_set && !exempt &&
		    plan_node_kind(p, &q->dst) != WEIR_NODE_OWN) /* NP-42 */
			judge_set(p, src->egress_set, plan_identity(p, &q->dst), q, &a->egress);
	}
	if (dst) {
		a->ingress.judged = true;
		a->ingress.set = dst->ingress_set;
		if (dst->ingress_set && !exempt && !q->host_origin) /* NP-41 */
			judge_set(p, dst->ingress_set, plan_identity(p, &q->src), q, &a->ingress);
	}
	if (!a->egress.allow)
		a->reason = oracle_denial(p, KUBE_EGRESS, a->egress.set);
	else if (!a->ingress.allow)
		a->reason = oracle_denial(p, KUBE_INGRESS, a->ingress.set);
}

static bool is_tunnel(const struct plan *p, const struct oracle_query *q)
{
	switch (q->proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
		return true;
	case IPPROTO_UDP:
		return p->overlay_ports[q->port / 64] >> (q->port % 64) & 1;
	}
	return false;
}

/*
 * What no policy allows: addresses that are never on a wire, and from a pod of this node a DHCP
 * server's message or a tunnel (NP-42), unless its record allows it. q is already translated.
 */
static enum weir_reason never_allowed(const struct plan *p, const struct oracle_query *q)
{
	const struct plan_pod *src = plan_find_local_pod(p, &q->src);

	if (addr_is_martian(&q->src, true) || addr_is_martian(&q->dst, false))
		return WEIR_MARTIAN;
	if (!src)
		return WEIR_FORWARDED;
	if (!src->any_sender && q->proto == IPPROTO_UDP &&
	    q->port == (weir_addr_is_v4(&q->dst) ? DHCP : DHCP6))
		return WEIR_DHCP_SERVER;
	return !src->tunnels && is_tunnel(p, q) ? WEIR_TUNNEL : WEIR_FORWARDED;
}

void oracle_judge(const struct plan *p, const struct oracle_query *q,
		  struct oracle_answer *ret_answer)
{
	struct oracle_answer a = {
		.reason = WEIR_FORWARDED,
		.egress = { .allow = true },
		.ingress = { .allow = true },
		.backend = PLAN_NONE,
		.dst = q->dst,
		.port = q->port,
	};
	struct oracle_query translated = *q;

	if (plan_find_local_pod(p, &q->src))
		a.reason = translate(p, q, &a);
	if (a.reason == WEIR_FORWARDED) {
		translated.dst = a.dst;
		translated.port = a.port;
		a.reason = never_allowed(p, &translated);
	}
	if (a.reason == WEIR_FORWARDED)
		judge_sides(p, &translated, &a);
	*ret_answer = a;
}
