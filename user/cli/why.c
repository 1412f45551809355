// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir why FROM TO: one question, answered with every policy, rule and selector involved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/evaluator.h"
#include "cli/input.h"
#include "cli/loaded.h"
#include "cli/verbs.h"
#include "cli/why_print.h"
#include "sandbox/sandbox.h"

struct why_options {
	struct common_options common;
	const char *engine;
};

/* With --engine bpf the programs have answered, on private maps made from the objects. */
static void note_programs(struct why_flows *flows, const struct program_evaluator *e)
{
	for (size_t i = 0; e->n_asked && i < flows->n; i++)
		flows->items[i].datapath = (struct why_datapath){
			.asked = true,
			.agrees = !e->n_differ,
			.text = e->n_differ
					? "DISAGREES (--engine bpf)"
					: "agrees (--engine bpf: the BPF programs, on tables created from these objects)"
		};
}

static int answer(struct why_flows *flows, const struct common_options *c)
{
	_cleanup_(emit_close) struct emit e = {};
	bool denied = false, disagree = false;

	why_merge(flows);
	for (size_t i = 0; i < flows->n; i++) {
		denied |= !flows->items[i].item.allow;
		disagree |= flows->items[i].disagree;
		if (!cli_json(c) && !flows->items[i].repeated)
			why_print(&flows->items[i], &c->out, stdout);
	}
	if (cli_json(c)) {
		emit_open(&e, stdout);
		why_emit(flows, &e);
	}
	if (disagree)
		return cli_fail(
			EXIT_DISAGREE,
			"INTERNAL BUG: the plan and the explanation from the objects disagree. Please report it "
			"with the manifests and 'weir version'");
	return denied ? EXIT_NO : EXIT_OK;
}

/* A query that cannot be evaluated is a usage error; other errors have their own status. */
static int fail(int error, const struct weir_err *err)
{
	if (error == -ENOENT || error == -EINVAL || error == -EAFNOSUPPORT)
		return cli_fail(EXIT_USAGE, "why: %s", err->text);
	if (error == -EPROTO) /* a program's verdict and its decision disagree */
		return cli_fail(EXIT_DISAGREE, "a defect of Weir: %s", err->text);
	return cli_fail_err(error, err);
}

/* in: the store, and the node's addresses where known. */
static int ask_all(struct why_ask *ask, const struct why_options *o, struct report_input *in,
		   struct why_live *live, bool own)
{
	_cleanup_(report_free) struct report *report = NULL;
	_cleanup_(why_flows_free) struct why_flows flows = {};
	_cleanup_(program_evaluator_close) struct program_evaluator evaluator = {};
	struct weir_err err = {};
	bool defect;
	int r, status;

	evaluator_choose(&evaluator, o->engine);
	in->evaluator = &evaluator.evaluator;
	report = report_new(in);
	ask->report = report;
	ask->evaluator = in->evaluator;
	ask->store = in->store;
	r = why_resolve(ask, &err);
	if (!r)
		r = why_judge(ask, &flows, &err);
	if (r) {
		status = fail(r, &err);
		return evaluator_verdict(&evaluator) ? EXIT_DISAGREE : status;
	}
	note_programs(&flows, &evaluator);
	defect = why_live_ask(live, ask, &flows, own);
	if (live->difference.plan)
		evaluator_banner(&live->difference, "the kernel", live->further);
	status = answer(&flows, &o->common);
	if (evaluator_verdict(&evaluator) || defect)
		status = EXIT_DISAGREE;
	if (live->live.node)
		loaded_check(&live->live, &o->common);
	return status;
}

/*
 * The manifests on the loaded node, as a load would compile them: what does not fit follows from
 * the sizes.
 */
static void take_node(struct report_input *in, const struct why_live *live)
{
	if (!live->origin.store)
		return;
	in->own_node = live->origin.node;
	in->own = live->origin.local;
	in->n_own = live->origin.n_local;
	in->node_ports = live->origin.node_ports;
	in->overlay_ports = (const uint64_t *)node_config(live->live.node)->overlay_ports;
	in->sizes = live->sizes;
}

/*
 * What did not fit beside old entries does not follow from the sizes. It is out in the answer too
 * if these are the manifests that were loaded.
 */
static void take_unfit(struct report_input *in, struct why_live *live)
{
	_cleanup_(report_free) struct report *report = NULL;
	const struct plan *plan;
	struct sync_delta d = {};
	struct weir_err err = {};

	if (!in->own_node || !plan_unfit_count(&live->unfit))
		return;
	in->unfit = &live->unfit;
	report = report_new(in);
	plan = report_plan(report, in->own_node);
	if (!plan || live_compare(live->live.node, live->name, plan, &d, &err) ||
	    sync_delta_writes(&d))
		in->unfit = NULL;
}

/* With -f. A loaded instance is asked as well. */
static int run_files(struct why_ask *ask, const struct why_options *o)
{
	_cleanup_(why_live_close) struct why_live live = {};
	_cleanup_(store_free) struct store *s = NULL;
	struct report_input in = {};
	struct weir_err err = {};
	int status = cli_read_store(&o->common, STORE_ASSIGN, &s), r;

	if (status)
		return status;
	/* no instance, or no permission: only the manifests answer */
	r = why_live_open(&live, o->common.name, &err);
	if (r && r != -ENOENT)
		cli_note(&o->common, "what is loaded on this node is not asked: %s%s", err.text,
			 geteuid() ? " (needs root)" : "");
	in.store = s;
	if (!r)
		take_node(&in, &live);
	if (!r)
		take_unfit(&in, &live);
	return ask_all(ask, o, &in, &live, false);
}

/* Without -f: the loaded instance, and the objects kept beside its plan. */
static int run_live(struct why_ask *ask, const struct why_options *o)
{
	_cleanup_(sandbox_net_free) struct sandbox_net net = {};
	_cleanup_(why_live_close) struct why_live live = {};
	struct origin *origin = &live.origin;
	struct report_input in = {};
	struct weir_err err = {};
	int r = why_live_open(&live, o->common.name, &err);

	if (r)
		return cli_fail_err(r, &err);
	loaded_note_names(&live.live, &o->common);
	if (!origin->store) {
		cli_note(&o->common, "%s: rules and labels cannot be shown", live.err.text);
		return why_by_ids(&live, ask, &o->common);
	}
	in.store = origin->store;
	take_node(&in, &live);
	in.unfit = &live.unfit;
	if (origin->sandbox) {
		const struct sandbox_node *node;

		sandbox_place(origin->store, &net);
		node = &net.nodes[sandbox_node_index(&net, origin->node)];
		in.own = node->local;
		in.n_own = node->n_local;
		in.world = net.world_addr;
	}
	return ask_all(ask, o, &in, &live, true);
}

static int run(void *options, char **args, int n_args)
{
	const struct why_options *o = options;
	_cleanup_(arena_free) struct arena arena = {};
	struct why_ask ask = { .arena = &arena };
	struct weir_err err = {};

	if (why_parse(&ask, args[0], args[1], &err))
		return cli_fail(EXIT_USAGE, "why: %s", err.text);
	return o->common.files.n ? run_files(&ask, o) : run_live(&ask, o);
}

static const struct option_row rows[] = {
	{ "engine", 0, "plan|bpf", OPTION_CHOICE, offsetof(struct why_options, engine),
	  "evaluator: the compiled plan, or the BPF programs under BPF_PROG_TEST_RUN (root)" },
	{},
};

const struct verb verb_why = {
	.name = "why",
	.arguments = "FROM TO[:PORT[/PROTO]] [-f PATH]",
	.summary = "may FROM connect to TO, and why, step by step",
	.details =
		"FROM and TO: ns/pod, ns/workload (its first pod), pod/ns/name, svc/ns/name (TO only), a DNS name\n"
		"(host.service.ns under a headless Service, service.ns.svc), an IP ([IPv6]:PORT), world, node. PORT\n"
		"is a number or a name; it may be left out if the pod or Service has only one. An IP is evaluated in\n"
		"its own family, names in each family that both ends have. Both directions are always shown: each\n"
		"policy that selects the pod, each rule, each selector with the label that failed, with file and line.\n"
		"Exit status 0: allowed; 1: denied; 2: FROM or TO is not found.\n"
		"Without -f the answer is about what is loaded on this node (root), with the rules and labels of the\n"
		"manifests that were loaded. If an instance is loaded, with -f too, the loaded BPF programs also run on\n"
		"a copy of its tables, and the line datapath: says whether they give the same verdict. The instance\n"
		"does not change. A different verdict from the same manifests is a bug of Weir: exit status 7.\n\n"
		"  weir why default/web prod/db:5432 -f manifests/\n"
		"  weir why default/web svc/prod/db\n",
	.outputs = "table|json",
	.wants = WANTS_FILES | WANTS_INSTANCE,
	.options = rows,
	.options_size = sizeof(struct why_options),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
