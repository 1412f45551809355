/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The devices of a node as its checks need them, read once. Only files of this folder include it.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "doctor/doctor.h"

struct device {
	uint32_t ifindex, master, peer,
		mtu; /* master: of the bridge, 0: none; peer: index of the other end of a veth */
	char name[IFNAMSIZ];
};

/* A recorded pod and the device it is behind. */
struct doctor_pod {
	const struct attachment *record;
	const struct device *dev; /* NULL: it is gone */
	const struct device
		*l3; /* whose settings the stack uses for the pod's packets: dev, or its bridge */
};

struct doctor {
	const struct node *node;
	struct device *devices; /* sorted by index */
	size_t n_devices, cap_devices;
	struct doctor_pod *pods;
	size_t n_pods;
	bool forward6_drops; /* by check_rulesets(): some FORWARD chain drops IPv6 that no rule
				accepts */
	struct findings *f;
};

int devices_read(struct device **ret_devices, size_t *ret_n, size_t *ret_cap, struct weir_err *err);
const struct device *device_find(const struct doctor *d, uint32_t ifindex);
/* Index of the device by which the stack would send to that address; 0: none. */
uint32_t device_towards(const struct weir_addr *a);
/* MTU of a device in the calling thread's namespace; 0: there is none. */
uint32_t device_mtu(uint32_t ifindex);

/* The checks, each in a file of its own. */
/* N003, N008. -errno when they cannot be read: that is no finding, and no absence of one. */
int check_rulesets(struct doctor *d, struct weir_err *err);
void check_settings(struct doctor *d); /* N001, N002, N004; after the rulesets */
void check_hooks(struct doctor *d); /* N005, N009, N012 */
void check_mtu(struct doctor *d); /* N007 */
void check_tables(const struct live *l, struct findings *f); /* N006, N010, N011 */
