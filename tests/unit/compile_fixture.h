/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Manifests in, plan out, and queries to the oracle as lines of text: a test is its manifests and
 * what must be true of them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "analyze/oracle.h"

#define HERE "here"

struct fixture {
	struct store *store;
	struct plan *plan;
};

static inline struct weir_addr addr_of(const char *text)
{
	struct weir_addr a;

	if (addr_parse(text, &a))
		fail_msg("%s is not an address", text);
	return a;
}

static inline void fixture_open(struct fixture *f, const char *yaml)
{
	struct plan_input in = { .node = HERE };

	f->store = store_new();
	store_read_buffer(f->store, "test.yaml", yaml, strlen(yaml));
	store_apply_defaults(f->store, 0);
	if (f->store->diags.errors)
		diag_print(&f->store->diags, stderr);
	assert_int_equal(f->store->diags.errors, 0);
	in.store = f->store;
	f->plan = plan_compile(&in);
}

#define OBJECTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Two lists of objects, each ends with NULL; a list may be NULL. */
static inline void fixture_open_objects(struct fixture *f, const char *const *objects,
					const char *const *more)
{
	_cleanup_(mem_free) char *yaml = NULL;
	size_t size;
	FILE *out = open_memstream(&yaml, &size);

	for (; objects && *objects; objects++)
		fprintf(out, "---\n%s", *objects);
	for (; more && *more; more++)
		fprintf(out, "---\n%s", *more);
	fclose(out);
	fixture_open(f, yaml);
}

/* The plan as it is written to files. The caller frees. */
static inline char *plan_json(const struct plan *p)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	plan_write_json(p, out);
	fclose(out);
	return text;
}

static inline void fixture_close(struct fixture *f)
{
	plan_free(&f->plan);
	store_free(&f->store);
}

static inline const char *reason_name(enum weir_reason reason)
{
	static const char *const names[] = {
#define REASON_NAME(name, kind, label, text) [WEIR_##name] = label,
		WEIR_REASONS(REASON_NAME)
#undef REASON_NAME
	};

	return names[reason];
}

/* "ns/pod" (IPv4), "ns/pod@6" (IPv6), or an address. */
static inline struct weir_addr end_addr(const struct fixture *f, const char *text)
{
	char ns[64], name[64], *at;
	const struct kube_pod *pod;

	if (!strchr(text, '/'))
		return addr_of(text);
	assert_int_equal(sscanf(text, "%63[^/]/%63s", ns, name), 2);
	at = strchr(name, '@');
	if (at)
		*at = 0;
	pod = store_pod(f->store, ns, name);
	if (!pod)
		fail_msg("no pod %s", text);
	return pod->addr[at ? 1 : 0];
}

static inline int number_of(const char *proto)
{
	return !strcmp(proto, "icmp")    ? IPPROTO_ICMP
	       : !strcmp(proto, "icmp6") ? IPPROTO_ICMPV6
					 : proto_parse(proto);
}

/*
 * "FROM TO proto/port REASON". FROM and TO: see end_addr(); FROM "node:ADDR" is a socket of this
 * node. REASON: label of reason.h, or "yes" for forwarded.
 */
static inline void check_line(const struct fixture *f, const char *line)
{
	char from[64], to[64], proto[16], want[32];
	const char *got;
	unsigned int port;
	struct oracle_query q = {};
	struct oracle_answer a;

	if (sscanf(line, "%63s %63s %15[a-z0-9]/%u %31s", from, to, proto, &port, want) != 5)
		fail_msg("\"%s\" is not FROM TO proto/port REASON", line);
	q.host_origin = !strncmp(from, "node:", 5);
	q.src = end_addr(f, q.host_origin ? from + 5 : from);
	q.dst = end_addr(f, to);
	q.proto = number_of(proto);
	q.port = port;
	oracle_judge(f->plan, &q, &a);
	got = a.reason == WEIR_FORWARDED ? "yes" : reason_name(a.reason);
	if (strcmp(got, want))
		fail_msg("%s: got %s", line, got);
}

/* One query a line. */
static inline void check_lines(const struct fixture *f, const char *lines)
{
	_cleanup_(mem_free) char *copy = mem_strdup(lines);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		check_line(f, line);
}
