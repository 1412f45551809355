/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * weir sandbox probe: what the report expects beside what real connections
 * measured. Collected here, printed by probe_table.c.
 */
#pragma once

#include "cli/cli.h"
#include "compile/report.h"
#include "sandbox/sandbox.h"

/* One question of the report and its answer from the wire. */
struct probe_result {
	struct report_item item;
	enum sandbox_measured measured;
	uint32_t us;
};

/* Who answered, of the requests of one source to one service port. */
struct probe_backend {
	char name[160]; /* "ns/pod" */
	unsigned int answers;
};

struct probe_spread {
	const char *from;
	char *service; /* "ns/name:port/proto" */
	unsigned int candidates, allowed; /* expected: backends, and those that the source may reach */
	unsigned int requests, answered, refused;
	struct probe_backend *backends;
	size_t n, cap;
};

struct probe {
	const struct store *store;
	struct sandbox_net net;
	struct report *report;
	struct plan *plan;
	const char *name; /* instance */
	unsigned int timeout_ms, requests;
	bool all_ports; /* every port at every destination, as asked for; else those that the destination declares */
	struct probe_result *results;
	size_t n, cap;
	struct probe_spread *spreads;
	size_t n_spreads, cap_spreads;
};

/* Each 0 or -errno. */
int probe_matrix(struct probe *p, struct weir_err *err);
int probe_services(struct probe *p, struct weir_err *err);
void probe_free(struct probe *p); /* also for _cleanup_() */

bool probe_agrees(const struct probe_result *r); /* true too where nothing can be measured */
bool probe_spread_agrees(const struct probe_spread *s);
size_t probe_differences(const struct probe *p);

/* The matrix, who denied what, and the spread over backends. */
void probe_print(const struct probe *p, const struct common_options *c, FILE *out);
void probe_print_json(const struct probe *p, FILE *out);
