/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What `weir doctor` can say: one list of codes, stable for ever (append only, a number is never
 * used again). docs/findings.md explains each.
 */
#pragma once

#include "base/mem.h"

enum severity {
	SEVERITY_INFO, /* worth knowing; nothing has to be done */
	SEVERITY_WARNING, /* something may be lost, under conditions that are told */
	SEVERITY_ERROR, /* packets are lost, or pass unjudged */
	_SEVERITY_MAX,
};

extern const char *const severity_names[]; /* "info", "warning", "error", NULL */

/* X(code, what it is about) */
#define FINDINGS(X)                                               \
	X(N001, "forwarding is off")                              \
	X(N002, "the reverse path filter drops what pods send")   \
	X(N003, "a FORWARD chain drops what no rule accepts")     \
	X(N004, "bridged frames meet netfilter")                  \
	X(N005, "a program is not attached")                      \
	X(N006, "a table is more than 80 % full")                 \
	X(N007, "the two ends of a veth differ in MTU")           \
	X(N008, "kube-proxy's rules are still there")             \
	X(N009, "a foreign program or filter runs before Weir's") \
	X(N010, "connections that are over are not swept")        \
	X(N011, "enforcement is off")                             \
	X(N012, "a recorded device is gone")

enum finding_code {
#define FINDING_ENUM(code, title) FINDING_##code,
	FINDINGS(FINDING_ENUM)
#undef FINDING_ENUM
		_FINDING_MAX,
};

struct finding {
	enum finding_code code;
	enum severity severity;
	const char *text; /* one sentence */
	const char *evidence; /* what was read, and where */
	const char *fix; /* a command */
};

struct findings {
	struct arena arena; /* of the texts */
	struct finding *items;
	size_t n, cap;
};

const char *finding_name(enum finding_code code); /* "N001" */
const char *finding_title(enum finding_code code);
/* A new one; its texts are to be put by arena_printf(&f->arena, …). */
struct finding *finding_add(struct findings *f, enum finding_code code, enum severity severity);
void findings_sort(struct findings *f); /* the gravest first, then by code */
void findings_free(struct findings *f); /* also for _cleanup_() */
