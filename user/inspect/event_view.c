// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Events with names: made and matched. See event_view.h. */
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
	case WEIR_GATED:
	case WEIR_NOT_ENFORCED:
		return EVENT_DENY;
	}
	if (reason >= _WEIR_REASON_MAX)
		return EVENT_DROP; /* of a newer datapath */
	if (weir_verdict_of(reason) == WEIR_REJECT)
		return EVENT_REJECT;
	return weir_verdict_of(reason) != WEIR_PASS ? EVENT_DROP : 0;
}

/* The number stays its own for ever; no program counts it any more. */
static bool is_given_up(int reason)
{
	static const char words[] = "no longer";

	return !strncmp(reason_text(reason), words, strlen(words));
}

int event_reason(const char *label)
{
	for (int i = 0; i < _WEIR_REASON_MAX; i++)
		if (!strcmp(reason_label(i), label))
			return event_verdict_of(i) && !is_given_up(i) ? i : -1;
	return -1;
}

/* ---- Names ---- */

const struct live *event_live(const struct event_view *s, enum weir_name_kind kind, uint32_t id)
{
	const struct naming *n = s->naming;

	return !live_has(n->now, kind, id) && live_has(n->before, kind, id) ? n->before : n->now;
}

const char *event_label(const struct event_view *s, enum weir_name_kind kind, uint32_t id,
			char *buf)
{
	return live_label(event_live(s, kind, id), kind, id, buf);
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static struct event_end end_of(const struct naming *n, const struct weir_addr *addr, uint8_t proto,
			       uint16_t port_be)
{
	struct event_end end = { .addr = *addr, .port = has_ports(proto) ? ntohs(port_be) : 0 };

	end.who = live_who(n->now, addr, &end.name);
	if (end.who == PLAN_OWNER_NONE)
		end.who = live_who(n->before, addr, &end.name);
	return end;
}

void event_view_make(struct event_view *ret_s, const struct weir_event *e, const struct naming *n)
{
	uint64_t time = e->time_ns + n->wall_offset_ns;
	struct event_view *s = ret_s;

	*s = (struct event_view){
		.event = e,
		.naming = n,
		.verdict = event_verdict_of(e->reason),
		.enforced = e->reason != WEIR_NOT_ENFORCED,
		.has_ends = !weir_addr_is_zero(&e->src) || !weir_addr_is_zero(&e->dst),
		.time = { .tv_sec = time / NS_PER_S, .tv_nsec = time % NS_PER_S },
	};
	if (s->has_ends) {
		s->from = end_of(n, &e->src, e->proto, e->sport_be);
		s->to = end_of(n, &e->dst, e->proto, e->dport_be);
	}
	if (e->flags & WEIR_EVENT_TRANSLATED)
		s->backend = end_of(n, &e->nat_dst, e->proto, e->nat_dport_be);
}

bool event_side(const struct event_view *s, int direction, struct event_side *ret_side)
{
	const struct weir_event *e = s->event;

	if (direction)
		*ret_side = (struct event_side){ "ingress", e->flags & WEIR_EVENT_INGRESS_DENIED,
						 e->ingress_set, e->ingress_rule };
	else
		*ret_side = (struct event_side){ "egress", e->flags & WEIR_EVENT_EGRESS_DENIED,
						 e->egress_set, e->egress_rule };
	return (e->flags & WEIR_EVENT_JUDGED) &&
	       e->flags & (direction ? WEIR_EVENT_INGRESS : WEIR_EVENT_EGRESS);
}

/* ---- Filters ---- */

static bool is_named(const struct event_end *end, enum plan_owner who, const struct target *t)
{
	size_t len = strlen(t->ns);

	return end->who == who && end->name && !strncmp(end->name, t->ns, len) &&
	       end->name[len] == '/' && !strcmp(end->name + len + 1, t->name);
}

/* world: no pod, Service or node that is known here. */
static bool is_target(const struct event_end *end, const struct target *t)
{
	switch (t->kind) {
	case TARGET_POD:
		return is_named(end, PLAN_OWNER_POD, t);
	case TARGET_SERVICE:
		return is_named(end, PLAN_OWNER_SERVICE, t);
	case TARGET_HOST:
		return false; /* the plan does not know names under headless Services; observe
				 refuses them */
	case TARGET_ADDR:
		return weir_addr_equal(&end->addr, &t->addr);
	case TARGET_NODE:
		return end->who == PLAN_OWNER_NODE;
	case TARGET_WORLD:
		return end->who == PLAN_OWNER_NONE;
	}
	return false;
}

static bool is_translated(const struct event_view *s)
{
	return s->event->flags & WEIR_EVENT_TRANSLATED;
}

/* The destination as it was addressed, or the backend that was chosen. */
static bool goes_to(const struct event_view *s, const struct target *t)
{
	if (!s->has_ends || (t->proto && t->proto != s->event->proto))
		return false;
	if (is_target(&s->to, t) && (!t->port || t->port == s->to.port))
		return true;
	return is_translated(s) && is_target(&s->backend, t) &&
	       (!t->port || t->port == s->backend.port);
}

static bool comes_from(const struct event_view *s, const struct target *t)
{
	return s->has_ends && is_target(&s->from, t);
}

static bool has_port(const struct event_view *s, uint32_t port)
{
	return s->to.port == port || (is_translated(s) && s->backend.port == port);
}

static bool has_proto(const struct event_view *s, int proto)
{
	int has = s->event->proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : s->event->proto;

	return s->has_ends && has == proto;
}

static bool side_is_of(const struct event_view *s, const struct event_side *side,
		       const char *policy)
{
	const struct live *l = event_live(s, WEIR_NAME_RULE, side->rule);
	const char *name;

	if (side->rule != WEIR_NO_RULE) {
		name = live_fact(l, WEIR_NAME_RULE, side->rule, "policy");
		return name && !strcmp(name, policy);
	}
	if (!side->denied)
		return false;
	l = event_live(s, WEIR_NAME_POLICY_SET, side->set);
	for (size_t i = 0; (name = live_policy(l, side->set, i)); i++)
		if (!strcmp(name, policy))
			return true;
	return false;
}

/* Of a denied packet only the directions that deny count. */
static bool is_of_policy(const struct event_view *s, const char *policy)
{
	struct event_side side;

	for (int i = 0; i < 2; i++)
		if (event_side(s, i, &side) && side.denied == (s->verdict == EVENT_DENY) &&
		    side_is_of(s, &side, policy))
			return true;
	return false;
}

static bool has_reason(const struct event_view *s, const struct event_filter *f)
{
	uint32_t reason = s->event->reason;

	return !f->reasons || (reason < _WEIR_REASON_MAX && f->reasons >> reason & 1);
}

bool event_view_match(const struct event_view *s, const struct event_filter *f)
{
	return (!f->verdicts || f->verdicts & s->verdict) && has_reason(s, f) &&
	       (!f->pod || comes_from(s, f->pod) || goes_to(s, f->pod)) &&
	       (!f->from || comes_from(s, f->from)) && (!f->to || goes_to(s, f->to)) &&
	       (!f->port || has_port(s, f->port)) && (!f->proto || has_proto(s, f->proto)) &&
	       (!f->policy || is_of_policy(s, f->policy));
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
