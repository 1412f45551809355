// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Events as lines of text and as JSON. See event_print.h. */
#include <string.h>

#include "analyze/report.h"
#include "cli/event_print.h"

#define POLICIES_SHOWN 4 /* of a default deny, in text; JSON has all */

/* ---- For people ---- */

static void print_end(const struct event_end *end, FILE *out)
{
	char addr[ADDR_TEXT_MAX];

	switch (end->owner) {
	case PLAN_OWNER_POD:
		fputs(end->name, out);
		break;
	case PLAN_OWNER_SERVICE:
		fprintf(out, "svc/%s", end->name);
		break;
	case PLAN_OWNER_NODE:
		fputs("node", out);
		break;
	case PLAN_OWNER_NONE:
		fprintf(out, weir_addr_is_v4(&end->addr) || !end->port ? "%s" : "[%s]",
			addr_text(&end->addr, addr));
	}
	if (end->port)
		fprintf(out, ":%u", end->port);
}

static void print_ends(const struct event_view *v, const char *arrow, FILE *out)
{
	char proto[ADDR_TEXT_MAX];

	if (!v->has_ends) {
		const char *pod = live_pod_at(v->naming->now, v->event->device);

		if (pod)
			fprintf(out, "%s %s", v->event->flags & WEIR_EVENT_TO_POD ? "to" : "from",
				pod);
		else
			fprintf(out, "at device %u", v->event->device);
		fprintf(out, ", %u bytes", v->event->len);
		return;
	}
	print_end(&v->from, out);
	fprintf(out, " %s ", arrow);
	print_end(&v->to, out);
	if (v->event->flags & WEIR_EVENT_TRANSLATED) {
		fprintf(out, " %s ", arrow);
		print_end(&v->backend, out);
	}
	fprintf(out, " %s", proto_label(v->event->proto, proto));
	if (v->event->flags & WEIR_EVENT_REPLY)
		fputs(" (its reply)", out);
	if ((v->event->flags & WEIR_EVENT_ICMP_ERROR) && v->event->flags & WEIR_EVENT_KNOWN)
		fputs(" (an ICMP error about it)", out);
}

static void print_policies(const struct event_view *v, uint32_t set, FILE *out)
{
	const struct live *l = event_live(v, WEIR_NAME_POLICY_SET, set);
	const char *name;
	size_t n = 0;

	for (; (name = live_policy(l, set, n)); n++)
		if (n < POLICIES_SHOWN)
			fprintf(out, "%s%s", n ? ", " : "", name);
	if (n > POLICIES_SHOWN)
		fprintf(out, " and %zu more", n - POLICIES_SHOWN);
	if (!n)
		fprintf(out, "policy set #%u", set);
}

static void print_rule(const struct event_view *v, uint32_t rule, FILE *out)
{
	const char *src =
		live_fact(event_live(v, WEIR_NAME_RULE, rule), WEIR_NAME_RULE, rule, "src");
	char label[LIVE_TEXT_MAX];

	fputs(event_label(v, WEIR_NAME_RULE, rule, label), out);
	if (src && strrchr(src, ':')) /* file:line without the column */
		fprintf(out, " (%.*s)", (int)(strrchr(src, ':') - src), src);
}

/*
 * The sides that deny, or the rules that allow. A side that no policy isolates is left out. Returns
 * the number of sides printed.
 */
static int print_sides(const struct event_view *v, FILE *out)
{
	bool denial = v->verdict == EVENT_DENY;
	struct event_side side;
	int n = 0;

	for (int i = 0; i < 2; i++) {
		if (!event_side(v, i, &side) || side.denied != denial || (!denial && !side.rule))
			continue;
		fputs(n++ ? "; " : "  ", out);
		if (side.rule != WEIR_NO_RULE) {
			print_rule(v, side.rule, out);
			continue;
		}
		fprintf(out,
			v->event->reason == WEIR_POLICY_CLOSED ? "%s closed, does not fit ("
							       : "%s default deny (",
			side.direction);
		print_policies(v, side.set, out);
		fputc(')', out);
	}
	return n;
}

static const char *verdict_word(const struct event_view *v, enum tone *ret_tone)
{
	*ret_tone = TONE_BAD;
	switch (v->verdict) {
	case EVENT_ALLOW:
		*ret_tone = TONE_GOOD;
		return "ALLOWED";
	case EVENT_DENY:
		if (v->enforced)
			return "DENIED";
		*ret_tone = TONE_WARN;
		return "NOT ENFORCED";
	case EVENT_REJECT:
		return "REJECTED";
	default:
		return "DROPPED";
	}
}

/* For events that no policy explains. */
static void print_reason(const struct event_view *v, FILE *out)
{
	uint32_t reason = v->event->reason;

	if (reason < _WEIR_REASON_MAX)
		fprintf(out, "  %s: %s", reason_label(reason), reason_text(reason));
	else
		fprintf(out, "  reason %u, of a newer datapath", reason);
}

void event_print(const struct event_view *v, const struct style *style, FILE *out)
{
	enum tone tone;
	const char *word = verdict_word(v, &tone);
	char clock[16];
	struct tm tm;

	localtime_r(&v->time.tv_sec, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	fprintf(out, "%s.%03ld %s%-8s%s ", clock, v->time.tv_nsec / 1000000, tone_on(style, tone),
		word, tone_off(style, tone));
	print_ends(v, style->utf8 ? "→" : "->", out);
	if (!(v->verdict & (EVENT_ALLOW | EVENT_DENY)) ||
	    (!print_sides(v, out) && v->verdict == EVENT_DENY))
		print_reason(v, out);
	fputc('\n', out);
}

/* ---- For machines ---- */

static void emit_end(struct emit *e, const char *key, const struct event_end *end)
{
	static const char *const kinds[] = { [PLAN_OWNER_NONE] = "address",
					     [PLAN_OWNER_POD] = "pod",
					     [PLAN_OWNER_SERVICE] = "service",
					     [PLAN_OWNER_NODE] = "node" };
	char addr[ADDR_TEXT_MAX];

	if (!end) {
		emit_null(e, key);
		return;
	}
	emit_map(e, key);
	emit_text(e, "kind", kinds[end->owner]);
	emit_text(e, "name", end->name);
	emit_text(e, "address", addr_text(&end->addr, addr));
	emit_known(e, "port", end->port, end->port);
	emit_map_end(e);
}

static void emit_side(struct emit *e, const struct event_view *v, int direction)
{
	const char *name, *key = direction ? "ingress" : "egress";
	struct event_side side;
	const struct live *l;
	long long rule;

	if (!event_side(v, direction, &side)) {
		emit_null(e, key);
		return;
	}
	l = event_live(v, WEIR_NAME_RULE, side.rule);
	emit_map(e, key);
	emit_text(e, "verdict", side.denied ? "deny" : "allow");
	emit_text(e, "policy",
		  side.rule ? live_fact(l, WEIR_NAME_RULE, side.rule, "policy") : NULL);
	rule = side.rule ? live_number(l, WEIR_NAME_RULE, side.rule, "rule") : -1;
	emit_known(e, "rule", rule >= 0, rule);
	emit_text(e, "src", side.rule ? live_fact(l, WEIR_NAME_RULE, side.rule, "src") : NULL);
	emit_array(e, "policies");
	l = event_live(v, WEIR_NAME_POLICY_SET, side.set);
	for (size_t i = 0; side.set && (name = live_policy(l, side.set, i)); i++)
		emit_text(e, NULL, name);
	emit_array_end(e);
	emit_int(e, "ruleId", side.rule);
	emit_int(e, "setId", side.set);
	emit_map_end(e);
}

/* The direction that denied, or NULL. */
static const char *direction_of(const struct event_view *v)
{
	if (v->event->flags & WEIR_EVENT_EGRESS_DENIED)
		return "egress";
	return v->event->flags & WEIR_EVENT_INGRESS_DENIED ? "ingress" : NULL;
}

static void emit_ends(struct emit *e, const struct event_view *v)
{
	char text[LIVE_TEXT_MAX];

	emit_text(e, "family", v->has_ends ? family_text(addr_family(&v->event->src)) : NULL);
	emit_text(e, "protocol", v->has_ends ? proto_label(v->event->proto, text) : NULL);
	emit_end(e, "from", v->has_ends ? &v->from : NULL);
	emit_end(e, "to", v->has_ends ? &v->to : NULL);
	emit_end(e, "backend", v->event->flags & WEIR_EVENT_TRANSLATED ? &v->backend : NULL);
	emit_text(e, "service",
		  v->event->service ? event_label(v, WEIR_NAME_SERVICE, v->event->service, text)
				    : NULL);
}

static const char *hook_of(const struct weir_event *ev)
{
	if (ev->flags & WEIR_EVENT_UPLINK)
		return ev->flags & WEIR_EVENT_TO_POD ? "to-uplink" : "from-uplink";
	return ev->flags & WEIR_EVENT_TO_POD ? "to-pod" : "from-pod";
}

void event_emit(const struct event_view *v, struct emit *e)
{
	static const char *const verdicts[] = { [EVENT_ALLOW] = "allow",
						[EVENT_DENY] = "deny",
						[EVENT_DROP] = "drop",
						[EVENT_REJECT] = "reject" };
	const struct weir_event *ev = v->event;
	char clock[32];
	struct tm tm;

	gmtime_r(&v->time.tv_sec, &tm);
	strftime(clock, sizeof(clock), "%Y-%m-%dT%H:%M:%S", &tm);
	emit_printf(e, "time", "%s.%09ldZ", clock, v->time.tv_nsec);
	emit_text(e, "verdict", verdicts[v->verdict]);
	emit_bool(e, "enforced", v->enforced);
	if (ev->reason < _WEIR_REASON_MAX)
		emit_text(e, "reason", reason_label(ev->reason));
	else
		emit_printf(e, "reason", "%u", ev->reason);
	emit_text(e, "direction", direction_of(v));
	emit_ends(e, v);
	emit_side(e, v, 0);
	emit_side(e, v, 1);
	emit_bool(e, "known", ev->flags & WEIR_EVENT_KNOWN);
	emit_bool(e, "reply", ev->flags & WEIR_EVENT_REPLY);
	emit_bool(e, "icmpError", ev->flags & WEIR_EVENT_ICMP_ERROR);
	emit_text(e, "hook", hook_of(ev));
	emit_text(e, "pod", live_pod_at(v->naming->now, ev->device));
	emit_int(e, "device", ev->device);
	emit_int(e, "bytes", ev->len);
}
