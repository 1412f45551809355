/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets for tests: built from a description with every checksum correct, and read back into one
 * with every checksum verified. Knows nothing of the datapath.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <weir/addr.h>

#define PACKET_MAX 2048
#define PACKET_EXTENSIONS_MAX 12

enum tcp_bits {
	FIN = 0x01,
	SYN = 0x02,
	RST = 0x04,
	PSH = 0x08,
	ACK = 0x10,
};

/* An IPv6 extension header: its type, and its length field in the type's units. */
struct packet_extension {
	uint8_t type;
	uint8_t len;
};

struct packet;

/*
 * A packet. The addresses give the family. Ports and ids in host order. A zeroed member is the
 * usual value.
 */
struct packet_spec {
	struct weir_addr src, dst;
	uint8_t proto; /* IPPROTO_* */
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint8_t icmp_type, icmp_code;
	uint8_t hops; /* 0: 64 */
	uint16_t icmp_id;
	const struct packet *quoted; /* ICMP errors: its IP packet follows the ICMP header */
	uint16_t quoted_len; /* bytes of it; 0: all */
	uint8_t sctp_chunk;
	uint16_t payload; /* bytes behind the L4 header */
	bool no_udp_sum; /* IPv4: send the sum as 0 */
	bool mapped_wire; /* IPv4 addresses as ::ffff:a.b.c.d in an IPv6 header */
	uint8_t v4_options; /* words of no-operation options */
	uint16_t fragment; /* IPv4: frag_off in host order; IPv6: value of the fragment header */
	struct packet_extension extensions[PACKET_EXTENSIONS_MAX];
	unsigned int n_extensions;
	uint8_t src_mac[6], dst_mac[6];
	uint16_t vlan; /* id of an 802.1Q tag */
};

struct packet {
	uint8_t data[PACKET_MAX];
	uint32_t len;
};

struct packet packet_build(const struct packet_spec *spec);
/*
 * Recomputes lengths and sums after the bytes of a packet without extension headers were changed.
 * spec: what the packet is now.
 */
void packet_finish(struct packet *packet, const struct packet_spec *spec);
/*
 * One fragment of a packet: len bytes (0: the rest) of what follows its fixed IP header, from
 * offset on. The L4 checksum is that of the whole packet.
 */
struct packet packet_fragment(const struct packet *whole, unsigned int offset, unsigned int len,
			      uint32_t id);

/* An ARP message; spec zeroed is a frame of that type without content. */
struct packet_arp_spec {
	uint8_t src_mac[6], dst_mac[6]; /* of the frame */
	uint16_t operation; /* 1 request, 2 reply */
	uint8_t sender_mac[6], target_mac[6];
	struct weir_addr sender, target; /* IPv4; zero: 0.0.0.0 */
};
struct packet packet_arp(const struct packet_arp_spec *spec);
/*
 * Neighbour discovery: spec has addresses, type and hop limit. target: NULL for messages without
 * one; options are written as they are.
 */
struct packet packet_neighbour(const struct packet_spec *spec, const struct weir_addr *target,
			       const uint8_t *options, size_t len);
struct packet packet_ethertype(uint16_t type);

/*
 * Addresses, ports, flags and MACs of a packet, behind extension headers too. Returns NULL, or what
 * is wrong: a length, the IPv4 header sum, the L4 sum.
 */
const char *packet_read(const struct packet *packet, struct packet_spec *ret_spec);

/* Offset of the IP header, and of the L4 header of a packet without extension headers. */
#define PACKET_L3 14
unsigned int packet_l4_offset(const struct packet *packet);
