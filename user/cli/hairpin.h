/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The settings hairpin.v4 and .v6: the peer address of a pod that reaches itself (SVC-84). */
#pragma once

#include "cli/load_settings.h"
#include "compile/plan.h"

/*
 * For addresses that this load is the first to set. Refuses those that were given and that a pod,
 * node or Service of the input or this machine has: packets with them are dropped as
 * reserved-address. Endpoints of EndpointSlices do not count: each tenant can write them. Returns
 * enum exit_status, and has said why.
 */
int hairpin_check(const struct plan_input *in, const struct settings *s);

/*
 * Warns of objects of the input, endpoints included, that have the addresses of the instance, by
 * family.
 */
void hairpin_warn(const struct plan_input *in, const struct weir_addr addr[2]);
