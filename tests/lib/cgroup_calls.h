/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls of processes in cgroups that the test makes: a node of one network namespace with addresses
 * and listeners, where no other address has a route. Call kernel_env_enter() first.
 */
#pragma once

#include "kernel/node.h"

#define CALLS_NODE_V4 "198.51.100.1" /* as the Node object of kernel_env.h has */
#define CALLS_NODE_V6 "2001:db8::1"
#define CALLS_OTHER_V4 "198.18.0.1" /* another address of the node, which no object has */
#define CALLS_PORT 8080 /* TCP listeners on the first two */

/* In place of an errno. */
#define CALL_BROKEN 200 /* the test's own process could not begin */
#define CALL_OTHER_PEER 201 /* getpeername() shows another one than the process named */

struct call {
	int type; /* of the socket */
	const char *addr; /* its family is the socket's */
	uint16_t port;
	enum {
		CALL_CONNECT,
		CALL_DATAGRAM, /* sendto() */
	} how;
	bool elsewhere; /* from another network namespace */
	const char *bind; /* the socket's own address; NULL: not bound */
};

/* False: a TAP skip was printed. */
bool calls_possible(void);
/* Namespace and two cgroups, one beside the other. */
void calls_begin(void);
void calls_end(void);
const char *calls_cgroup(int i);
void calls_remove_cgroup(const char *dir);
void calls_attach(struct node *n, int i);

/* Of a process in that cgroup. 0: translated, and getpeername() names the frontend; or an errno. */
int call_of(int cgroup, const struct call *c);
/* Packets and calls that are counted for that reason. */
uint64_t calls_counted(const struct node *n, uint32_t reason);
