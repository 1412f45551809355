// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * weir doctor: prints the findings of user/doctor: code, severity, evidence, fix.
 */
#include <string.h>

#include "cli/listing.h"
#include "cli/loaded.h"
#include "cli/verbs.h"
#include "doctor/doctor.h"

struct doctor_options {
	struct common_options common;
	const char *level;
	bool codes;
};

/* ---- Output ---- */

static void print_json(const struct findings *f, const struct common_options *c)
{
	static const struct listing_column columns[] = {
		COLUMN(NULL, "code"),     COLUMN(NULL, "severity"), COLUMN(NULL, "finding"),
		COLUMN(NULL, "evidence"), COLUMN(NULL, "fix"),      {}
	};
	struct listing out;

	listing_begin(&out, c, "FindingList", columns);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *item = &f->items[i];

		listing_text(&out, finding_name(item->code));
		listing_text(&out, severity_names[item->severity]);
		listing_text(&out, item->text);
		listing_text(&out, item->evidence);
		listing_text(&out, item->fix);
	}
	listing_end(&out);
}

static void print_table(const struct findings *f, const struct common_options *c)
{
	static const enum tone tones[] = { TONE_DIM, TONE_WARN, TONE_BAD };

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *item = &f->items[i];
		enum tone tone = tones[item->severity];

		printf("%s  %s%-7s%s  %s\n", finding_name(item->code), tone_on(&c->out, tone),
		       severity_names[item->severity], tone_off(&c->out, tone), item->text);
		printf("      seen     %s\n      fix      %s\n", item->evidence, item->fix);
	}
	if (!f->n)
		puts("nothing found");
}

static int print_codes(const struct common_options *c)
{
	static const struct listing_column columns[] = { COLUMN("CODE", "code"),
							 COLUMN("TITLE", "title"),
							 {} };
	struct common_options plain = *c;
	struct listing out;

	plain.no_headers = true;
	listing_begin(&out, &plain, "FindingCodeList", columns);
	for (int i = 0; i < _FINDING_MAX; i++) {
		listing_text(&out, finding_name(i));
		listing_text(&out, finding_title(i));
	}
	listing_end(&out);
	return EXIT_OK;
}

/* ---- The verb ---- */

static int examine(const struct common_options *c, struct findings *f)
{
	_cleanup_(live_close) struct live l = {};
	struct weir_err err = {};
	int status = loaded_open(&l, c), r;

	if (status)
		return status;
	r = doctor_instance(c->name, &l, f, &err);
	return r ? cli_fail_err(r, &err) : EXIT_OK;
}

static int run(void *options, char **args, int n_args)
{
	const struct doctor_options *o = options;
	_cleanup_(findings_free) struct findings f = {};
	enum severity level = SEVERITY_WARNING;
	int status;

	if (o->codes)
		return print_codes(&o->common);
	for (int i = 0; o->level && severity_names[i]; i++)
		if (!strcmp(o->level, severity_names[i]))
			level = i;
	status = examine(&o->common, &f);
	if (status)
		return status;
	if (cli_json(&o->common))
		print_json(&f, &o->common);
	else
		print_table(&f, &o->common);
	for (size_t i = 0; i < f.n; i++)
		if (f.items[i].severity >= level)
			return EXIT_NO;
	return EXIT_OK;
}

static const struct option_row rows[] = {
	{ "level", 0, "info|warning|error", OPTION_CHOICE, offsetof(struct doctor_options, level),
	  "lowest severity that makes the exit status 1; default warning" },
	{ "codes", 0, NULL, OPTION_FLAG, offsetof(struct doctor_options, codes),
	  "only list all codes" },
	{},
};

const struct verb verb_doctor = {
	.name = "doctor",
	.arguments = "",
	.summary = "check this node for what Weir needs; findings by code (root)",
	.details =
		"Checks the network namespace where the pods are attached: forwarding, reverse path filter, FORWARD\n"
		"chains, hooks, MTUs, table fill and more. Changes nothing. docs/findings.md explains the codes.\n"
		"Exit status 1: there is a finding of --level or above; 3: nothing is loaded.\n",
	.outputs = "table|json",
	.wants = WANTS_INSTANCE,
	.options = rows,
	.options_size = sizeof(struct doctor_options),
	.run = run,
};
