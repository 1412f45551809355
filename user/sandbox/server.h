/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A process that stands for a pod: listens on ports in a network namespace and answers each request
 * with a line that names the pod.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"

struct server_port {
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t port; /* host order */
};

struct server_spec {
	int netns_fd;
	const char *label; /* "ns/pod" */
	const struct server_port *ports;
	size_t n_ports;
	const char *pid_file; /* NULL: none; "pid start-time", written before it listens */
	bool temporary; /* ends with the calling thread; skips ports that are already in use */
};

/*
 * Answers "<label> <port> <client address> <client port>\n" to each read from a connection and to
 * each datagram; to a request that begins with "GET " by HTTP. Returns when it listens: 0 and its
 * pid, or -errno.
 */
int server_start(const struct server_spec *spec, pid_t *ret_pid, struct weir_err *err);

/* Ends a server that this process started. */
void server_stop(pid_t pid);
/* Ends the server of a pid file, if the process is still that server; removes the file. */
void server_stop_file(const char *pid_file);
bool server_alive(const char *pid_file);
