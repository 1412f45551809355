/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What all verbs share: the exit statuses, the row of a verb in the table, the
 * options that every verb takes, and reading manifests.
 *
 * stdout carries data and nothing else; all talk goes to stderr. Usage, help
 * and parsing come from the same rows (options.h), so they cannot drift.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "cli/options.h"
#include "cli/output.h"
#include "kube/store.h"

#define CLI_PURPOSE "Kubernetes Services and NetworkPolicies in the kernel"

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

#define CLI_EXITS (EXIT_DISAGREE + 1)

/* What the statuses mean, for help and the manual page. */
struct cli_exit {
	const char *brief, *meaning;
};
extern const struct cli_exit cli_exits[CLI_EXITS];

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

enum verb_wants {
	WANTS_FILES = 1 << 0, /* takes -f */
	WANTS_NODE = 1 << 1, /* takes --node */
	WANTS_INSTANCE = 1 << 2, /* takes --name */
};

struct verb {
	const char *name;
	const char *arguments; /* "FROM TO[:PORT[/PROTO]]"; "" when it takes none */
	const char *summary; /* one line for the list of verbs */
	const char *details; /* further help, lines that end with a newline; may be NULL */
	const char *outputs; /* forms that -o takes, the first is the default: "table|json"; NULL: no -o */
	unsigned int wants; /* enum verb_wants */
	const struct option_row *options; /* ended by a row without a name; may be NULL */
	size_t options_size; /* of the verb's options struct; it begins with struct common_options */
	int min_args, max_args;
	int (*run)(void *options, char **args, int n_args); /* returns enum exit_status */
};

int cli_main(int argc, char **argv);

extern const struct verb *const cli_verbs[]; /* ended by NULL */
const struct verb *cli_verb(const char *name); /* exact; NULL when there is none */
/* The tables that a verb's command line is parsed with, its own first, ended by NULL. Returns their number. */
#define CLI_TABLES_MAX 7
size_t cli_verb_tables(const struct verb *v, const struct option_row *tables[CLI_TABLES_MAX]);
void cli_help(const struct verb *verb, FILE *out); /* NULL: the list of verbs */

/* "weir: TEXT" on stderr; returns status, so that a failure is one line. */
int cli_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The exit status that an errno of an edge stands for. */
int cli_status_of(int error);
/*
 * Both together: the error's text, and the status of its code. Where permission is what lacks, and this is not root, it
 * says so: no verb has to ask who runs it.
 */
int cli_fail_err(int error, const struct weir_err *err);
/* Talk that -q silences. */
void cli_note(const struct common_options *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool cli_json(const struct common_options *c);
bool cli_output_is(const struct common_options *c, const char *form);
const char *cli_version(void);

/*
 * Reads and completes the manifests of -f; problems are printed to stderr. Returns EXIT_OK and the store, or the
 * status to end with. flags: enum store_defaults_flag.
 */
enum cli_store_flag {
	CLI_KEEP_SOURCE_TEXT = 1 << 16, /* beside enum store_defaults_flag: for origin_text() */
};
int cli_read_store(const struct common_options *c, unsigned int flags, struct store **ret_store);
/*
 * The node to compile for. EXIT_OK, or the status to end with after saying why: EXIT_USAGE when no name is given,
 * EXIT_INPUT for a name that no object has while others are named.
 */
int cli_node(const struct common_options *c, const struct store *s, const char **ret_node);
/* That refusal as text, to be freed, or NULL when the name is fine. given_by: "--node" or "NODE_NAME". */
char *cli_unknown_node(const struct store *s, const char *node, const char *given_by);
