/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict of the first packet of a flow, straight from the plan: what the BPF programs must say
 * too. Used by why, report and the differential tests.
 */
#pragma once

#include "compile/plan.h"
#include <weir/reason.h>

struct oracle_query {
	struct weir_addr src, dst; /* as the packet leaves the source; dst may be a cluster IP */
	uint8_t proto; /* IPPROTO_*; IPPROTO_ICMP, IPPROTO_ICMPV6 mean echo */
	uint16_t port; /* destination port, host order */
	bool host_origin; /* sent by a socket of this node */
	bool echo_always; /* NP-38's switch; the oracle reads its plan's */
	uint32_t pick; /* which of the candidates a Service translates to, modulo their number */
};

struct oracle_side {
	bool judged; /* that end is a pod of this node, so a verdict was made here */
	bool allow;
	uint32_t rule; /* index of plan->rules; 0 for a default deny, or where no policy isolates */
	uint32_t set; /* index of plan->sets; 0: not isolated */
};

struct oracle_answer {
	enum weir_reason reason; /* FORWARDED, EGRESS_DENIED, INGRESS_DENIED, NO_ENDPOINT, … as the
				    datapath counts it */
	struct oracle_side egress, ingress;
	uint32_t service; /* index of plan->services, 0: none */
	uint32_t backend; /* index of plan->backends, PLAN_NONE: none */
	struct weir_addr dst; /* after translation */
	uint16_t port; /* after translation, host order */
};

/*
 * Order as in the datapath: service, egress, ingress. Only a pod of this node is a client of
 * Services: from anyone else a cluster IP is an address like any other. Where a service has no
 * answer, no side is judged.
 */
void oracle_judge(const struct plan *p, const struct oracle_query *q,
		  struct oracle_answer *ret_answer);
