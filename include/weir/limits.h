/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Limits inside the packet path and time limits of connections, with their reasons. Map sizes are
 * in maps.h.
 */
#pragma once

/* IPv6 extension headers walked before a packet is dropped as EXTENSION_HEADERS. */
#define WEIR_MAX_EXTENSION_HEADERS 6

/* Client ports tried before a new translated flow is dropped as PORTS_EXHAUSTED. */
#define WEIR_PORT_TRIES 32
/*
 * They come from above the default ip_local_port_range (32768-60999): clashes with real sockets are
 * rare.
 */
#define WEIR_PORT_MIN 61000
#define WEIR_PORT_COUNT 4536

/*
 * Ticks after a RST before a packet of the same direction proves that its sender did not send that
 * RST. A packet that the RST overtook in another CPU's queue comes sooner; it must not reopen a
 * connection that no later FIN would close.
 */
#define WEIR_RST_SETTLE_TICKS 2

/*
 * Peer address of a pod that reaches itself through a Service (SVC-84): one link-local IPv4
 * address, one ULA, no port allocation. Defaults of config.hairpin[]; entries keep the address that
 * they were made with. Packets with these addresses from elsewhere are dropped.
 */
#define WEIR_HAIRPIN_V4                                                     \
	{                                                                   \
		.b = { [10] = 0xff, [11] = 0xff, [12] = 169, 254, 77, 101 } \
	}
#define WEIR_HAIRPIN_V6                                                                      \
	{                                                                                    \
		.b = { 0xfd, 0x77, 0x65, 0x69, 0x72, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x65 } \
	}

/*
 * How long a first fragment's ports apply to later fragments: as long as Linux reassembles
 * (ipfrag_time).
 */
#define WEIR_FRAGMENT_S 30
/*
 * First fragments that are kept for each bucket of pods and direction: a pod's fragments evict only
 * its own, and what it is sent none that it sends.
 */
#define WEIR_FRAGMENT_RING_LEN 8 /* a power of two */
/* The same at uplinks: rings of senders, by a hash of the source address. */
#define WEIR_FRAGMENT_OUTSIDE_RINGS 256 /* a power of two */

/* Bits of an index of port_ranges[], so at most 2^20 ranges in all. */
#define WEIR_RANGE_BITS 20
/*
 * Steps of the binary search in an extent of port ranges. One extent has at most 3 * 2^16 + 4
 * ranges (the points of TCP, UDP and SCTP, and what is around them), so 18 steps; one that refers
 * to another has fewer than 2^5, so both searches together take a bounded number.
 */
#define WEIR_OVERLAY_BITS 5
#define WEIR_RANGE_STEPS (18 + WEIR_OVERLAY_BITS)

/* Default time limits, seconds (SVC-99 wants at least 24 h for open TCP). */
#define WEIR_TCP_OPENING_S 30
#define WEIR_TCP_OPEN_S (24 * 3600)
#define WEIR_TCP_CLOSING_S 10
#define WEIR_UDP_ONE_WAY_S 30
#define WEIR_UDP_ANSWERED_S 120
#define WEIR_ECHO_S 30
#define WEIR_OTHER_S 120

/*
 * How long a packet of a flow that passed without an entry is accepted after the table was last
 * full, or after the flow's last such packet.
 */
#define WEIR_FULL_MEMORY_S 120

/* gc: slots visited per tick, and the time between ticks (0.7 % of a CPU). */
#define WEIR_GC_SLICE 670
#define WEIR_GC_SLICE_MAX 4096
#define WEIR_GC_INTERVAL_US 10000

/*
 * Reject replies (RST, port unreachable) per tick for the pods of one bucket: about 950 a
 * second. Above that a packet is dropped as REJECT_LIMITED and its sender retries or
 * times out.
 */
#define WEIR_REJECTS_A_TICK 128
/* Longest ICMP error with its quote: what every path carries (RFC 1812, RFC 4443). */
#define WEIR_REJECT_MAX_V4 576
#define WEIR_REJECT_MAX_V6 1280

/*
 * Frontends that one socket of the node's own may send datagrams to without connecting (a resolver
 * has three). A further one takes the place of the least recently used: an answer that still comes
 * for that shows the backend's address.
 */
#define WEIR_SOCKET_DATAGRAMS 8
