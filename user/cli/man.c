// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The manual page. See man.h. Knows no particular verb. */
#include <string.h>

#include "cli/help.h"
#include "cli/man.h"

#define SHARED_TABLES_MAX 8

const struct man_entry man_environment[] = {
	{ "NODE_NAME", "name of this node, unless --node is given" },
	{ "NO_COLOR", "not empty: no colour, unless --color says otherwise" },
	{ "TERM", "dumb, or unset: no colour, unless --color says otherwise" },
	{ "LC_ALL, LC_CTYPE, LANG", "character set of the output: plain ASCII unless it is UTF-8" },
	{ "WEIR_LOG", "debug: messages of libbpf go to stderr, too" },
	{},
};

const struct man_entry man_files[] = {
	{ "/sys/fs/bpf/weir, /sys/fs/bpf/weir-NAME",
	  "pinned maps, programs and links of the instance; with them it keeps working without a process" },
	{ "/run/weir/pods/*.json, /run/weir-NAME/pods/*.json",
	  "attachment records: each maps a pod to its device. The sandbox writes them; no CNI plugin does yet. Only recorded "
	  "pods are attached. They belong to their writer: uninstall leaves them" },
	{ "/etc/weir/weir.yaml, /etc/weir/weir-NAME.yaml",
	  "settings of load, if there is such a file; see weir(5)" },
	{ "/sys/fs/bpf/weir+next",
	  "what load --rebuild makes, until it takes the place of what is loaded" },
	{ "/run/weir/instance, /run/weir-NAME/instance",
	  "which maps are loaded: from a shell with another BPF file system (ip netns exec), load refuses to make others" },
	{ "/run/weir/plan-GENERATION, /run/weir-NAME/plan-GENERATION",
	  "the loaded plan: the names for the ids in the maps" },
	{ "/run/weir/objects-GENERATION, /run/weir-NAME/objects-GENERATION",
	  "the objects that plan was compiled from, which why shows; readable by root only. Whole documents as they were "
	  "written, with the environment variables and annotations of pods; no Secrets" },
	{ "/run/weir/settings, /run/weir-NAME/settings",
	  "settings of the last load that are not the default, and where they came from, which status shows" },
	{ "/run/weir-NAME/sandbox", "state of a sandbox" },
	{ "/run/netns", "the network namespaces of a sandbox" },
	{},
};

const struct man_entry man_examples[] = {
	{ "weir report -f manifests/ --ports http",
	  "Which pods may connect to which, on the ports named http." },
	{ "weir why shop/web shop/db:5432 -f manifests/",
	  "May that connection be opened, and which line of which file says so?" },
	{ "weir why shop/web db-0.db.shop.svc:5432 -f manifests/ --engine bpf",
	  "The same for a pod of a StatefulSet, evaluated by the BPF programs (root)." },
	{ "kubectl get pods,svc,endpointslices,netpol,ns,nodes -A -o yaml | weir report -f - -o md",
	  "What a running cluster allows, as a table for a pull request." },
	{ "weir load -f manifests/ --dry-run",
	  "Does the node have what the manifests say? Status 1 when not." },
	{ "weir sandbox up -f manifests/",
	  "The same manifests as network namespaces, to try things in (root)." },
	{ "weir sandbox exec shop/web -- bash", "A shell in one of its pods." },
	{ "weir get pods -o wide",
	  "The pods in the kernel's tables, with the policies that apply to each (root)." },
	{ "weir help -o man | man -l -", "This page." },
	{},
};

/* ---- Options ---- */

static void put_option_names(const struct option_row *row, FILE *out)
{
	char name[3] = { '-', row->short_name };

	if (row->short_name) {
		roff_bold(name, out);
		fputs(", ", out);
	}
	fputs("\\fB\\-\\-", out);
	roff_text(row->name, out);
	fputs("\\fR", out);
	if (row->metavar) {
		fputs(" \\fI", out);
		roff_text(row->metavar, out);
		fputs("\\fR", out);
	}
}

static void put_options(const struct option_row *table, FILE *out)
{
	for (const struct option_row *row = table; row && row->name; row++) {
		fputs(".TP\n", out);
		put_option_names(row, out);
		putc('\n', out);
		roff_line(row->help, out);
	}
}

/* Names of the options that the verb shares with others. */
static void put_shared_names(const struct verb *v, FILE *out)
{
	const struct option_row *tables[CLI_TABLES_MAX];
	size_t n = cli_verb_tables(v, tables), names = 0;

	fputs(v->options ? ".TP\nand\n" : ".PP\nOptions: ", out);
	for (size_t i = 0; i < n; i++)
		for (const struct option_row *row = tables[i]; tables[i] != v->options && row->name;
		     row++) {
			fputs(names++ ? ", " : "", out);
			put_option_names(row, out);
		}
	fputs(" (see OPTIONS)\n", out);
}

/* Each table once, in the order of the verbs. */
static void put_shared_options(const struct verb *const *verbs, FILE *out)
{
	const struct option_row *seen[SHARED_TABLES_MAX], *tables[CLI_TABLES_MAX];
	size_t n_seen = 0, k;

	for (const struct verb *const *v = verbs; *v; v++) {
		size_t n = cli_verb_tables(*v, tables);

		for (size_t i = (*v)->options ? 1 : 0; i < n; i++) {
			for (k = 0; k < n_seen && seen[k] != tables[i]; k++)
				;
			if (k < n_seen || k == SHARED_TABLES_MAX)
				continue;
			seen[n_seen++] = tables[i];
			put_options(tables[i], out);
		}
	}
}

/* ---- Verbs ---- */

static void put_verb(const struct verb *v, FILE *out)
{
	fputs(".SS ", out);
	fprintf(out, "\"weir %s\"\n", v->name);
	roff_text(v->summary, out);
	fputs(".\n.PP\n\\fBweir ", out);
	roff_text(v->name, out);
	fputs("\\fR ", out);
	roff_text(v->arguments, out);
	fputs(*v->arguments ? " [OPTIONS]\n" : "[OPTIONS]\n", out);
	if (v->details)
		roff_details(v->details, out);
	if (v->outputs) {
		fputs(".PP\nOutput formats (\\fB\\-o\\fR), the default first: ", out);
		roff_line(v->outputs, out);
	}
	put_options(v->options, out);
	put_shared_names(v, out);
}

static void put_exit_statuses(FILE *out)
{
	for (int i = 0; i < CLI_EXITS; i++) {
		fprintf(out, ".TP\n\\fB%d\\fR\n", i);
		roff_text(cli_exits[i].brief, out);
		fputs(": ", out);
		roff_line(cli_exits[i].details, out);
	}
}

static void put_examples(FILE *out)
{
	for (const struct man_entry *e = man_examples; e->term; e++) {
		fputs(".PP\n", out);
		roff_line(e->text, out);
		fputs(".RS 4\n.nf\n", out);
		roff_line(e->term, out);
		fputs(".fi\n.RE\n", out);
	}
}

static void put_warnings(FILE *out)
{
	static const char *const paragraphs[] = {
		"Manifests are checked as the API server does; what it would refuse is an error, with file, line, column and "
		"field. What is written and has no effect is a warning: a field that the kind does not have, at any depth "
		"(with the field that is probably meant), a field that Weir does not serve, a kind that Kubernetes does not "
		"have in an API group that Weir reads. Objects of other kinds are passed over with a note. The same field in "
		"many objects is one warning, with the first positions and the number of the others. -q hides notes; "
		"with --strict warnings are errors.",
		"In a folder, kustomization.yaml, Chart.yaml and values files of a chart are passed over with a note. Give what "
		"they are rendered to: kubectl kustomize DIR | weir VERB -f -, or helm template CHART | weir VERB -f -. "
		" A template of a chart that is not rendered is an error.",
	};

	roff_section("MANIFESTS", out);
	for (size_t i = 0; i < ARRAY_SIZE(paragraphs); i++) {
		fputs(i ? ".PP\n" : "", out);
		roff_line(paragraphs[i], out);
	}
}

void man_write(const struct verb *const *verbs, FILE *out)
{
	fputs(".\\\" Written by weir help -o man.\n.TH WEIR 1 \"\" \"weir ", out);
	roff_text(cli_version(), out);
	fputs("\" \"User Commands\"\n.nh\n.ad l\n", out);
	roff_section("NAME", out);
	fputs("weir \\- " CLI_PURPOSE "\n", out);
	roff_section("SYNOPSIS", out);
	fputs("\\fBweir\\fR \\fIVERB\\fR [\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n", out);
	roff_section("DESCRIPTION", out);
	roff_line(
		"Weir turns a Linux node into a Kubernetes Service load balancer and NetworkPolicy enforcer, with eBPF at "
		"tc. Verbs with -f read manifests: files as they are kept in a repository, or objects as kubectl writes "
		"them. Verbs that only read files need no root and change nothing. Data goes to stdout, messages go to "
		"stderr.",
		out);
	put_warnings(out);
	roff_section("VERBS", out);
	for (const struct verb *const *v = verbs; *v; v++)
		put_verb(*v, out);
	roff_section("OPTIONS", out);
	roff_line(
		"Options that several verbs take; the section of each verb lists those it has. Options may stand anywhere; "
		"-- ends them.",
		out);
	put_shared_options(verbs, out);
	roff_section("\"EXIT STATUS\"", out);
	put_exit_statuses(out);
	roff_section("ENVIRONMENT", out);
	roff_entries(man_environment, out);
	roff_section("FILES", out);
	roff_entries(man_files, out);
	roff_section("EXAMPLES", out);
	put_examples(out);
	roff_section("\"SEE ALSO\"", out);
	fputs("\\fBweir\\fR(5)\n", out);
}
