// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Builds event views and matches filters. See event_view.h. */
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "analyze/report.h"
#include "inspect/event_view.h"

#define NS_PER_S 1000000000ll

enum event_verdict event_verdict_of(uint32_t reason)
{
	switch (reason) {
	case WEIR_FORWARDED:
		return EVENT_ALLOW;
	case WEIR_EGRESS_DENIED:
	case WEIR_INGRESS_DENIED:
	case WEIR_POLICY_CLOSED:
	case WEIR_GATED:
	case WEIR_NOT_ENFORCED:
		return EVENT_DENY;
	}
	if (reason >= _WEIR_REASON_MAX)
		return EVENT_DROP; /* a newer datapath's reason */
	if (weir_verdict_of(reason) == WEIR_REJECT)
		return EVENT_REJECT;
	return weir_verdict_of(reason) != WEIR_PASS ? EVENT_DROP : 0;
}

/* A reason that no program counts any more: its number stays reserved. */
static bool is_retired(int reason)
{
	static const char words[] = "no longer";

	return !strncmp(reason_text(reason), words, strlen(words));
}

int event_reason(const char *label)
{
	for (int i = 0; i < _WEIR_REASON_MAX; i++)
		if (!strcmp(reason_label(i), label))
			return event_verdict_of(i) && !is_retired(i) ? i : -1;
	return -1;
}

/* ---- Names ---- */

const struct live *event_live(const struct event_view *v, enum weir_name_kind kind, uint32_t id)
{
	const struct naming *n = v->naming;

	return !live_has(n->now, kind, id) && live_has(n->before, kind, id) ? n->before : n->now;
}

const char *event_label(const struct event_view *v, enum weir_name_kind kind, uint32_t id,
			char *buf)
{
	return live_label(event_live(v, kind, id), kind, id, buf);
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static struct event_end end_of(const struct naming *n, const struct weir_addr *addr, uint8_t proto,
			       uint16_t port_be)
{
	struct event_end end = { .addr = *addr, .port = has_ports(proto) ? ntohs(port_be) : 0 };

	end.owner = live_owner(n->now, addr, &end.name);
	if (end.owner == PLAN_OWNER_NONE)
		end.owner = live_owner(n->before, addr, &end.name);
	return end;
}

void event_view_make(struct event_view *ret_view, const struct weir_event *e,
		     const struct naming *n)
{
	uint64_t time = e->time_ns + n->wall_offset_ns;
	struct event_view *v = ret_view;

	*v = (struct event_view){
		.event = e,
		.naming = n,
		.verdict = event_verdict_of(e->reason),
		.enforced = e->reason != WEIR_NOT_ENFORCED,
		.has_ends = !weir_addr_is_zero(&e->src) || !weir_addr_is_zero(&e->dst),
		.time = { .tv_sec = time / NS_PER_S, .tv_nsec = time % NS_PER_S },
	};
	if (v->has_ends) {
		v->from = end_of(n, &e->src, e->proto, e->sport_be);
		v->to = end_of(n, &e->dst, e->proto, e->dport_be);
	}
	if (e->flags & WEIR_EVENT_TRANSLATED)
		v->backend = end_of(n, &e->nat_dst, e->proto, e->nat_dport_be);
}

bool event_side(const struct event_view *v, int direction, struct event_side *ret_side)
{
	const struct weir_event *e = v->event;

	if (direction)
		*ret_side = (struct event_side){ "ingress", e->flags & WEIR_EVENT_INGRESS_DENIED,
						 e->ingress_set, e->ingress_rule };
	else
		*ret_side = (struct event_side){ "egress", e->flags & WEIR_EVENT_EGRESS_DENIED,
						 e->egress_set, e->egress_rule };
	return (e->flags & WEIR_EVENT_JUDGED) &&
	       e->flags & (direction ? WEIR_EVENT_JUDGED_INGRESS : WEIR_EVENT_JUDGED_EGRESS);
}

/* ---- Filters ---- */

static bool is_named(const struct event_end *end, enum plan_owner owner, const struct target *t)
{
	size_t len = strlen(t->ns);

	return end->owner == owner && end->name && !strncmp(end->name, t->ns, len) &&
	       end->name[len] == '/' && !strcmp(end->name + len + 1, t->name);
}

/* world: the address of no known pod, Service or node. */
static bool is_target(const struct event_end *end, const struct target *t)
{
	switch (t->kind) {
	case TARGET_POD:
		return is_named(end, PLAN_OWNER_POD, t);
	case TARGET_SERVICE:
		return is_named(end, PLAN_OWNER_SERVICE, t);
	case TARGET_HOST:
		return false; /* the plan has no names below headless Services; observe refuses
				 them */
	case TARGET_ADDR:
		return weir_addr_equal(&end->addr, &t->addr);
	case TARGET_NODE:
		return end->owner == PLAN_OWNER_NODE;
	case TARGET_WORLD:
		return end->owner == PLAN_OWNER_NONE;
	}
	return false;
}

static bool is_translated(const struct event_view *v)
{
	return v->event->flags & WEIR_EVENT_TRANSLATED;
}

/* The original destination or the chosen backend. */
static bool goes_to(const struct event_view *v, const struct target *t)
{
	if (!v->has_ends || (t->proto && t->proto != v->event->proto))
		return false;
	if (is_target(&v->to, t) && (!t->port || t->port == v->to.port))
		return true;
	return is_translated(v) && is_target(&v->backend, t) &&
	       (!t->port || t->port == v->backend.port);
}

static bool comes_from(const struct event_view *v, const struct target *t)
{
	return v->has_ends && is_target(&v->from, t);
}

static bool has_port(const struct event_view *v, uint32_t port)
{
	return v->to.port == port || (is_translated(v) && v->backend.port == port);
}

static bool has_proto(const struct event_view *v, int proto)
{
	int has = v->event->proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : v->event->proto;

	return v->has_ends && has == proto;
}

static bool side_is_of(const struct event_view *v, const struct event_side *side,
		       const char *policy)
{
	const struct live *l = event_live(v, WEIR_NAME_RULE, side->rule);
	const char *name;

	if (side->rule != WEIR_NO_RULE) {
		name = live_fact(l, WEIR_NAME_RULE, side->rule, "policy");
		return name && !strcmp(name, policy);
	}
	if (!side->denied)
		return false;
	l = event_live(v, WEIR_NAME_POLICY_SET, side->set);
	for (size_t i = 0; (name = live_policy(l, side->set, i)); i++)
		if (!strcmp(name, policy))
			return true;
	return false;
}

/* For a denied packet, only directions that deny count. */
static bool is_of_policy(const struct event_view *v, const char *policy)
{
	struct event_side side;

	for (int i = 0; i < 2; i++)
		if (event_side(v, i, &side) && side.denied == (v->verdict == EVENT_DENY) &&
		    side_is_of(v, &side, policy))
			return true;
	return false;
}

static bool has_reason(const struct event_view *v, const struct event_filter *f)
{
	uint32_t reason = v->event->reason;

	return !f->reasons || (reason < _WEIR_REASON_MAX && f->reasons >> reason & 1);
}

bool event_view_match(const struct event_view *v, const struct event_filter *f)
{
	return (!f->verdicts || f->verdicts & v->verdict) && has_reason(v, f) &&
	       (!f->pod || comes_from(v, f->pod) || goes_to(v, f->pod)) &&
	       (!f->from || comes_from(v, f->from)) && (!f->to || goes_to(v, f->to)) &&
	       (!f->port || has_port(v, f->port)) && (!f->proto || has_proto(v, f->proto)) &&
	       (!f->policy || is_of_policy(v, f->policy));
}

uint64_t event_filter_reasons(const struct event_filter *f)
{
	uint64_t reasons = 0;

	for (uint32_t i = 0; i < _WEIR_REASON_MAX; i++) {
		enum event_verdict verdict = event_verdict_of(i);

		if (verdict && (!f->verdicts || f->verdicts & verdict) &&
		    (!f->reasons || f->reasons >> i & 1))
			reasons |= 1ull << i;
	}
	return reasons;
}
