/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The devices of a node, read once for all checks. Private to this folder.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "doctor/doctor.h"

struct device {
	uint32_t ifindex;
	uint32_t master; /* ifindex of its bridge; 0: none */
	uint32_t peer; /* ifindex of the other end of a veth */
	uint32_t mtu;
	bool up;
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ]; /* of a virtual device: "veth", "vxlan"; else "" */
};

/* A recorded pod and the host's end of its veth. */
struct doctor_pod {
	const struct attachment *record;
	const struct device *dev; /* NULL: it does not exist */
	/* dev, or its bridge: the stack uses its settings for the pod's packets */
	const struct device *l3;
};

struct doctor {
	const struct node *node;
	struct device *devices; /* sorted by index */
	size_t n_devices, cap_devices;
	struct doctor_pod *pods;
	size_t n_pods;
	/* set by check_rulesets() */
	bool forward6_drops; /* a FORWARD chain drops IPv6 by default */
	bool overlay_settled; /* a rule says that it guards the tunnels */
	struct findings *f;
};

int devices_read(struct device **ret_devices, size_t *ret_n, size_t *ret_cap, struct weir_err *err);
const struct device *device_find(const struct doctor *d, uint32_t ifindex);
/* ifindex of the device that the stack routes that address to; 0: none. */
uint32_t device_towards(const struct weir_addr *a);
/* MTU of a device in the calling thread's namespace; 0: no such device. */
uint32_t device_mtu(uint32_t ifindex);

/* The checks, one file each. */

/* N003, N008, N018. -errno when nftables cannot be read: the result is then unknown. */
int check_rulesets(struct doctor *d, struct weir_err *err);
void check_settings(struct doctor *d); /* N001, N002, N004; after check_rulesets() */
void check_trust(struct doctor *d); /* N017, N019, N020; after check_rulesets() */
/* Of the calling thread's namespace: /proc/sys/net/<key>; -1: no such setting. */
int setting_read(const char *key);
/* The i-th pod is the first one behind its l3 device. */
bool pod_is_first(const struct doctor *d, size_t i);
void check_hooks(struct doctor *d); /* N005, N009, N012 */
void check_mtu(struct doctor *d); /* N007 */
void check_tables(const struct live *l, struct findings *f); /* N006, N010, N011 */
/* N013, N014, N015. */
void check_pods(const struct live *l, const struct attachment_list *records, struct findings *f);
void check_processes(const struct node *n, struct findings *f); /* N025, N026 */
void check_plan(const struct live *l, struct findings *f); /* N021, N022 */
/* N023, in the attach namespace. -errno: its devices cannot be read. */
int check_tunnels(const struct live *l, struct findings *f, struct weir_err *err);
/* N016, in the attach namespace. -errno: its addresses cannot be read. */
int check_addresses(const struct live *l, struct findings *f, struct weir_err *err);
