/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What Weir must know of the node's devices, in the calling thread's network namespace. */
#pragma once

#include <stdint.h>

#include "base/diag.h"

/* ifindex of the bridge or VRF that the device belongs to; 0: none, or no such device. */
uint32_t device_master(uint32_t ifindex);

/*
 * The UDP ports at which this namespace ends tunnels: of its devices of the kinds vxlan, geneve,
 * bareudp and wireguard, and of foo-over-UDP. Fills a bitmap as weir_config.overlay_ports has. 0 or
 * -errno: a device that cannot be read must not be taken as absent.
 */
int overlay_ports_read(uint64_t *ret_ports, struct weir_err *err);
