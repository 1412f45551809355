/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A process that plays a pod: it listens on ports in a network namespace and answers each request
 * with one line that says who it is.
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
	const char *
		pid_file; /* written by the server before it serves: "pid start-time"; NULL: none */
	bool temp_servers; /* ends with the calling thread, and leaves out ports that somebody
			      already serves */
};

/*
 * Answers "<label> <port> <client address> <client port>\n" to each read from a connection and to
 * each datagram; a request that begins with "GET " gets it as an HTTP answer. Returns once it
 * listens, with its pid; or -errno.
 */
int server_start(const struct server_spec *spec, pid_t *ret_pid, struct weir_err *err);

/* Ends a server that this process started. */
void server_stop(pid_t pid);
/*
 * Ends the server that a pid file names, if that process is still the one that wrote it; removes
 * the file.
 */
void server_stop_file(const char *pid_file);
bool server_alive(const char *pid_file);
