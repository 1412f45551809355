// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* weir why FROM TO: one question, answered with everything that had a say in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/engine.h"
#include "cli/verbs.h"
#include "cli/why.h"

struct why_options {
	struct common_options common;
	const char *engine;
};

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
		return cli_fail(EXIT_DISAGREE,
				"a defect of Weir: the compiled plan and the objects do not say the same");
	return denied ? EXIT_NO : EXIT_OK;
}

/* What cannot be asked is usage; the rest is what an edge says. */
static int fail(int error, const struct weir_err *err)
{
	if (error == -ENOENT || error == -EINVAL || error == -EAFNOSUPPORT)
		return cli_fail(EXIT_USAGE, "why: %s", err->text);
	if (error == -EPROTO) /* a program contradicts itself */
		return cli_fail(EXIT_DISAGREE, "a defect of Weir: %s", err->text);
	return cli_fail_err(error, err);
}

static int ask_all(struct why_ask *ask, const struct why_options *o)
{
	_cleanup_(report_free) struct report *report = NULL;
	_cleanup_(why_flows_free) struct why_flows flows = {};
	_cleanup_(engine_close) struct engine engine;
	struct weir_err err = {};
	int r, status;

	engine_open(&engine, o->engine);
	report = report_new(&(struct report_input){ .store = ask->store, .judge = &engine.judge });
	ask->report = report;
	r = why_resolve(ask, &err);
	if (!r)
		r = why_judge(ask, &flows, &err);
	status = r ? fail(r, &err) : answer(&flows, &o->common);
	if (engine_verdict(&engine))
		status = EXIT_DISAGREE;
	return status;
}

static int run(void *options, char **args, int n_args)
{
	const struct why_options *o = options;
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(arena_free) struct arena arena = {};
	struct why_ask ask = { .arena = &arena };
	struct weir_err err = {};
	int status;

	if (why_parse(&ask, args[0], args[1], &err))
		return cli_fail(EXIT_USAGE, "why: %s", err.text);
	status = cli_read_store(&o->common, STORE_INVENT, &s);
	if (status)
		return status;
	ask.store = s;
	return ask_all(&ask, o);
}

static const struct option_row rows[] = {
	{ "engine", 0, "plan|bpf", OPTION_CHOICE, offsetof(struct why_options, engine),
	  "who judges the two ends: the compiled plan, or the real programs under BPF_PROG_TEST_RUN (root)" },
	{},
};

const struct verb verb_why = {
	.name = "why",
	.arguments = "FROM TO[:PORT[/PROTO]] -f PATH",
	.summary = "may FROM connect to TO, and what says so, step by step",
	.details =
		"FROM and TO: ns/pod, or ns/workload for its first pod, pod/ns/name, svc/ns/name (TO only), a DNS name\n"
		"(host.service.ns under a headless Service, service.ns.svc), an IP ([IPv6]:PORT), world, node. PORT is\n"
		"a number or a name; it may be left out where the pod or Service has only one. Both directions are\n"
		"shown always: each policy that selects the pod, each rule, each selector with the label that failed,\n"
		"with file and line. Exit status 0 allowed, 1 denied.\n\n"
		"  weir why default/web prod/db:5432 -f manifests/\n",
	.outputs = "table|json",
	.wants = WANTS_FILES,
	.options = rows,
	.options_size = sizeof(struct why_options),
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
