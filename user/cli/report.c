// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir report: prints the connectivity matrix of manifests (analyze/report.h). --engine chooses the
 * evaluator: the plan, or the BPF programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "cli/evaluator.h"
#include "cli/input.h"
#include "cli/matrix.h"
#include "cli/report_services.h"
#include "cli/verbs.h"
#include "analyze/report.h"

struct report_options {
	struct common_options common;
	const char *ports, *engine;
	bool services;
};

/* A side as text: "allow ns/policy[0]", "deny, no rule matches". */
static void side_text(const struct report_side *side, char *buf, size_t size)
{
	if (side->policy)
		snprintf(buf, size, "%s %s[%d]", side->allow ? "allow" : "deny", side->policy,
			 side->rule);
	else if (side->isolated)
		snprintf(buf, size, "%s", side->allow ? "allow" : "deny, no rule matches");
	else
		snprintf(buf, size, "allow");
}

/* The list begins with its first item, so that stdout stays empty on an error. */
struct json_list {
	struct emit emit;
	bool begun;
};

static void json_begin(struct json_list *l)
{
	if (!l->begun)
		emit_list_begin(&l->emit, "Report");
	l->begun = true;
}

static int print_json_item(const struct report_item *item, void *ctx)
{
	struct json_list *l = ctx;

	json_begin(l);
	emit_item_begin(&l->emit);
	report_item_emit(&l->emit, item);
	emit_item_end(&l->emit);
	return 0;
}

static int print_json(struct report *r, struct weir_err *err)
{
	struct json_list list = {};
	int ret;

	emit_open(&list.emit, stdout);
	ret = report_each(r, print_json_item, &list, err);
	if (!ret) {
		json_begin(&list);
		emit_list_end(&list.emit);
	}
	emit_close(&list.emit);
	return ret;
}

static int print_csv(const struct report_item *item, void *ctx)
{
	const struct report_side *sides[2] = { &item->egress, &item->ingress };
	FILE *out = ctx;

	csv_field(out, true, item->from);
	csv_field(out, false, item->to);
	fprintf(out, ",%s,%s,%u,%s,%s", family_text(item->family), proto_text(item->proto),
		item->port, item->allow ? "allow" : "deny", reason_label(item->reason));
	for (int i = 0; i < 2; i++) {
		fprintf(out, ",%s", sides[i]->allow ? "allow" : "deny");
		csv_field(out, false, sides[i]->policy ? sides[i]->policy : "");
		if (sides[i]->policy)
			fprintf(out, ",%d", sides[i]->rule);
		else
			fputc(',', out);
	}
	fputs("\r\n", out);
	return 0;
}

static int print_md(const struct report_item *item, void *ctx)
{
	char egress[600], ingress[600];

	side_text(&item->egress, egress, sizeof(egress));
	side_text(&item->ingress, ingress, sizeof(ingress));
	fprintf(ctx, "| %s | %s | %s | %u/%s | %s | %s | %s |\n", item->from, item->to,
		family_text(item->family), item->port, proto_text(item->proto),
		item->allow ? "allow" : "**deny**", egress, ingress);
	return 0;
}

static int collect_row(const struct report_item *item, void *ctx)
{
	enum tone tone = item->allow ? TONE_GOOD : TONE_BAD;
	char egress[600], ingress[600];
	struct grid *t = ctx;

	side_text(&item->egress, egress, sizeof(egress));
	side_text(&item->ingress, ingress, sizeof(ingress));
	grid_cell(t, TONE_PLAIN, "%s", item->from);
	grid_cell(t, TONE_PLAIN, "%s", item->to);
	grid_cell(t, TONE_PLAIN, "%s", family_text(item->family));
	grid_cell(t, TONE_PLAIN, "%u/%s", item->port, proto_text(item->proto));
	grid_cell(t, tone, "%s", item->allow ? "allow" : "deny");
	grid_cell(t, TONE_PLAIN, "%s", egress);
	grid_cell(t, TONE_PLAIN, "%s", ingress);
	return 0;
}

static int print_wide(struct report *r, const struct common_options *c, struct weir_err *err)
{
	static const char *const columns[] = { "FROM",    "TO",     "FAMILY",  "PORT",
					       "VERDICT", "EGRESS", "INGRESS", NULL };
	_cleanup_(grid_free) struct grid t = {};
	int ret;

	grid_init(&t, &c->out, c->no_headers, columns);
	ret = report_each(r, collect_row, &t, err);
	grid_print(&t, stdout);
	return ret;
}

static int print_matrix(struct report *r, const struct common_options *c, struct weir_err *err)
{
	_cleanup_(matrix_free) struct matrix *m = matrix_new(r);
	int ret = report_each(r, matrix_add, m, err);

	if (!ret)
		matrix_print(m, &c->out, stdout);
	return ret;
}

static int print_as(struct report *r, const struct common_options *c, struct weir_err *err)
{
	if (cli_output_is(c, "csv")) {
		if (!c->no_headers)
			fputs("from,to,family,protocol,port,verdict,reason,egress,egress_policy,egress_rule,"
			      "ingress,ingress_policy,ingress_rule\r\n",
			      stdout);
		return report_each(r, print_csv, stdout, err);
	}
	if (cli_output_is(c, "md")) {
		fputs("| from | to | family | port | verdict | egress | ingress |\n|---|---|---|---|---|---|---|\n",
		      stdout);
		return report_each(r, print_md, stdout, err);
	}
	if (cli_output_is(c, "wide"))
		return print_wide(r, c, err);
	return cli_json(c) ? print_json(r, err) : print_matrix(r, c, err);
}

/* Notes of the plan (selectors that match no namespace), once and not for each node. */
static void print_notes(struct report *r, const struct store *s, const struct common_options *c)
{
	const struct plan *p = s->n_pods ? report_plan(r, s->pods[0]->node) : NULL;

	if (p)
		cli_diags(c, &p->notes);
}

/* Without any object, the warning of cli_read_store() is enough. */
static int refuse_portless(const struct store *s)
{
	if (store_is_empty(s))
		return EXIT_USAGE;
	return cli_fail(
		EXIT_USAGE,
		"report: no pod declares a port: give --ports, as in --ports 80/TCP,53/UDP");
}

static int run_report(const struct report_options *o, const struct store *s,
		      const struct report_input *in)
{
	_cleanup_(report_free) struct report *r = NULL;
	_cleanup_(program_evaluator_close) struct program_evaluator evaluator = {};
	struct report_input input = *in;
	const struct report_port *ports;
	struct weir_err err = {};
	int ret;

	evaluator_choose(&evaluator, o->engine);
	input.evaluator = &evaluator.evaluator;
	r = report_new(&input);
	if (!report_ports(r, &ports))
		return refuse_portless(s);
	print_notes(r, s, &o->common);
	ret = print_as(r, &o->common, &err);
	if (ret == -EPROTO) /* a program contradicts itself */
		return cli_fail(EXIT_DISAGREE, "a defect of Weir: %s", err.text);
	if (ret)
		return cli_fail_err(ret, &err);
	return evaluator_verdict(&evaluator);
}

static int run(void *options, char **args, int n_args)
{
	const struct report_options *o = options;
	_cleanup_(store_free) struct store *s = NULL;
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(mem_free) struct report_port *ports = NULL;
	struct report_input in = {};
	struct weir_err err = {};
	int status;

	if (o->services && (o->ports || o->engine))
		return cli_fail(EXIT_USAGE,
				"report: --services has no use for --ports and --engine");
	if (o->services)
		return report_services(&o->common);
	if (o->common.node)
		return cli_fail(EXIT_USAGE,
				"report: --node needs --services: the matrix is of all nodes");
	if (o->ports && report_ports_parse(o->ports, &arena, &ports, &in.n_ports, &err))
		return cli_fail(EXIT_USAGE, "report: --ports: %s", err.text);
	status = cli_read_store(&o->common, STORE_ASSIGN, &s);
	if (!status)
		status = cli_check_ports("report", s, ports, in.n_ports);
	if (!status && s->n_pods)
		status = cli_refuse_plan_warnings(
			&o->common, &(struct plan_input){ .store = s, .node = s->pods[0]->node });
	if (status)
		return status;
	in.store = s;
	in.ports = ports;
	return run_report(o, s, &in);
}

static const struct option_row rows[] = {
	{ "ports", 'p', "PORTS", OPTION_TEXT, offsetof(struct report_options, ports),
	  "such as 80/TCP,53/UDP,http; default: all that pods declare" },
	{ "engine", 0, "plan|bpf", OPTION_CHOICE, offsetof(struct report_options, engine),
	  "evaluator: the compiled plan, or the BPF programs under BPF_PROG_TEST_RUN (root)" },
	{ "services", 0, NULL, OPTION_FLAG, offsetof(struct report_options, services),
	  "instead of the matrix: who answers at each frontend of the Services on one node (--node), for pods of "
	  "the node, the node itself and external clients" },
	{},
};

const struct verb verb_report = {
	.name = "report",
	.arguments = "-f PATH",
	.summary = "which pods may connect to which, as a matrix",
	.details =
		"For each ordered pair of pods: may the first open a connection to a port of the second, and which\n"
		"rule of which end decides. Two ends are not pods. world is an address outside of the cluster: no\n"
		"pod, node or Service has it, and no ipBlock except /0 contains it. node is the node that the other\n"
		"end runs on. A port name is looked up in the destination pod. table is a matrix; wide has one line\n"
		"per pod pair and port, with the deciding rules. Exit status 0, whatever the verdicts are.\n"
		"With --services: table or json, one line for each frontend and class of clients: forward with its\n"
		"endpoints, (snat) where they see the node's address, reject, or drop. Policies are not asked.\n",
	.outputs = "table|wide|json|csv|md",
	.wants = WANTS_FILES | WANTS_NODE,
	.options = rows,
	.options_size = sizeof(struct report_options),
	.run = run,
};
