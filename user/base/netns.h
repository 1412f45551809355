/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Enters another network namespace, and leaves it. */
#pragma once

#include <stdint.h>

#include "base/diag.h"

#define NETNS_DIR "/run/netns" /* named namespaces, as of iproute2 */
#define NETNS_OWN "/proc/thread-self/ns/net"

/*
 * Moves the calling thread to fd's namespace. The thread must return to its own: the variable
 * passed as ret_back needs netns_leave() as its cleanup.
 */
int netns_enter(int fd, int *ret_back, struct weir_err *err);
void netns_leave(int *back); /* also for _cleanup_(); -1: does nothing */
/* The kernel's name of the calling thread's network namespace, never used again; 0: unknown. */
uint64_t netns_cookie(void);
