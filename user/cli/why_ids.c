// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The answer of why when the objects are missing: the ids that decided, with the names that the
 * plan file has.
 */
#include "cli/talk.h"
#include "cli/why_print.h"

static void print_side(const struct why_live *l, const char *direction,
		       const struct oracle_side *side, const struct style *s)
{
	enum tone tone = side->allow ? TONE_GOOD : TONE_BAD;
	char name[LIVE_TEXT_MAX];

	if (!side->judged) {
		printf(" %-7s  policies are not applied here\n", direction);
		return;
	}
	printf(" %-7s  %s%-7s%s  ", direction, tone_on(s, tone), side->allow ? "ALLOWED" : "DENIED",
	       tone_off(s, tone));
	if (side->rule)
		printf("by rule %u, %s\n", side->rule,
		       live_label(&l->live, WEIR_NAME_RULE, side->rule, name));
	else if (side->set && side->allow)
		puts("by no rule: the pod itself, or its node");
	else if (side->set)
		printf("default-deny of policy set %u, %s\n", side->set,
		       live_label(&l->live, WEIR_NAME_POLICY_SET, side->set, name));
	else
		puts("not isolated");
}

static void print_answer(const struct why_live *l, const struct why_ask *ask,
			 const struct why_ids *i, const struct style *s)
{
	bool allow = i->answer.reason == WEIR_FORWARDED;
	enum tone tone = allow ? TONE_GOOD : TONE_BAD;
	char dst[ADDR_TEXT_MAX];

	printf("%s%s%s  %s %s %s  %s/%u  %s  %s\n", tone_on(s, tone), allow ? "ALLOWED" : "DENIED",
	       tone_off(s, tone), ask->from_text, s->utf8 ? "→" : "->", ask->to_text,
	       proto_text(i->query.proto), i->query.port,
	       family_text(!weir_addr_is_v4(&i->query.src)),
	       i->judged ? reason_label(i->answer.reason)
			 : "no end is attached on this node: policies are not checked");
	if (!i->judged)
		return;
	if (i->service)
		printf(" service  #%u %s %s:%u\n", i->service, s->utf8 ? "→" : "->",
		       addr_text(&i->answer.dst, dst), i->answer.port);
	print_side(l, "egress", &i->egress, s);
	print_side(l, "ingress", &i->ingress, s);
	printf(" datapath: generation %llu, by ids%s\n", (unsigned long long)l->live.generation,
	       node_config(l->live.node)->enforcement == WEIR_ENFORCE_ON
		       ? ""
		       : "; but enforcement is OFF: policies are not enforced");
}

static void emit_side(struct emit *e, const char *key, const struct oracle_side *side)
{
	emit_map(e, key);
	emit_bool(e, "judged", side->judged);
	emit_text(e, "verdict", side->allow ? "allow" : "deny");
	emit_int(e, "ruleId", side->rule);
	emit_int(e, "policySet", side->set);
	emit_map_end(e);
}

static void emit_answer(struct emit *e, const struct why_live *l, const struct why_ask *ask,
			const struct why_ids *i)
{
	emit_text(e, "from", ask->from_text);
	emit_text(e, "to", ask->to_text);
	emit_text(e, "family", family_text(!weir_addr_is_v4(&i->query.src)));
	emit_text(e, "protocol", proto_text(i->query.proto));
	emit_int(e, "port", i->query.port);
	emit_text(e, "verdict", i->answer.reason == WEIR_FORWARDED ? "allow" : "deny");
	emit_text(e, "reason", reason_label(i->answer.reason));
	emit_bool(e, "judged", i->judged);
	emit_int(e, "generation", l->live.generation);
	emit_side(e, "egress", &i->egress);
	emit_side(e, "ingress", &i->ingress);
}

static int answer(const struct why_live *l, const struct why_ask *ask,
		  const struct why_ids *answers, size_t n, const struct common_options *c)
{
	_cleanup_(emit_close) struct emit e = {};
	bool denied = false;

	for (size_t i = 0; i < n; i++) {
		denied |= answers[i].answer.reason != WEIR_FORWARDED;
		if (!cli_json(c))
			print_answer(l, ask, &answers[i], &c->out);
	}
	if (cli_json(c)) {
		emit_open(&e, stdout);
		emit_document_begin(&e, "Why");
		emit_answer(&e, l, ask,
			    &answers[n > 1 && answers[0].answer.reason == WEIR_FORWARDED]);
		emit_array(&e, "items");
		for (size_t i = 0; i < n; i++) {
			emit_map(&e, NULL);
			emit_answer(&e, l, ask, &answers[i]);
			emit_map_end(&e);
		}
		emit_array_end(&e);
		emit_document_end(&e);
	}
	return denied ? EXIT_NO : EXIT_OK;
}

int why_by_ids(struct why_live *l, const struct why_ask *ask, const struct common_options *c)
{
	struct why_ids answers[2];
	size_t n;
	int r;

	if (!ask->to.has_port || ask->to.port_name)
		return cli_fail(EXIT_USAGE,
				"why: the objects are missing: give the port as a number");
	r = why_live_by_ids(l, ask, answers, &n);
	if (r)
		return cli_fail_err(r, &l->err);
	if (!n)
		return cli_fail(EXIT_USAGE,
				"why: the objects are missing: give FROM and TO as addresses%s",
				l->live.plan ? ", or as pods of the plan file" : "");
	return answer(l, ask, answers, n, c);
}
