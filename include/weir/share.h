/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * When the pods of a bucket hold more than their share of the connection table (docs/security.md).
 * Packets decide by it what they evict; user space shows it.
 */
#pragma once

#include <weir/config.h>
#include <weir/flow.h>

/* A new flow of the bucket evicts one of its own: an open one only above 7/8 of the table. */
static __always_inline int weir_over_share(const struct weir_config *c,
					   const struct weir_flow_share *share)
{
	return c->entries > c->gc_slots / 2 && (__s32)(share->entries - c->flow_share) > 0;
}

/* A new flow of the bucket evicts a half-open one of its own. */
static __always_inline int weir_over_half_open_share(const struct weir_config *c,
						     const struct weir_flow_share *share)
{
	return c->half_open > c->half_open_max / 2 &&
	       (__s32)(share->half_open - c->half_open_share) > 0;
}
