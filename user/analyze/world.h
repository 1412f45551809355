/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Free addresses: for `world`, a peer outside of the cluster that no ipBlock but /0 contains, and
 * for nodes without an address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "kube/store.h"

/*
 * Addresses that are taken: of pods, nodes, Services and endpoints, and every ipBlock and except
 * but /0.
 */
struct world {
	struct cidr *items;
	size_t n, cap;
};

void world_collect(struct world *w, const struct store *s);
/* A free global address of that family; the same input gives the same address. False: none. */
bool world_free_addr(const struct world *w, int family, struct weir_addr *ret_addr);
void world_take(struct world *w, const struct weir_addr *addr);
void world_clear(struct world *w);
