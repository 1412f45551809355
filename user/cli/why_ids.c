// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The question of why where the objects are not there any more: what the tables
 * of the instance decide, by their own numbers, named as far as the plan file
 * names them. See why_live.h. Explains nothing; it says who decided.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/mem.h"
#include "cli/why_live.h"
#include "compile/json_read.h"
#include "testrun/probe.h"

struct ids_answer {
	struct oracle_query q;
	struct oracle_answer a;
	struct weir_trace t;
	bool judged; /* a program ran: one of the ends is plugged in here */
};

static bool own_address(const struct why_live *l, const struct weir_addr *addr)
{
	uint32_t kind;

	return !bpf_map_lookup_elem(node_map_fd(l->live.node, WEIR_MAP_nodes), addr, &kind) &&
	       kind == WEIR_NODE_OWN;
}

/* Only what has an address in that family by itself, or by the plan file. */
static bool find_addr(const struct why_live *l, const struct target *t, int family, struct weir_addr *ret_addr)
{
	_cleanup_(mem_free) char *name = NULL;

	if (t->kind == TARGET_ADDR && addr_family(&t->addr) == family) {
		*ret_addr = t->addr;
		return true;
	}
	if (t->kind != TARGET_POD || !l->live.plan)
		return false;
	name = mem_printf("%s/%s", t->ns, t->name);
	return plan_json_pod_addr(l->live.plan, name, family, ret_addr);
}

static const char *by_text(const struct why_live *l, bool allow, uint32_t rule, uint32_t set, char *buf)
{
	char name[LIVE_TEXT_MAX];

	if (rule)
		snprintf(buf, LIVE_TEXT_MAX * 2, "by rule %u, %s", rule,
			 live_label(&l->live, WEIR_NAME_RULE, rule, name));
	else if (set && allow)
		snprintf(buf, LIVE_TEXT_MAX * 2, "by no rule: the pod itself, or its node");
	else if (set)
		snprintf(buf, LIVE_TEXT_MAX * 2, "default-deny of policy set %u, %s", set,
			 live_label(&l->live, WEIR_NAME_POLICY_SET, set, name));
	else
		snprintf(buf, LIVE_TEXT_MAX * 2, "not isolated");
	return buf;
}

static void print_side(const struct why_live *l, const char *name, bool judged, bool allow, uint32_t rule,
		       uint32_t set, const struct style *s)
{
	enum tone tone = allow ? TONE_GOOD : TONE_BAD;
	char text[LIVE_TEXT_MAX * 2];

	if (!judged)
		printf(" %-7s  not judged here\n", name);
	else
		printf(" %-7s  %s%-7s%s  %s\n", name, tone_on(s, tone), allow ? "ALLOWED" : "DENIED",
		       tone_off(s, tone), by_text(l, allow, rule, set, text));
}

static void print_answer(const struct why_live *l, const struct why_ask *ask, const struct ids_answer *i,
			 const struct style *s)
{
	bool allow = i->a.reason == WEIR_FORWARDED;
	enum tone tone = allow ? TONE_GOOD : TONE_BAD;
	char dst[ADDR_TEXT_MAX];

	printf("%s%s%s  %s %s %s  %s/%u  %s  %s\n", tone_on(s, tone), allow ? "ALLOWED" : "DENIED",
	       tone_off(s, tone), ask->from_text, s->utf8 ? "→" : "->", ask->to_text, proto_text(i->q.proto),
	       i->q.port, family_text(!weir_addr_is_v4(&i->q.src)),
	       i->judged ? reason_label(i->a.reason) : "no end is plugged in on this node: nothing is judged");
	if (!i->judged)
		return;
	if (i->t.service)
		printf(" service  #%u %s %s:%u\n", i->t.service, s->utf8 ? "→" : "->", addr_text(&i->a.dst, dst),
		       i->a.port);
	print_side(l, "egress", i->t.judged_egress, i->t.allow_egress, i->t.egress_rule, i->t.egress_set, s);
	print_side(l, "ingress", i->t.judged_ingress, i->t.allow_ingress, i->t.ingress_rule, i->t.ingress_set, s);
	printf(" datapath: generation %llu, by ids%s\n", (unsigned long long)l->live.generation,
	       node_config(l->live.node)->enforcement == WEIR_ENFORCE_ON
		       ? ""
		       : "; but enforcement is OFF: what is denied passes");
}

static void emit_side(struct emit *e, const char *key, bool judged, bool allow, uint32_t rule, uint32_t set)
{
	emit_map(e, key);
	emit_bool(e, "judged", judged);
	emit_text(e, "verdict", allow ? "allow" : "deny");
	emit_int(e, "ruleId", rule);
	emit_int(e, "policySet", set);
	emit_map_end(e);
}

static void emit_answer(struct emit *e, const struct why_live *l, const struct why_ask *ask,
			const struct ids_answer *i)
{
	emit_text(e, "from", ask->from_text);
	emit_text(e, "to", ask->to_text);
	emit_text(e, "family", family_text(!weir_addr_is_v4(&i->q.src)));
	emit_text(e, "protocol", proto_text(i->q.proto));
	emit_int(e, "port", i->q.port);
	emit_text(e, "verdict", i->a.reason == WEIR_FORWARDED ? "allow" : "deny");
	emit_text(e, "reason", reason_label(i->a.reason));
	emit_bool(e, "judged", i->judged);
	emit_int(e, "generation", l->live.generation);
	emit_side(e, "egress", i->t.judged_egress, i->t.allow_egress, i->t.egress_rule, i->t.egress_set);
	emit_side(e, "ingress", i->t.judged_ingress, i->t.allow_ingress, i->t.ingress_rule, i->t.ingress_set);
}

static int ask_family(struct why_live *l, const struct why_ask *ask, const struct plan *nothing, int family,
		      struct ids_answer *ret_answer)
{
	struct ids_answer i = { .q = { .proto = ask->to.proto ? ask->to.proto : IPPROTO_TCP,
				       .port = ask->to.port } };
	int r;

	if (!find_addr(l, &ask->from, family, &i.q.src) || !find_addr(l, &ask->to, family, &i.q.dst))
		return -EAFNOSUPPORT;
	i.q.host_origin = own_address(l, &i.q.src);
	r = probe_ask(l->probe, nothing, &i.q, &i.a, &l->err);
	if (r)
		return r;
	i.judged = probe_trace(l->probe) != NULL;
	if (i.judged)
		i.t = *probe_trace(l->probe);
	*ret_answer = i;
	return 0;
}

static int answer(struct why_live *l, const struct why_ask *ask, const struct ids_answer *answers, size_t n,
		  const struct common_options *c)
{
	_cleanup_(emit_close) struct emit e = {};
	bool denied = false;

	for (size_t i = 0; i < n; i++) {
		denied |= answers[i].a.reason != WEIR_FORWARDED;
		if (!cli_json(c))
			print_answer(l, ask, &answers[i], &c->out);
	}
	if (cli_json(c)) {
		emit_open(&e, stdout);
		emit_document_begin(&e, "Why");
		emit_answer(&e, l, ask, &answers[n > 1 && answers[0].a.reason == WEIR_FORWARDED]);
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

int why_live_by_ids(struct why_live *l, const struct why_ask *ask, const struct common_options *c)
{
	_cleanup_(store_free) struct store *s = store_new();
	_cleanup_(plan_free) struct plan *nothing = NULL;
	struct ids_answer answers[2];
	size_t n = 0;
	int r;

	if (!ask->to.has_port || ask->to.port_name)
		return cli_fail(EXIT_USAGE, "why: without its objects only a port by number can be asked for");
	store_apply_defaults(s, 0);
	nothing = plan_compile(&(struct plan_input){ .store = s, .node = "" });
	r = probe_open_copy(l->live.node, nothing, &l->probe, &l->err);
	for (int family = 0; family < 2 && !r; family++) {
		r = ask_family(l, ask, nothing, family, &answers[n]);
		n += !r;
		r = r == -EAFNOSUPPORT ? 0 : r;
	}
	if (r)
		return cli_fail_err(r, &l->err);
	if (!n)
		return cli_fail(EXIT_USAGE,
				"why: without its objects pods are known by the plan file only%s, and all else "
				"by address",
				l->live.plan ? "" : ", which is not there either");
	return answer(l, ask, answers, n, c);
}
