/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Finds this node's uplinks, in the calling thread's network namespace. */
#pragma once

#include "kernel/records.h"

struct uplinks_wanted {
	const char *const *names; /* the uplinks; none: they are found */
	size_t n;
	/* by family: the source address of connections by an uplink that has none; zero: none */
	struct weir_addr main[2];
};

/*
 * Fills the uplinks of a list whose records were read. Named ones must exist, be Ethernet devices
 * and no pod's. Found are Ethernet devices that are up, have a default route or an address, and are
 * neither a pod's nor the bridge of one; a veth or a dummy needs a default route, since the host's
 * end of a pod's veth may have an address. 0, or -EINVAL or another -errno with err set.
 */
int uplinks_find(const struct uplinks_wanted *wanted, struct attachment_list *l,
		 struct weir_err *err);
