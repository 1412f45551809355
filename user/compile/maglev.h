/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Maglev hashing (Eisenbud and others, NSDI 2016, section 3.4): a table of slots, each with one of
 * n backends, so that all nodes with the same backends have the same table, every backend has an
 * equal part of it, and a change of one backend leaves nearly all other slots as they are.
 */
#pragma once

#include <stdint.h>

#include <weir/addr.h>

struct maglev_backend {
	struct weir_addr addr;
	uint16_t port; /* host byte order */
};

/*
 * Slots of the table for n backends: a prime, about 32 a backend or more up to 2,047 of them, so
 * that parts differ by 3 % at most; n itself for none, one, and more than 65,521. It grows in few
 * steps: at a step, and only there, most slots change.
 */
uint32_t maglev_size(uint32_t n);

/*
 * Fills slots[maglev_size(n)] with indexes of backends[]. These are sorted by the caller: the same
 * order on all nodes.
 */
void maglev_fill(const struct maglev_backend *backends, uint32_t n, uint32_t *ret_slots);
