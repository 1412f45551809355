/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Stepping into another network namespace, and back. */
#pragma once

#include "base/diag.h"

#define NETNS_DIR "/run/netns" /* where they have names, as iproute2 keeps them */
#define NETNS_OWN "/proc/thread-self/ns/net"

/* The calling thread moves to fd's namespace; *ret_back is what netns_leave() wants. */
int netns_enter(int fd, int *ret_back, struct weir_err *err);
void netns_leave(int *back); /* also for _cleanup_(); nothing when -1 */
