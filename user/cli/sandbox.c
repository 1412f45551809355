// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir sandbox: the pods of manifests as network namespaces behind those of nodes. Each of its
 * words is a thin layer over user/sandbox.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/instance.h"
#include "cli/input.h"
#include "cli/measure_table.h"
#include "cli/verbs.h"

struct sandbox_options {
	struct common_options common;
	const char *ports, *topology;
	uint32_t timeout_ms, requests;
	bool no_datapath;
	size_t unfit; /* policies and Services that do not fit; filled by sandbox_up() */
};

static void print_step(const char *what, uint64_t ns, void *arg)
{
	const struct sandbox_options *o = arg;

	if (!o->common.quiet)
		fprintf(stderr, "  %-36s %8.1f ms\n", what, ns / 1e6);
}

/* The error of a layout version advises what an instance outside of a sandbox needs. */
static int fail(const struct sandbox_options *o, int error, const struct weir_err *err)
{
	_cleanup_(mem_free) char *option = instance_option(o->common.name);
	int status = cli_fail_err(error, err);

	if (error == -EPROTO)
		cli_fail(
			status,
			"as this is a sandbox, run 'weir sandbox down%s', then 'weir sandbox up -f PATH%s', "
			"instead",
			option, option);
	return status;
}

/* Reads -f and places all pods on the sandbox's nodes. */
static int read_placed(const struct sandbox_options *o, unsigned int flags,
		       struct store **ret_store, struct sandbox_net *ret_net)
{
	int status = cli_read_store(&o->common, STORE_ASSIGN | flags, ret_store);

	if (status)
		return status;
	sandbox_place(*ret_store, ret_net);
	for (int i = 0; o->topology && sandbox_topologies[i]; i++)
		if (!strcmp(o->topology, sandbox_topologies[i]))
			ret_net->topology = i;
	return 0;
}

static void print_unfit(const struct plan *p, void *arg)
{
	struct sandbox_options *o = arg;

	diag_print(&p->notes, stderr);
	o->unfit += p->n_closed + p->n_left_out;
}

/* NULL-terminated; an element for each node. */
static const char **read_origins(struct store *s, const struct sandbox_net *net,
				 const struct sandbox_options *o)
{
	const char **origins = mem_zalloc((net->n_nodes + 1) * sizeof(*origins));

	for (size_t i = 0; i < net->n_nodes; i++)
		origins[i] = cli_origin(s, &(struct plan_input){ .node = net->nodes[i].name }, true,
					&o->common);
	return origins;
}

static void origins_free(const char ***origins)
{
	for (const char **text = *origins; text && *text; text++)
		free((char *)*text);
	free(*origins);
}

/* How to name each of several nodes. */
static void note_nodes(const struct sandbox_options *o, const struct sandbox_net *net)
{
	for (size_t i = 0; i < net->n_nodes && net->n_nodes > 1; i++) {
		_cleanup_(mem_free) char *where = sandbox_node_where(net, i);
		_cleanup_(mem_free) char *instance = sandbox_instance(o->common.name, net, i);

		cli_note(&o->common, "node %s: sandbox exec %s, --name %s", net->nodes[i].name,
			 where, instance);
	}
}

static int run_up(struct sandbox_options *o, char **args, int n_args)
{
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(sandbox_net_free) struct sandbox_net net = {};
	_cleanup_(origins_free) const char **origins = NULL;
	struct sandbox_request req = {
		.name = o->common.name, .no_datapath = o->no_datapath, .step = print_step, .arg = o
	};
	struct sandbox_summary sum;
	struct weir_err err = {};
	int status = read_placed(o, CLI_KEEP_SOURCE_TEXT, &s, &net), r;

	if (status)
		return status;
	req.store = s;
	req.net = &net;
	origins = read_origins(s, &net, o);
	req.origins = origins;
	req.unfit = print_unfit;
	r = sandbox_up(&req, &sum, &err);
	if (r)
		return fail(o, r, &err);
	cli_note(&o->common,
		 "sandbox %s: %u pods added, %u removed, %u kept; %u table writes, generation %llu",
		 o->common.name ? o->common.name : SANDBOX_DEFAULT_NAME, sum.added, sum.removed,
		 sum.kept, sum.writes, (unsigned long long)sum.delta.generation);
	note_nodes(o, &net);
	return o->unfit ? EXIT_TIMEOUT : EXIT_OK;
}

static int run_down(struct sandbox_options *o, char **args, int n_args)
{
	const char *name = o->common.name ?: SANDBOX_DEFAULT_NAME;
	struct weir_err err = {};
	int pods, r = sandbox_down(o->common.name, &pods, &err);

	if (r)
		return cli_fail_err(r, &err);
	if (pods < 0)
		cli_note(&o->common, "there was no sandbox %s", name);
	else
		cli_note(
			&o->common,
			"removed sandbox %s (%d %s, their servers and network namespaces, hooks, maps)",
			name, pods, pods == 1 ? "pod" : "pods");
	return EXIT_OK;
}

static int run_exec(struct sandbox_options *o, char **args, int n_args)
{
	_cleanup_(mem_free) char **command = mem_zalloc((n_args + 1) * sizeof(*command));
	struct weir_err err = {};
	int r;

	if (n_args < 2)
		return cli_fail(
			EXIT_USAGE,
			"sandbox exec: give NS/POD, node, node/NAME or world, then -- and the command");
	memcpy(command, args + 1, (n_args - 1) * sizeof(*command));
	fflush(stdout);
	r = sandbox_exec(o->common.name, args[0], command, &err);
	return cli_fail_err(r, &err);
}

/* Measured against other manifests than those loaded, a difference would not be a defect. */
static int check_same_manifests(const struct measure *m, const struct sandbox_options *o)
{
	struct measure_drift d;
	struct weir_err err = {};
	int r = measure_compare(m, &d, &err);

	if (r)
		return fail(o, r, &err);
	if (!d.writes && !d.extra_pods && !d.missing_pods)
		return EXIT_OK;
	return cli_fail(
		EXIT_INPUT,
		"sandbox %s runs other manifests than these (missing pods: %u, extra pods: %u, table elements that "
		"differ: %u): run 'weir sandbox up' with these first; nothing was measured",
		m->name ?: SANDBOX_DEFAULT_NAME, d.missing_pods, d.extra_pods, d.writes);
}

static int measure_and_print(struct measure *m, const struct sandbox_options *o)
{
	struct weir_err err = {};
	int r = measure_matrix(m, &err);

	if (!r)
		r = measure_services(m, &err);
	if (r)
		return fail(o, r, &err);
	if (cli_json(&o->common))
		measure_print_json(m, stdout);
	else
		measure_print(m, &o->common, stdout);
	return measure_differences(m) ? EXIT_DISAGREE : EXIT_OK;
}

/* The plans and the report that the tables of the sandbox should follow. */
static int expect(struct measure *m, struct report_input *in, const struct sandbox_options *o)
{
	struct weir_err err = {};
	int r = measure_compile(m, &err);

	if (r)
		return fail(o, r, &err);
	in->store = m->store;
	in->world = m->net.world_addr;
	in->plans = m->plans;
	in->n_plans = m->net.n_nodes;
	m->report = report_new(in);
	return EXIT_OK;
}

static int run_probe(struct sandbox_options *o, char **args, int n_args)
{
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(mem_free) struct report_port *ports = NULL;
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(measure_free) struct measure m = { .name = o->common.name,
						     .timeout_ms = o->timeout_ms };
	struct report_input in = {};
	struct weir_err err = {};
	int status;

	if (o->ports && report_ports_parse(o->ports, &arena, &ports, &in.n_ports, &err))
		return cli_fail(EXIT_USAGE, "sandbox probe: --ports: %s", err.text);
	status = read_placed(o, 0, &s, &m.net);
	if (!status)
		status = cli_check_ports("sandbox probe", s, ports, in.n_ports);
	m.store = s;
	in.ports = ports;
	if (!status)
		status = expect(&m, &in, o);
	if (status)
		return status;
	m.requests = o->requests ? o->requests : 15;
	m.all_ports = o->ports || cli_json(&o->common);
	status = check_same_manifests(&m, o);
	return status ? status : measure_and_print(&m, o);
}

static int unexpected(char **args)
{
	_cleanup_(mem_free) char *command = mem_printf("sandbox %s", args[0]);

	return cli_unexpected(command, args[1], strcmp(args[0], "down"));
}

static int run(void *options, char **args, int n_args)
{
	static const struct {
		const char *word;
		int (*run)(struct sandbox_options *o, char **args, int n_args);
		int max_args;
	} words[] = {
		{ "up", run_up, 0 },
		{ "down", run_down, 0 },
		{ "exec", run_exec, INT_MAX },
		{ "probe", run_probe, 0 },
	};
	struct sandbox_options *o = options;
	struct weir_err err = {};

	if (sandbox_check_name(o->common.name, &err))
		return cli_fail(EXIT_USAGE, "sandbox: --name: %s", err.text);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(args[0], words[i].word))
			continue;
		if (n_args - 1 > words[i].max_args)
			return unexpected(args);
		return words[i].run(o, args + 1, n_args - 1);
	}
	return cli_fail(EXIT_USAGE, "sandbox: '%s' is not one of up, exec, probe, down", args[0]);
}

static const struct option_row rows[] = {
	{ "name", 0, "NAME", OPTION_TEXT, offsetof(struct sandbox_options, common.name),
	  "name of the sandbox and of its instance; default sandbox" },
	{ "ports", 'p', "PORTS", OPTION_TEXT, offsetof(struct sandbox_options, ports),
	  "probe: such as 80/TCP,53/UDP,http; default: those that each destination declares" },
	{ "timeout", 0, "MS", OPTION_NUMBER, offsetof(struct sandbox_options, timeout_ms),
	  "probe: a connection that takes longer counts as denied" },
	{ "requests", 0, "N", OPTION_NUMBER, offsetof(struct sandbox_options, requests),
	  "probe: requests from each pod to each Service; default 15" },
	{ "topology", 0, "routed|ptp|bridge", OPTION_CHOICE,
	  offsetof(struct sandbox_options, topology),
	  "up: how pods are connected to the node; default routed" },
	{ "no-datapath", 0, NULL, OPTION_FLAG, offsetof(struct sandbox_options, no_datapath),
	  "up: create namespaces and servers only, load nothing" },
	{},
};

const struct verb verb_sandbox = {
	.name = "sandbox",
	.arguments = "up|exec|probe|down",
	.summary = "run the pods of manifests as network namespaces, with real traffic (root)",
	.details =
		"up -f PATH         creates the sandbox, or changes a running one to match the manifests\n"
		"exec WHERE -- CMD  runs a command in a namespace (NS/POD, node or world) and ends with its exit status\n"
		"probe -f PATH      connects for real, shows expected beside measured; exit status 7 if they differ\n"
		"down               removes it, also one that was left incomplete\n"
		"exec ends with status 3 if there is no such sandbox or namespace, or the command cannot be started.\n"
		"A sandbox is an instance of its own: 'weir status --name sandbox' shows it.\n"
		"Each further Node object is a node of its own, with the pods that name it: WHERE is node/NAME, the\n"
		"instance SANDBOX_NAME ('weir status --name sandbox_n2').\n",
	.outputs = "table|json",
	.wants = WANTS_FILES,
	.options = rows,
	.options_size = sizeof(struct sandbox_options),
	.min_args = 1,
	.max_args = INT_MAX,
	.run = run,
};
