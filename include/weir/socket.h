/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sockets of the node's own processes: which frontend a process named, and which backend the socket
 * was given instead (docs/design.md, "The node's own processes").
 */
#pragma once

#include <weir/addr.h>
#include <weir/limits.h>

/* Unused if backend is 0. */
struct weir_translation {
	struct weir_addr frontend, peer; /* what the process named; the backend's address */
	__be16 frontend_port_be, peer_port_be;
	__u32 backend, backend_generation;
	__u32 service_stamp; /* service epoch read before the first table */
	__u32 used; /* tick of the last datagram */
	__u32 sequence; /* of the last datagram: a tick is too long to tell which was later */
};
WEIR_ASSERT_SIZE(struct weir_translation, 56);

/*
 * Value of sockets: of one socket. The kernel runs the programs that write it with the socket
 * locked.
 */
struct weir_socket {
	__u64 cookie; /* the kernel's name of the socket */
	struct weir_translation connected;
	/* of destinations that the process gave with datagrams */
	struct weir_translation datagrams[WEIR_SOCKET_DATAGRAMS];
	__u64 sequence; /* of its last datagram to a frontend */
};
WEIR_ASSERT_SIZE(struct weir_socket, 16 + 56 * (1 + WEIR_SOCKET_DATAGRAMS));

/* What stale_sockets writes for each connected UDP socket whose backend does not serve any more. */
struct weir_stale_socket {
	struct weir_addr local, peer; /* of an IPv4 socket: mapped */
	__be16 local_port_be, peer_port_be;
	__u32 family; /* AF_INET, AF_INET6 */
	__u32 device; /* that it is bound to, or 0 */
	__u32 pad;
	__u64 cookie;
};
WEIR_ASSERT_SIZE(struct weir_stale_socket, 56);
