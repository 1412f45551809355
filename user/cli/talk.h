/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The options that every verb takes, the exit statuses, messages and errors. stdout carries data
 * and nothing else; messages go to stderr. Knows no particular verb.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "cli/options.h"
#include "cli/output.h"

/* help.c has the words for users. */
enum exit_status {
	EXIT_OK, /* done; allowed; no findings */
	EXIT_NO, /* a negative result: denied, findings, a difference */
	EXIT_USAGE,
	EXIT_REACH, /* nothing is loaded, or no permission */
	EXIT_INPUT, /* invalid objects */
	EXIT_TIMEOUT, /* busy, timed out, or only a part was done */
	EXIT_KERNEL, /* the kernel refused, or a table is full */
	EXIT_DISAGREE, /* two evaluators disagree: a defect of Weir */
};

/* First member of every verb's options. */
struct common_options {
	struct option_list files; /* -f */
	const char *output; /* -o; NULL: table */
	const char *name; /* --name: the instance; NULL: the default one */
	const char *node; /* --node */
	const char *color;
	bool quiet, no_headers, help, strict; /* strict: --strict, of verbs that take -f */
	unsigned int verbose;
	struct style out, talk; /* of stdout and stderr; filled after parsing */
};

/* The running verb, for errors that name it. */
void cli_set_verb(const char *name);

/* Prints "weir: TEXT" on stderr and returns status. */
int cli_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An argument too many. takes_files: it may be a path whose -f is missing. EXIT_USAGE. */
int cli_unexpected(const char *command, const char *argument, bool takes_files);
/* The exit status for a -errno of a system call, a map or a file. */
int cli_status_of(int error);
/*
 * Prints the error and returns its exit status. For EPERM and EACCES, unless the caller is root, it
 * says that root is needed.
 */
int cli_fail_err(int error, const struct weir_err *err);
/* A message that -q silences. */
void cli_note(const struct common_options *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A warning, which -q does not silence. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A warning about the manifests: EXIT_OK, or EXIT_INPUT with --strict. */
int cli_warn_input(const struct common_options *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Diagnostics on stderr; -q silences the notes among them. */
void cli_diags(const struct common_options *c, const struct diag_list *list);
bool cli_json(const struct common_options *c);
bool cli_output_is(const struct common_options *c, const char *form);
