/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Tables of a node of a given size, written straight into the maps of a prog_env: pods with a
 * policy set for each direction, addresses of the rest of the cluster, port sets, Services.
 * Measures nothing.
 *
 * The first half of the pods are clients, the second half backends: no pod reaches itself through a
 * Service.
 */
#pragma once

#include <stdint.h>

#include "lib/prog_env.h"

#define WORLD_TARGET 8080 /* port of every backend; every port set allows it */
#define WORLD_PORT 80 /* of every Service */

struct world_size {
	const char *name;
	uint32_t pods; /* of this node, with a device each */
	uint32_t addresses; /* of other nodes' pods */
	uint32_t sets;
	uint32_t port_sets, ranges;
	uint32_t services, endpoints; /* with backends of this node */
	uint32_t remote_services; /* with backends of other nodes; numbered after the others */
};

enum world_group {
	WORLD_PODS,
	WORLD_REMOTE,
	WORLD_VIPS,
};

struct weir_addr world_addr(int family, enum world_group group, uint32_t i);
uint32_t world_device(uint32_t pod);
void world_mac(uint32_t pod, uint8_t ret_mac[6]); /* of the host's end */
void world_pod_mac(uint32_t pod, uint8_t ret_mac[6]); /* of the pod's end */
/* A pseudo-random number, the same for the same arguments. */
uint32_t world_random(uint32_t a, uint32_t b);
/* Makes the devices in the namespace of prog_env; once in a process. 0 or -errno. */
int world_devices(uint32_t pods);
void world_fill(struct prog_env *env, const struct world_size *size);
