/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sockets in the namespaces of a cluster. A socket stays in the namespace in which it was made. All
 * are non-blocking; a function that cannot make one fails the test.
 */
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include "lib/netns_cluster.h"

/* ---- Sockets ---- */

/* An unconnected socket of that namespace, bound to local_port (0: any). */
int netns_socket(const struct netns_cluster *c, const char *where, int family, int proto,
		 uint16_t local_port);
/* The same, bound to an address too: for a namespace that has several. */
int netns_socket_at(const struct netns_cluster *c, const char *where, const struct weir_addr *local,
		    int proto, uint16_t local_port);
/* A raw socket: send() and recv() as raw(7) and ipv6(7) say. */
int netns_raw_socket(const struct netns_cluster *c, const char *where, int family, int proto);
/* A packet socket on eth0 of that namespace: send() puts a frame there unchanged. */
int netns_packet_socket(const struct netns_cluster *c, const char *where);
/* The MAC of eth0 of that namespace. */
void netns_mac(const struct netns_cluster *c, const char *where, uint8_t ret_mac[6]);

/* Address and port (host order) of a socket address; ret_port may be NULL. */
struct weir_addr netns_sockaddr(const struct sockaddr_storage *sa, uint16_t *ret_port);

/* ---- Waiting ---- */

/* Waits for one of the events of poll(); false: none came in time. */
bool netns_wait(int fd, short events, int timeout_ms);

/*
 * Starts to connect; 0 or -errno. For TCP waits until it is done: -ETIMEDOUT when nothing comes
 * back.
 */
int netns_connect(int fd, const struct weir_addr *dst, uint16_t port);

/* ---- Lines to and from the servers of pods ---- */

/*
 * Sends a line and waits for the server's. 0 and the line ("ns/pod port client-address
 * client-port"), -ETIMEDOUT when nothing came back, other -errno of the socket. On TCP the kernel
 * retransmits a line that got no answer: after a change assert the next line, or none.
 */
int netns_ask(int fd, char *line, size_t size);
/* Waits for a line without sending one: for what TCP retransmits. */
int netns_listen(int fd, int timeout_ms, char *line, size_t size);

/* One exchange from a new socket. 0, -ETIMEDOUT, other -errno. line may be NULL. */
int netns_try(const struct netns_cluster *c, const char *from, int proto,
	      const struct weir_addr *dst, uint16_t port, char *line, size_t size);
/* One echo request with that id; 0 when its reply came. */
int netns_ping(const struct netns_cluster *c, const char *from, const struct weir_addr *dst,
	       uint16_t id);

/* ---- Bytes between two sockets of the test ---- */

/*
 * The byte that side sends at that offset. It differs by offset and side, so lost, repeated,
 * reordered or reflected bytes are found.
 */
uint8_t netns_byte(int side, size_t offset);
/*
 * Sends len[0] bytes from fd[0] to fd[1] and len[1] bytes back, at the same time, and checks each.
 * False when nothing moved for timeout_ms.
 */
bool netns_bulk(const int fd[2], const size_t len[2], int timeout_ms);
