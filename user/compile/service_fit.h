/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Services that do not fit the tables are left out whole, and all others are served.
 *
 * Each namespace may have an equal part of a table, and what others leave of theirs: one that needs
 * no more loses nothing. Services that alone need more than the part are left out first, and count
 * no more. Then a namespace that still needs more keeps the Services that need least. Needs are
 * compared by their order of magnitude and parts are rounded, so that one endpoint more changes
 * little, and puts no other Service out that another one may take its place. The choice depends on
 * nothing but the needs and the sizes.
 *
 * The address of a Service that is left out stays a known cluster IP as long as its namespace's
 * part of the table has room: packets to it are refused, not sent on.
 */
#pragma once

#include "compile/plan.h"

enum service_need_kind {
	SERVICE_STEPS, /* endpoints of all slices: the work of compiling */
	SERVICE_FRONTENDS, /* without those of its addresses alone */
	SERVICE_RANGES,
	SERVICE_PORTS, /* elements of services */
	SERVICE_SLOTS,
	SERVICE_BACKENDS,
	_SERVICE_NEED_MAX,
};

/* What one Service needs, and whether it gets it. */
struct service_need {
	const char *ns, *name;
	int64_t created; /* as kube_meta */
	uint64_t need[_SERVICE_NEED_MAX];
	uint64_t known; /* elements of frontends for its addresses alone, by family */
	/* results */
	bool out; /* it is left out */
	bool unknown; /* there is not even room for its addresses */
	enum weir_map table; /* that has no room for it; _WEIR_MAP_MAX: too many steps */
	uint64_t all, size; /* as plan_left_out.need, size */
};

struct service_limit {
	uint64_t room; /* for all Services together */
	uint64_t all, size; /* for the results */
};

enum weir_map service_need_table(enum service_need_kind kind); /* _WEIR_MAP_MAX of STEPS */
/* What those that are not out need together, with the addresses of all. */
uint64_t service_needs_sum(const struct service_need *needs, size_t n, enum service_need_kind kind);
/* needs: sorted by ns. Those that are out already need nothing but their addresses. */
void service_fit(struct service_need *needs, size_t n, enum service_need_kind kind,
		 const struct service_limit *limit);
