// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Compares the loaded tables' verdicts with why's answers. See why_live.h. A difference is a defect
 * only if the instance was loaded from the same objects and no apply is unfinished; any other is
 * reported only.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/why_live.h"
#include "testrun/evaluator.h"

#define COPY_TRIES 3 /* RACE: an apply during the copy makes it stale */

/* The tables hold the opt-outs of the records that were loaded. */
static void mark_opt_outs(struct store *s, const struct weir_pod *pod)
{
	uint32_t flags = weir_pod_flags(pod->word);

	for (size_t i = 0; i < s->n_pods; i++)
		for (int f = 0; f < 2; f++)
			if (!weir_addr_is_zero(&pod->addr[f]) &&
			    weir_addr_equal(&s->pods[i]->addr[f], &pod->addr[f])) {
				s->pods[i]->any_sender = flags & WEIR_POD_ANY_SENDER;
				s->pods[i]->tunnels = flags & WEIR_POD_TUNNELS;
			}
}

static void read_opt_outs(struct why_live *l)
{
	const struct weir_pod *pods = node_array(l->live.node, WEIR_MAP_pods);

	for (uint32_t i = 1; i < node_map_max(l->live.node, WEIR_MAP_pods); i++)
		if (pods[i].ref &&
		    weir_pod_flags(pods[i].word) & (WEIR_POD_ANY_SENDER | WEIR_POD_TUNNELS))
			mark_opt_outs(l->origin.store, &pods[i]);
}

int why_live_open(struct why_live *l, const char *name, struct weir_err *err)
{
	_cleanup_(mem_free) char *path = NULL;
	int r;

	*l = (struct why_live){ .name = name };
	r = live_open(&l->live, name, err);
	if (r)
		return r;
	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		l->sizes[map] = node_map_max(l->live.node, map);
	live_unfit(&l->live, &l->unfit);
	path = live_file(&l->live, INSTANCE_OBJECTS, l->live.generation);
	if (!origin_read(path, &l->origin, &l->err))
		read_opt_outs(l);
	return 0;
}

void why_live_close(struct why_live *l)
{
	testrun_close(&l->testrun);
	origin_free(&l->origin);
	plan_unfit_free(&l->unfit);
	if (l->live.node)
		live_close(&l->live);
	*l = (struct why_live){};
}

/* ---- State of the tables ---- */

static int make_copy(struct why_live *l)
{
	int r = -ESTALE;

	if (l->testrun)
		return 0;
	for (int i = 0; i < COPY_TRIES && r == -ESTALE; i++)
		r = testrun_open_copy(l->live.node, l->plan, &l->testrun, &l->err);
	return r;
}

/* A load of the same plan would change something. */
static bool drifted(const struct why_live *l)
{
	struct sync_delta d = {};
	struct weir_err err;

	return live_compare(l->live.node, l->name, l->plan, &d, &err) || sync_delta_writes(&d);
}

/*
 * An apply writes the next generation's plan file before the first table, and the generation after
 * the last one.
 */
static bool is_half_done(const struct why_live *l)
{
	_cleanup_(mem_free) char *path = live_file(&l->live, INSTANCE_PLAN, l->live.generation + 1);

	return !access(path, F_OK) || node_config(l->live.node)->generation != l->live.generation ||
	       node_config(l->live.node)->pending & (WEIR_PENDING_POLICY | WEIR_PENDING_SERVICE);
}

/* ---- Texts ---- */

static const char *ago_text(struct arena *arena, uint64_t tick)
{
	long long s = live_tick_age(live_ticks_now(), tick);

	if (s < 120)
		return arena_printf(arena, "%lld s ago", s);
	return s < 7200 ? arena_printf(arena, "%lld min ago", s / 60)
			: arena_printf(arena, "%lld h ago", s / 3600);
}

/* The rule or policy set that decided, and its hits. */
static const char *decision_text(const struct why_live *l, const struct weir_decision *t,
				 struct arena *arena)
{
	bool egress = t->judged_egress && (!t->allow_egress || !t->judged_ingress);
	uint32_t rule = egress ? t->egress_rule : t->ingress_rule,
		 set = egress ? t->egress_set : t->ingress_set;
	bool allowed = egress ? t->allow_egress : t->allow_ingress;
	char label[LIVE_TEXT_MAX];
	struct weir_hits hits = {};
	const char *text;

	if (!t->judged_egress && !t->judged_ingress)
		return reason_label(t->reason);
	if (rule) {
		text = arena_printf(arena, "allowed by rule %s",
				    live_label(&l->live, WEIR_NAME_RULE, rule, label));
		live_hits(&l->live, WEIR_MAP_rule_hits, rule, &hits);
	} else if (t->reason == WEIR_POLICY_CLOSED) {
		return "closed: a policy does not fit the tables";
	} else if (set && allowed) {
		return "allowed without a rule: the pod itself, or its node";
	} else if (set) {
		text = arena_printf(arena, "default deny: no rule of %s allows it",
				    live_label(&l->live, WEIR_NAME_POLICY_SET, set, label));
		live_hits(&l->live, WEIR_MAP_set_hits, set, &hits);
	} else {
		return "no policy applies";
	}
	if (!hits.packets)
		return arena_printf(arena, "%s; no packet matched yet", text);
	return arena_printf(arena, "%s; %llu %s matched so far, last %s", text,
			    (unsigned long long)hits.packets,
			    hits.packets == 1 ? "packet" : "packets", ago_text(arena, hits.last));
}

static bool is_off(const struct why_live *l)
{
	return node_config(l->live.node)->enforcement != WEIR_ENFORCE_ON;
}

/* ---- Comparison ---- */

struct comparison {
	struct why_live *l;
	const struct why_ask *ask;
	bool own; /* the objects are the instance's own */
	bool defect; /* found one */
};

static struct oracle_query query_of(const struct why_live *l, const struct why_flow *f,
				    bool frontend)
{
	const struct report_item *i = &f->item;
	const struct kube_pod *from = i->from_pod;
	struct oracle_query q = {
		.src = i->src, .dst = i->dst, .proto = i->proto, .port = i->port
	};

	if (frontend) {
		q.dst = f->frontend;
		q.port = f->service_port;
	}
	q.host_origin = from ? from->host_network && !strcmp(from->node, l->plan->node)
			     : i->from_kind == REPORT_NODE && i->to_pod &&
					!strcmp(i->to_pod->node, l->plan->node);
	return q;
}

static void __attribute__((format(printf, 3, 4)))
say(struct comparison *c, struct why_flow *f, const char *fmt, ...)
{
	_cleanup_(mem_free) char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	f->datapath.text = arena_strdup(c->ask->arena, text);
}

/* Programs see the packet if an end is a pod of this node, and each such pod is attached. */
static bool programs_see(struct comparison *c, struct why_flow *f, const struct oracle_query *q)
{
	const struct plan_pod *ends[2] = { plan_find_local_pod(c->l->plan, &q->src),
					   plan_find_local_pod(c->l->plan, &q->dst) };
	const struct weir_addr *addrs[2] = { &q->src, &q->dst };

	if (!ends[0] && !ends[1]) {
		say(c, f, "not checked: neither end is a pod of this node, %s", c->l->plan->node);
		return false;
	}
	for (int i = 0; i < 2; i++)
		if (ends[i] && !testrun_has_pod(c->l->testrun, addrs[i])) {
			say(c, f, "not checked: %s/%s is not attached here (generation %llu)",
			    ends[i]->ns, ends[i]->name, (unsigned long long)c->l->live.generation);
			return false;
		}
	return true;
}

static void say_agreement(struct comparison *c, struct why_flow *f, const struct weir_decision *t)
{
	struct arena *arena = c->ask->arena;

	f->datapath.agrees = true;
	f->datapath.text = arena_printf(
		arena, "agrees (generation %llu, %s)%s", (unsigned long long)c->l->live.generation,
		t ? decision_text(c->l, t, arena) : "no program runs for it",
		is_off(c->l) ? "; but enforcement is OFF: policies are not enforced" : "");
}

/* Other objects or an unfinished apply explain a difference: then it is no defect. */
static void say_difference(struct comparison *c, struct why_flow *f,
			   const struct evaluator_difference *d)
{
	unsigned long long generation = c->l->live.generation;
	_cleanup_(mem_free) char *text = evaluator_answer_text(d->plan, &d->theirs);
	bool other = drifted(c->l);

	if (is_half_done(c->l)) {
		say(c, f, "differs, because the load after generation %llu is not finished: %s",
		    generation, text);
		return;
	}
	if (!c->own && other) {
		say(c, f, "differs, because generation %llu was loaded from other objects: %s",
		    generation, text);
		return;
	}
	say(c, f, "DISAGREES (generation %llu): %s", generation, text);
	if (!c->l->difference.plan) {
		c->l->difference = *d;
		c->l->further =
			other ? arena_printf(
					c->ask->arena,
					"narrowed down  tables are not as generation %llu left them: something else may have written them; run 'weir load' again to repair them",
					generation)
			      : NULL;
	}
	c->defect = true;
}

static bool ask_one(struct comparison *c, struct why_flow *f, const struct oracle_query *q)
{
	struct evaluator_difference d = { .plan = c->l->plan, .query = *q };
	int r;

	if (!programs_see(c, f, q))
		return false;
	r = testrun_ask(c->l->testrun, c->l->plan, q, &d.theirs, &c->l->err);
	if (r) {
		say(c, f, "cannot check: %s", c->l->err.text);
		c->defect |= r == -EPROTO;
		return false;
	}
	f->datapath.asked = true;
	if (evaluator_agrees(&d)) {
		say_agreement(c, f, testrun_trace(c->l->testrun));
		return true;
	}
	f->datapath.agrees = false;
	say_difference(c, f, &d);
	return false;
}

static void ask_flow(struct comparison *c, struct why_flow *f)
{
	struct oracle_query q = query_of(c->l, f, f->service != NULL);

	f->datapath = (struct why_datapath){ .generation = c->l->live.generation };
	if (!ask_one(c, f, &q) || !f->service || why_ends_at_frontend(f))
		return;
	q = query_of(c->l, f, false);
	ask_one(c, f, &q);
}

bool why_live_ask(struct why_live *l, const struct why_ask *ask, struct why_flows *flows, bool own)
{
	struct comparison c = { l, ask, own, false };
	const char *no = NULL;

	if (!l->live.node)
		return false;
	l->plan = l->origin.store ? report_plan(ask->report, l->origin.node) : NULL;
	if (!l->origin.store)
		no = "not checked: the file of the loaded objects is missing; run 'weir load' again to write it";
	else if (!l->plan)
		no = arena_printf(
			ask->arena,
			"not checked: generation %llu was loaded for node %s, which is not in these objects",
			(unsigned long long)l->live.generation, l->origin.node);
	else if (make_copy(l))
		no = arena_printf(ask->arena, "cannot check: %s", l->err.text);
	for (size_t i = 0; i < flows->n; i++)
		if (no)
			say(&c, &flows->items[i], "%s", no);
		else
			ask_flow(&c, &flows->items[i]);
	return c.defect;
}
