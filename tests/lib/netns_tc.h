/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs on a pod's own device, in its own namespace, where Weir attaches nothing: what a pod's
 * owner may do there.
 */
#pragma once

#include "lib/netns_cluster.h"

/*
 * The pod does not hear IPv4, nor TCP and UDP over IPv6: its kernel answers no SYN-ACK by RST.
 * Neighbours are resolved as before.
 */
void netns_tc_deaf(const struct netns_cluster *c, const char *where);
/* All that eth0 of that namespace would send goes out of the other device instead. */
void netns_tc_redirect(const struct netns_cluster *c, const char *where, const char *device);
