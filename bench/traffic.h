/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The load generator: a client and a server, each a process in a network namespace, exchange
 * requests and responses of 64 bytes over TCP. The processes stay for all slices; a slice changes
 * the address, the mode and the number of connections.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TRAFFIC_PORT 8080
#define TRAFFIC_CONNECTIONS_MAX 64
#define TRAFFIC_SLOW_S 1.0 /* a lost SYN or SYN-ACK is repeated after a second */

enum traffic_mode {
	TRAFFIC_CRR, /* connect, request, response, close; the client closes first */
	TRAFFIC_RR, /* request, response, on connections that were opened before the clock starts */
};

struct traffic_slice {
	uint32_t addr_be; /* destination */
	uint16_t port;
	enum traffic_mode mode;
	int connections; /* at a time */
	double seconds;
	bool lossy; /* CRR: count connections that fail or are slow, instead of ending the program
		     */
};

struct traffic_result {
	double rate; /* exchanges per second */
	/* With lossy, of the connections begun until the clock stopped: */
	uint64_t connections;
	uint64_t failed; /* refused, reset, timed out */
	uint64_t slow; /* took longer than TRAFFIC_SLOW_S from connect to response */
};

struct traffic {
	pid_t client, server;
	int ask, answer; /* pipes to the client */
};

/* Names below /run/netns. Ends the program on failure. */
void traffic_start(struct traffic *t, const char *client_netns, const char *server_netns);
void traffic_stop(struct traffic *t);
/* Checks every response; a failed connection ends the program, unless the slice is lossy. */
struct traffic_result traffic_run(struct traffic *t, const struct traffic_slice *slice);

/* For other processes of the bench: */
double traffic_now_s(void); /* CLOCK_MONOTONIC */
/* Enters a namespace below /run/netns, and ends with the parent. Ends the process on failure. */
void traffic_enter(const char *netns);
