/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The cluster of suites that connect one end to another. Ends are named by their namespace: pods
 * "a/pod" and "a/other", "node", and "world" or any other namespace that the test makes, with
 * netns_outside_addr(). A Service leads to each end. Pods have servers on NETNS_SERVER_PORT; on
 * NETNS_PORT the test binds its own sockets.
 */
#pragma once

#include "lib/netns_socket.h"

#define NETNS_PORT 7000
#define NETNS_VIP_PORT 70 /* of the Services: leads to NETNS_PORT */
#define NETNS_SERVER_PORT 80 /* of pods and Services, TCP and UDP */

/*
 * isolated: a policy isolates all pods in both directions and allows NETNS_PORT only, so that every
 * connection is judged.
 */
void netns_ends_up(struct netns_cluster *c, bool isolated);

struct weir_addr netns_end_addr(const char *end, int family);
/* The cluster IP of the Service that leads to the end. */
struct weir_addr netns_end_vip(const char *end, int family);

/* Its external IP, on NETNS_VIP_PORT, and its node port; both lead to NETNS_PORT. */
struct weir_addr netns_end_external(const char *end, int family);
uint16_t netns_end_node_port(const char *end);

/* A socket of the end, bound to its address: node and world have several. */
int netns_end_socket(const struct netns_cluster *c, const char *end, int family, int proto,
		     uint16_t local_port);
