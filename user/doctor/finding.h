/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Findings of `weir doctor`: one list of codes. Codes are stable: append only, a number is never
 * reused. docs/findings.md explains each.
 */
#pragma once

#include "base/mem.h"

enum severity {
	SEVERITY_INFO, /* worth knowing; needs no action */
	SEVERITY_WARNING, /* packets may be lost under conditions that the text names */
	SEVERITY_ERROR, /* packets are lost, or bypass policies */
	_SEVERITY_MAX,
};

extern const char *const severity_names[]; /* "info", "warning", "error", NULL */

/* X(code, title) */
#define FINDINGS(X)                                                \
	X(N001, "forwarding is off")                               \
	X(N002, "the reverse path filter drops packets of a pod")  \
	X(N003, "a FORWARD chain drops by default")                \
	X(N004, "bridged frames pass through netfilter")           \
	X(N005, "a program is not attached")                       \
	X(N006, "a table is more than 80 % full")                  \
	X(N007, "the two ends of a veth differ in MTU")            \
	X(N008, "rules of kube-proxy are still installed")         \
	X(N009, "a foreign program or filter runs before Weir's")  \
	X(N010, "gc is not running")                               \
	X(N011, "enforcement is off")                              \
	X(N012, "the device of an attachment record is missing")   \
	X(N013, "a planned pod is not attached")                   \
	X(N014, "a pod is held")                                   \
	X(N015, "an attachment record is not valid")               \
	X(N016, "the node's addresses have changed")               \
	X(N017, "pods can reach the node's loopback addresses")    \
	X(N018, "the stack changes destinations of pods' packets") \
	X(N019, "the node accepts router advertisements of pods")  \
	X(N020, "a tunnel accepts packets of any sender")          \
	X(N021, "the plan file is missing or not valid")           \
	X(N022, "a policy does not fit, and its pods are closed")  \
	X(N023, "the node's tunnels have changed")                 \
	X(N024, "a Service does not fit, and is not served")       \
	X(N025, "the node's processes do not reach Services")      \
	X(N026, "UDP sockets of the node keep removed backends")

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
	struct arena arena; /* owns the texts */
	struct finding *items;
	size_t n, cap;
};

const char *finding_name(enum finding_code code); /* "N001" */
const char *finding_title(enum finding_code code);
/* A new finding. The caller sets its texts: literals, or arena_printf(&f->arena, …). */
struct finding *finding_add(struct findings *f, enum finding_code code, enum severity severity);
void findings_sort(struct findings *f); /* most severe first, then by code */
void findings_free(struct findings *f); /* also for _cleanup_() */
