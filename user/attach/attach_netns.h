/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The network namespace whose devices an instance is attached to. Numbers of devices mean something
 * in that one only; seen from another, every recorded device seems to be gone. Kept as a link in
 * the pin folder, so it ends with the maps: at a reboot, and in node_remove().
 */
#pragma once

#include "kernel/node.h"

/*
 * -EXDEV: attached in another namespace than the caller's; err says which and what to do. 0 also
 * when none is kept.
 */
int attach_netns_check(const struct node *n, struct weir_err *err);
int attach_netns_keep(const struct node *n,
		      struct weir_err *err); /* the caller's is the one from now on */
/*
 * The caller moves to the home, if that is another one and can be found; *ret_back is for
 * netns_leave().
 */
enum attach_netns {
	ATTACH_NETNS_HERE, /* the caller was there already, or none is kept */
	ATTACH_NETNS_ENTERED,
	ATTACH_NETNS_UNKNOWN, /* another one, without a name: its devices are out of reach, or gone
				 with it */
} attach_netns_enter(const struct node *n, int *ret_back);
/*
 * The caller moves to the network namespace whose devices the instance is attached to; *ret_back is
 * for netns_leave(),
 * -1 where it was there already. -EXDEV: that namespace cannot be found.
 */
int attach_netns_join(const struct node *n, int *ret_back, struct weir_err *err);
