// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Judges the flows of a `why`: one for each family that both ends have, and for a Service one for
 * each backend that it may translate to. The verdict comes from the plan, the explanation from the
 * objects; a difference sets disagree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/why.h"

static const struct kube_pod *pod_with_own_addr(const struct report_end *end)
{
	return end->kind == REPORT_POD && !end->pod->host_network ? end->pod : NULL;
}

/* Why policies do not apply (NP-40, NP-41, NP-42); NULL when they do. */
static const char *exemption(const struct why_ask *ask, const struct report_end *from,
			     const struct report_end *to)
{
	const struct kube_pod *src = from->pod, *dst = to->pod;

	if (src && src == dst)
		return "a pod always reaches itself";
	if (from->kind == REPORT_NODE || to->kind == REPORT_NODE || why_is_own_node(ask, to, from))
		return "a pod and its own node always reach each other";
	if (src && dst && (src->host_network || dst->host_network) && !strcmp(src->node, dst->node))
		return "a pod and its own node (hostNetwork) always reach each other";
	return NULL;
}

/*
 * Two pods may list one address: the plan's answer is for the pod that holds it (NP-56), perhaps
 * not for this one.
 */
static bool holds_address(const struct store *s, const struct kube_pod *pod,
			  const struct weir_addr *addr)
{
	return !pod || store_pod_by_addr(s, addr) == pod;
}

/* The plan must name the first rule that allows according to the objects. */
static bool same_verdict(const struct explain_side *side, const struct report_side *verdict)
{
	if (side->allow != verdict->allow)
		return false;
	for (size_t i = 0; i < side->n_policies; i++)
		for (size_t r = 0; r < side->policies[i].n_rules; r++)
			if (side->policies[i].rules[r].match)
				return verdict->policy &&
				       !strcmp(verdict->policy, side->policies[i].name) &&
				       verdict->rule == (int)r;
	return !verdict->policy;
}

/* No rule counts at a closed end, so none is shown: only the policies that select the pod. */
static void hide_rules(struct explain_side *side)
{
	side->allow = false;
	for (size_t i = 0; i < side->n_policies; i++)
		side->policies[i] = (struct explain_policy){ .policy = side->policies[i].policy,
							     .name = side->policies[i].name,
							     .hidden = true };
}

static void explain(const struct why_ask *ask, const struct report_end *from,
		    const struct report_end *to, struct why_flow *flow)
{
	const struct kube_pod *src = pod_with_own_addr(from), *dst = pod_with_own_addr(to);
	struct explain_flow egress = { .dst = dst,
				       .proto = flow->item.proto,
				       .port = flow->item.port },
			    ingress;
	const struct explain_flow *flows[2] = {};
	const struct report_side *verdicts[2] = {
		[KUBE_INGRESS] = &flow->item.ingress, [KUBE_EGRESS] = &flow->item.egress
	};

	if (why_never_allowed(flow))
		return;
	flow->exempt = exemption(ask, from, to);
	ingress = egress;
	egress.direction = KUBE_EGRESS;
	egress.subject = ingress.peer = src;
	egress.peer = ingress.subject = dst;
	egress.peer_addr = flow->item.dst;
	ingress.direction = KUBE_INGRESS;
	ingress.peer_addr = flow->item.src;
	if (src && !flow->exempt)
		flows[KUBE_EGRESS] = &egress;
	if (dst && !flow->exempt)
		flows[KUBE_INGRESS] = &ingress;
	for (int d = 0; d < 2; d++) {
		flow->judged[d] = flows[d];
		if (flows[d])
			explain_flow(ask->store, flows[d], ask->arena, &flow->sides[d]);
		if (flows[d] && verdicts[d]->closed) {
			hide_rules(&flow->sides[d]);
			flows[d] = NULL;
		}
	}
	explain_nearest(ask->store, flows, ask->arena, flow->sides);
	if (!holds_address(ask->store, src, &flow->item.src) ||
	    !holds_address(ask->store, dst, &flow->item.dst))
		return;
	for (int d = 0; d < 2; d++)
		if (flow->judged[d] && !same_verdict(&flow->sides[d], verdicts[d]))
			flow->disagree = true;
}

/* No policy applies to a pod's traffic to itself, and none of it passes its veth (NP-40). */
static void allow_itself(struct why_flow *flow)
{
	flow->item.allow = true;
	flow->item.reason = WEIR_FORWARDED;
	flow->item.egress = flow->item.ingress = (struct report_side){ .allow = true, .rule = -1 };
}

static int judge_one(struct why_ask *ask, const struct report_end *to, uint16_t port, int family,
		     struct why_flow *flow, struct weir_err *err)
{
	int r = report_ask(ask->report, &ask->from_end, to, ask->proto, port, family, &flow->item,
			   err);

	if (r)
		return r;
	if (to->pod && to->pod == ask->from_end.pod)
		allow_itself(flow);
	explain(ask, &ask->from_end, to, flow);
	flow->item.from = ask->from_text;
	flow->item.to =
		to->pod ? arena_printf(ask->arena, "%s/%s", to->pod->meta.ns, to->pod->meta.name)
			: ask->to_text;
	return 0;
}

/* There is no backend: the flow ends at the frontend. */
static void judge_frontend(const struct why_ask *ask, const struct oracle_query *q,
			   const struct oracle_answer *a, int family, struct why_flow *flow)
{
	flow->item = (struct report_item){
		.from = ask->from_text,
		.to = ask->to_text,
		.from_pod = ask->from_end.pod,
		.src = q->src,
		.dst = q->dst,
		.family = family,
		.proto = ask->proto,
		.port = ask->port,
		.allow = false,
		.reason = a->reason,
		.egress = { .allow = true, .rule = -1 },
		.ingress = { .allow = true, .rule = -1 },
	};
}

/* Zero: it has none in that family. */
static struct weir_addr frontend_of(const struct why_ask *ask, int family)
{
	if (weir_addr_is_zero(&ask->external))
		return ask->service->cluster_ip[family];
	return addr_family(&ask->external) == family ? ask->external : (struct weir_addr){};
}

static int judge_backends(struct why_ask *ask, int family, struct why_flows *flows,
			  struct weir_err *err)
{
	const struct plan *plan = report_plan(ask->report, ask->from_end.pod->node);
	struct oracle_query q = { .dst = frontend_of(ask, family),
				  .proto = ask->proto,
				  .port = ask->port };
	const struct plan_list *list;
	struct oracle_answer a = {};
	size_t n = 1;
	int r = 0;

	if (!report_end_addr(ask->report, &ask->from_end, NULL, family, &q.src) ||
	    weir_addr_is_zero(&q.dst))
		return -EAFNOSUPPORT;
	if (ask->evaluator)
		r = ask->evaluator->ask(ask->evaluator->ctx, plan, KUBE_EGRESS, &q, &a, err);
	if (r)
		return r;
	for (; q.pick < n; q.pick++) {
		struct why_flow *flow = VEC_ADD(flows->items, flows->n, flows->cap);
		struct report_end to = { .kind = REPORT_WORLD };

		oracle_judge(plan, &q, &a);
		flow->service = ask->service;
		flow->frontend = q.dst;
		flow->service_port = ask->port;
		flow->no_such_port = ask->no_such_port;
		flow->left_out =
			plan_is_left_out(plan, ask->service->meta.ns, ask->service->meta.name);
		list = oracle_candidates(plan, &q);
		if (a.service && list)
			n = list->n;
		if (a.backend == PLAN_NONE) {
			judge_frontend(ask, &q, &a, family, flow);
			break;
		}
		to.addr = a.dst;
		to.pod = store_pod_by_addr(ask->store, &a.dst);
		to.kind = to.pod ? REPORT_POD : REPORT_WORLD;
		r = judge_one(ask, &to, a.port, family, flow, err);
		if (r)
			return r;
	}
	return 0;
}

/* Is TO's address an external frontend for the pod FROM, whatever else has the address? */
static bool find_frontend(struct why_ask *ask, int family)
{
	const struct kube_pod *from = pod_with_own_addr(&ask->from_end);
	const struct plan *plan = from ? report_plan(ask->report, from->node) : NULL;
	const struct plan_frontend *f = NULL;

	if (plan && report_end_addr(ask->report, &ask->to_end, from->node, family, &ask->external))
		f = plan_match_frontend(plan, &ask->external, ask->port, ask->proto);
	if (f && f->service)
		ask->service = store_service(ask->store, plan->services[f->service].ns,
					     plan->services[f->service].service);
	return ask->service;
}

static int judge_family(struct why_ask *ask, int family, struct why_flows *flows,
			struct weir_err *err)
{
	struct why_ask through = *ask;
	struct why_flow flow = {};
	int r;

	if (ask->service || find_frontend(&through, family))
		return judge_backends(&through, family, flows, err);
	r = judge_one(ask, &ask->to_end, ask->port, family, &flow, err);
	if (!r)
		*VEC_ADD(flows->items, flows->n, flows->cap) = flow;
	return r;
}

int why_judge(struct why_ask *ask, struct why_flows *flows, struct weir_err *err)
{
	int r = 0;

	for (int family = 0; family < 2; family++) {
		if (!target_has_family(&ask->from, family) || !target_has_family(&ask->to, family))
			continue;
		r = judge_family(ask, family, flows, err);
		if (r && r != -EAFNOSUPPORT)
			return r;
	}
	if (!flows->n)
		return err_set(err, -EAFNOSUPPORT, "%s and %s have no address family in common",
			       ask->from_text, ask->to_text);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_side(const struct report_side *a, const struct report_side *b)
{
	return a->allow == b->allow && a->rule == b->rule && a->isolated == b->isolated &&
	       same_text(a->policy, b->policy);
}

static bool same_answer(const struct why_flow *a, const struct why_flow *b)
{
	return a->service == b->service && a->item.reason == b->item.reason &&
	       a->item.port == b->item.port && same_side(&a->item.egress, &b->item.egress) &&
	       same_side(&a->item.ingress, &b->item.ingress);
}

/* Only pods: a backend address without a pod is shown by itself. */
static bool is_other_backend(const struct why_flow *a, const struct why_flow *b)
{
	return a->service && a->item.to_pod && b->item.to_pod;
}

static void add_alike(struct why_flow *flow, const char *to)
{
	if (same_text(flow->item.to, to) || !strcmp(flow->item.to, to))
		return;
	for (size_t i = 0; i < flow->n_alike; i++)
		if (!strcmp(flow->alike[i], to))
			return;
	*VEC_ADD(flow->alike, flow->n_alike, flow->cap_alike) = to;
}

static bool has_both_families(const struct why_flows *flows)
{
	for (size_t i = 1; i < flows->n; i++)
		if (flows->items[i].item.family != flows->items[0].item.family)
			return true;
	return false;
}

void why_merge(struct why_flows *flows)
{
	bool both = has_both_families(flows);

	for (size_t i = 0; i < flows->n; i++) {
		struct why_flow *a = &flows->items[i];

		a->one_family = both;
		for (size_t j = i + 1; j < flows->n && !a->repeated; j++) {
			struct why_flow *b = &flows->items[j];

			if (b->repeated || !same_answer(a, b) ||
			    (!same_text(a->item.to, b->item.to) && !is_other_backend(a, b)))
				continue;
			a->one_family &= b->item.family == a->item.family;
			b->repeated = true;
			add_alike(a, b->item.to);
		}
	}
}

bool why_never_allowed(const struct why_flow *f)
{
	return f->item.reason == WEIR_MARTIAN || f->item.reason == WEIR_TUNNEL ||
	       f->item.reason == WEIR_DHCP_SERVER;
}

bool why_ends_at_frontend(const struct why_flow *f)
{
	return f->service && f->item.to_kind == REPORT_POD && !f->item.to_pod;
}

void why_flows_free(struct why_flows *flows)
{
	for (size_t i = 0; i < flows->n; i++)
		free(flows->items[i].alike);
	free(flows->items);
	*flows = (struct why_flows){};
}
