// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Builds packets from queries. See testrun_packet.h. Checksums are left zero: the programs update
 * them and never verify them.
 */
#include <arpa/inet.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "testrun/testrun_packet.h"

#define TTL 64
#define TCP_LEN 20
#define UDP_LEN 8
#define SCTP_LEN 32 /* common header and an INIT chunk */
#define ICMP_LEN 8
#define OTHER_LEN 8 /* of protocols without ports */

#define TCP_OFFSET_FLAGS 0x5002 /* data offset 5 words, SYN */
#define SCTP_INIT 1
#define SCTP_INIT_LEN 20
#define ICMP_ECHO_V4 8
#define ICMP_ECHO_V6 128

static size_t l4_len(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return TCP_LEN;
	case IPPROTO_UDP:
		return UDP_LEN;
	case IPPROTO_SCTP:
		return SCTP_LEN;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return ICMP_LEN;
	}
	return OTHER_LEN;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put_ports(uint8_t *l4, const struct oracle_query *q, uint16_t sport)
{
	put16(l4, sport);
	put16(l4 + 2, q->port);
}

static void put_l4(uint8_t *l4, const struct oracle_query *q, uint16_t sport)
{
	switch (q->proto) {
	case IPPROTO_TCP:
		put_ports(l4, q, sport);
		put16(l4 + 12, TCP_OFFSET_FLAGS);
		break;
	case IPPROTO_UDP:
		put_ports(l4, q, sport);
		put16(l4 + 4, UDP_LEN);
		break;
	case IPPROTO_SCTP:
		put_ports(l4, q, sport);
		l4[12] = SCTP_INIT;
		put16(l4 + 14, SCTP_INIT_LEN);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		l4[0] = q->proto == IPPROTO_ICMP ? ICMP_ECHO_V4 : ICMP_ECHO_V6;
		put16(l4 + 4, sport);
		break;
	}
}

static size_t put_v4(uint8_t *l3, const struct oracle_query *q)
{
	struct iphdr ip = { .version = 4,
			    .ihl = sizeof(ip) / 4,
			    .ttl = TTL,
			    .protocol = q->proto,
			    .saddr = q->src.w[3],
			    .daddr = q->dst.w[3],
			    .tot_len = htons(sizeof(ip) + l4_len(q->proto)) };

	memcpy(l3, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t put_v6(uint8_t *l3, const struct oracle_query *q)
{
	struct ipv6hdr ip = { .version = 6,
			      .hop_limit = TTL,
			      .nexthdr = q->proto,
			      .payload_len = htons(l4_len(q->proto)) };

	memcpy(&ip.saddr, &q->src, sizeof(ip.saddr));
	memcpy(&ip.daddr, &q->dst, sizeof(ip.daddr));
	memcpy(l3, &ip, sizeof(ip));
	return sizeof(ip);
}

void testrun_packet_make(struct testrun_packet *ret_packet, const struct oracle_query *q,
			 uint16_t sport)
{
	bool v4 = weir_addr_is_v4(&q->src);
	struct ethhdr eth = { .h_dest = { 2, [5] = 1 },
			      .h_source = { 2, [5] = 2 },
			      .h_proto = htons(v4 ? ETH_P_IP : ETH_P_IPV6) };
	uint8_t *l3 = ret_packet->bytes + sizeof(eth), *l4;

	memset(ret_packet, 0, sizeof(*ret_packet));
	memcpy(ret_packet->bytes, &eth, sizeof(eth));
	l4 = l3 + (v4 ? put_v4(l3, q) : put_v6(l3, q));
	put_l4(l4, q, sport);
	ret_packet->len = l4 + l4_len(q->proto) - ret_packet->bytes;
}

void testrun_packet_from(struct testrun_packet *packet, const uint8_t mac[6])
{
	memcpy(packet->bytes + ETH_ALEN, mac, ETH_ALEN);
}

void testrun_packet_dst(const struct testrun_packet *packet, struct weir_addr *ret_dst,
			uint16_t *ret_port)
{
	const uint8_t *l3 = packet->bytes + ETH_HLEN, *l4;
	bool v4 = l3[0] >> 4 == 4;
	uint8_t proto =
		v4 ? l3[offsetof(struct iphdr, protocol)] : l3[offsetof(struct ipv6hdr, nexthdr)];
	__be32 daddr;

	if (v4) {
		memcpy(&daddr, l3 + offsetof(struct iphdr, daddr), sizeof(daddr));
		*ret_dst = weir_addr_from_v4(daddr);
		l4 = l3 + sizeof(struct iphdr);
	} else {
		memcpy(ret_dst, l3 + offsetof(struct ipv6hdr, daddr), sizeof(*ret_dst));
		l4 = l3 + sizeof(struct ipv6hdr);
	}
	*ret_port = proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP
			    ? l4[2] << 8 | l4[3]
			    : 0;
}
