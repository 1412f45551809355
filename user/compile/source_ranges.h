/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The sources that may use the load balancer addresses of a Service (SVC-50 to SVC-55). */
#pragma once

#include "compile/plan.h"

struct source_ranges {
	struct cidr *items; /* sorted, each once; none: no restriction */
	size_t n, cap;
};

/*
 * Of one family. nodes: addresses of this node, one of which in a range adds the load balancer
 * addresses as sources (SVC-53). ranges: its memory is used again.
 */
void source_ranges_of(const struct kube_service *service, int family,
		      const struct plan_node_addr *nodes, size_t n_nodes,
		      struct source_ranges *ranges);
