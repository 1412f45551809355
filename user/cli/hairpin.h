/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* --hairpin-v4 and --hairpin-v6 of load: the peer address of a pod that reaches itself (SVC-84). */
#pragma once

#include "compile/plan.h"

/*
 * text, ret_addr: by family; NULL text leaves ret_addr alone. Refuses what cannot be such a peer,
 * and addresses that the plan uses: packets with them would be dropped as reserved-address. Returns
 * enum exit_status, and has said why.
 */
int hairpin_read(const char *const text[2], const struct plan *p, struct weir_addr ret_addr[2]);
