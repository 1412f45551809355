/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Uplinks: devices by which clients outside of the cluster reach this node. */
#pragma once

#include <weir/addr.h>

/*
 * Value of uplinks, by ifindex: by family, the address that a connection to a backend on another
 * node gets as its source when it leaves by this device (SVC-80). Zero: none of that family.
 */
struct weir_uplink {
	struct weir_addr addr[2];
};
WEIR_ASSERT_SIZE(struct weir_uplink, 32);
