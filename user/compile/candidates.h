/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which endpoints of a service port take cluster IP traffic on this node (SVC-21 to SVC-27). */
#pragma once

#include "compile/endpoints.h"

/* Where this node is, for locality and hints. */
struct location {
	const char *node, *zone; /* zone "": unknown */
};

/*
 * Ready endpoints; only without any, terminating ones that still serve. local_only:
 * internalTrafficPolicy Local. Sets chosen[] for each endpoint; returns their number.
 */
size_t candidates_choose(const struct endpoint_list *list, bool local_only,
			 const struct location *here, bool *chosen);
uint32_t candidates_flags(const struct endpoint_list *list); /* enum weir_service_flag */
