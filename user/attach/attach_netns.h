/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The attach namespace: the network namespace whose devices an instance is attached to. An ifindex
 * is valid only there; from another namespace every recorded device seems to be gone. Recorded as a
 * link in the pin folder, so that it ends with the maps: at a reboot, and in node_remove().
 */
#pragma once

#include "kernel/node.h"

/*
 * -EXDEV: the attach namespace is not the caller's; err says which it is and what to do. 0 also if
 * none is recorded.
 */
int attach_netns_check(const struct node *n, struct weir_err *err);
/* Records the caller's namespace as the attach namespace. */
int attach_netns_keep(const struct node *n, struct weir_err *err);
/* Moves the caller to the attach namespace, if it can be found. *ret_back is for netns_leave(). */
enum attach_netns {
	ATTACH_NETNS_HERE, /* the caller was there already, or none is recorded */
	ATTACH_NETNS_ENTERED,
	ATTACH_NETNS_UNKNOWN, /* it has no name, or is gone: its devices are out of reach */
} attach_netns_enter(const struct node *n, int *ret_back);
/*
 * The same, with -EXDEV if the attach namespace cannot be found. *ret_back is unchanged if the
 * caller was there already.
 */
int attach_netns_join(const struct node *n, int *ret_back, struct weir_err *err);
