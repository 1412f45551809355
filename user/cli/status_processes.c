// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See status_processes.h. */
#include <stdio.h>
#include <string.h>

#include "attach/attach_cgroup.h"
#include "attach/stale_sockets.h"
#include "base/mem.h"
#include "cli/status_processes.h"

static bool is_off(const char *asked)
{
	return asked && !strcmp(asked, ATTACH_CGROUP_NONE);
}

static size_t missing_programs(const struct node *n, const char *asked,
			       const char *ret_progs[_WEIR_PROGRAM_MAX])
{
	return asked && !is_off(asked) ? attach_cgroup_missing(n, asked, ret_progs) : 0;
}

static void print_not_served(const struct node *n, const struct style *out, const char *asked,
			     const char *progs[], size_t missing)
{
	printf("processes     %snot served%s: ", tone_on(out, TONE_WARN), tone_off(out, TONE_WARN));
	if (missing) {
		for (size_t i = 0; i < missing; i++)
			printf("%s%s", i ? ", " : "", progs[i]);
		printf(" not attached to cgroup %s; load again\n", asked);
	} else {
		puts(node_no_sockets(n) ?: "no cgroup is known; give load --cgroup DIR");
	}
}

void status_processes_print(const struct node *n, const struct style *out)
{
	_cleanup_(mem_free) char *asked = attach_cgroup_asked(n);
	const char *progs[_WEIR_PROGRAM_MAX];
	size_t missing = missing_programs(n, asked, progs);
	struct weir_err err = {};

	if (is_off(asked)) {
		puts("processes     not served, by --cgroup none");
		return;
	}
	if (!asked || missing) {
		print_not_served(n, out, asked, progs, missing);
		return;
	}
	printf("processes     served, of cgroup %s\n", asked);
	if (stale_sockets_check(n, &err))
		printf("processes     %skeep%s connected UDP sockets of removed backends: %s\n",
		       tone_on(out, TONE_WARN), tone_off(out, TONE_WARN), err.text);
}

void status_processes_emit(struct emit *e, const struct node *n)
{
	_cleanup_(mem_free) char *asked = attach_cgroup_asked(n);
	const char *progs[_WEIR_PROGRAM_MAX];
	size_t missing = missing_programs(n, asked, progs);

	emit_map(e, "processes");
	if (asked)
		emit_text(e, "cgroup", asked);
	else
		emit_null(e, "cgroup");
	emit_bool(e, "served", asked && !is_off(asked) && !missing);
	emit_array(e, "missing");
	for (size_t i = 0; i < missing; i++)
		emit_text(e, NULL, progs[i]);
	emit_array_end(e);
	emit_bool(e, "endsStaleSockets", !stale_sockets_check(n, NULL));
	emit_map_end(e);
}
