/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The verdict on the first packet of a flow, computed from the plan. The BPF programs must give the
 * same. Used by `why`, `report` and the differential tests.
 */
#pragma once

#include "compile/plan.h"
#include <weir/reason.h>

struct oracle_query {
	struct weir_addr src, dst; /* as the packet leaves the source; dst may be a cluster IP */
	uint8_t proto; /* IPPROTO_*; IPPROTO_ICMP and IPPROTO_ICMPV6: echo */
	uint16_t port; /* destination port, host order */
	bool host_origin; /* sent by a socket of this node */
	/* NP-38, NP-42; for the reference: the oracle reads both from the plan instead */
	bool echo_always;
	uint16_t overlay_port; /* UDP port at which the node ends a tunnel; 0: none */
	/* policies without room, as echo_always: the oracle has them from the plan */
	const struct plan_closed *closed;
	uint32_t n_closed;
	/* SVC-36, as echo_always; NULL: all addresses of the node */
	const struct plan_node_ports *node_ports;
	uint32_t pick; /* the candidate to translate to, modulo their number */
};

struct oracle_side {
	bool judged; /* that end is a pod of this node */
	bool allow;
	uint32_t rule; /* index of plan->rules; 0 for a default deny, or where no policy isolates */
	uint32_t set; /* index of plan->sets; 0: not isolated */
};

struct oracle_answer {
	enum weir_reason reason; /* as the datapath counts it */
	struct oracle_side egress, ingress;
	uint32_t service; /* index of plan->services, 0: none */
	uint32_t backend; /* index of plan->backends, PLAN_NONE: none */
	struct weir_addr dst; /* after translation */
	uint16_t port; /* after translation, host order */
};

/* Why a policy set denies: its rules, or it is closed. */
enum weir_reason oracle_denial(const struct plan *p, enum kube_direction direction, uint32_t set);

/*
 * The candidates for a query from a pod of this node: of its destination's frontend, by the list
 * that the traffic gets (B.3). NULL: no service port has the destination.
 */
const struct plan_list *oracle_candidates(const struct plan *p, const struct oracle_query *q);

/*
 * In the datapath's order: service, egress, ingress. Only pods of this node use Services; from
 * other sources a cluster IP is not translated. Without a backend no side is judged.
 */
void oracle_judge(const struct plan *p, const struct oracle_query *q,
		  struct oracle_answer *ret_answer);
