/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* --hairpin-v4 and --hairpin-v6 of load: the peer address of a pod that reaches itself (SVC-84). */
#pragma once

#include "cli/talk.h"
#include "compile/plan.h"

/*
 * All arrays are by family. text: of the options; NULL leaves ret_addr alone. Refuses what cannot
 * be such a peer. Returns enum exit_status, and has said why.
 */
int hairpin_read(const char *const text[2], struct weir_addr ret_addr[2]);

/*
 * For addresses that this load is the first to set; zero: not given. Refuses those that a pod, node
 * or Service of the input or this machine has: packets with them are dropped as reserved-address.
 * Endpoints of EndpointSlices do not count: each tenant can write them.
 */
int hairpin_check(const struct plan_input *in, const struct weir_addr addr[2]);

/* Warns of objects of the input, endpoints included, that have the addresses of the instance. */
void hairpin_warn(const struct plan_input *in, const struct weir_addr addr[2],
		  const struct common_options *c);
