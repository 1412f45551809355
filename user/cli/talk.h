/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What verbs say and how they end: the options that every verb takes, the exit statuses, talk and
 * errors. stdout carries data and nothing else; all talk goes to stderr. Knows no verb.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "cli/options.h"
#include "cli/output.h"

enum exit_status {
	EXIT_OK, /* done; allowed; no findings */
	EXIT_NO, /* a valid "no": denied, findings, a difference */
	EXIT_USAGE,
	EXIT_REACH, /* nothing is loaded, no permission, nobody answers */
	EXIT_INPUT, /* invalid objects */
	EXIT_TIMEOUT, /* timeout, busy, or only a part was done */
	EXIT_KERNEL, /* the kernel refused, a table is full */
	EXIT_DISAGREE, /* two evaluators disagree: a defect of Weir */
};

/* First member of every verb's options. */
struct common_options {
	struct option_list files; /* -f */
	const char *output; /* -o; NULL: table */
	const char *name; /* --name: the instance; NULL: the default one */
	const char *node; /* --node */
	const char *color;
	bool quiet, no_headers, help;
	unsigned int verbose;
	struct style out, talk; /* of stdout and stderr; filled after parsing */
};

/* The verb that runs, for errors that name it. */
void cli_set_verb(const char *name);

/* "weir: TEXT" on stderr; returns status, so that a failure is one line. */
int cli_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The exit status that an errno of an edge stands for. */
int cli_status_of(int error);
/*
 * Both together: the error's text, and the status of its code. Without permission and root it says
 * that root is needed.
 */
int cli_fail_err(int error, const struct weir_err *err);
/* Talk that -q silences. */
void cli_note(const struct common_options *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool cli_json(const struct common_options *c);
bool cli_output_is(const struct common_options *c, const char *form);
