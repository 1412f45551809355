// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Packets for tests. See packet.h. Checksums are computed over the whole packet, to check the
 * incremental updates of the datapath.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"
#include "lib/packet.h"

#define TTL 64

static void put16(struct packet *p, uint16_t value)
{
	p->data[p->len++] = value >> 8;
	p->data[p->len++] = value & 0xff;
}

static void put(struct packet *p, const void *bytes, size_t len)
{
	memcpy(p->data + p->len, bytes, len);
	p->len += len;
}

static void put_zero(struct packet *p, size_t len)
{
	memset(p->data + p->len, 0, len);
	p->len += len;
}

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

static uint32_t sum_add(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(bytes + i);
	if (len & 1)
		sum += bytes[len - 1] << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static bool spec_v6(const struct packet_spec *spec)
{
	return spec->mapped_wire || !weir_addr_is_v4(&spec->src);
}

/* Sum of pseudo header and L4: addresses, length and protocol, in both families. */
static uint16_t l4_sum(const struct weir_addr *src, const struct weir_addr *dst, bool v6,
		       uint8_t proto, const uint8_t *l4, size_t len)
{
	size_t from = v6 ? 0 : 12;
	uint32_t sum = 0;

	if (v6 || (proto != IPPROTO_ICMP)) {
		sum = sum_add(sum, src->b + from, 16 - from);
		sum = sum_add(sum, dst->b + from, 16 - from);
		sum += proto + (len >> 16) + (len & 0xffff);
	}
	return sum_fold(sum_add(sum, l4, len));
}

/* CRC32c, SCTP's sum, bit by bit; stored little endian. */
static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static int sum_offset(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	}
	return -1;
}

static void put_tcp(struct packet *p, const struct packet_spec *spec)
{
	put16(p, spec->sport);
	put16(p, spec->dport);
	put(p, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	p->data[p->len++] = 5 << 4;
	p->data[p->len++] = spec->tcp_flags;
	put16(p, 0xffff);
	put16(p, 0);
	put16(p, 0);
}

static void put_quoted(struct packet *p, const struct packet_spec *spec)
{
	size_t len = spec->quoted->len - PACKET_L3;

	put(p, spec->quoted->data + PACKET_L3,
	    spec->quoted_len && spec->quoted_len < len ? spec->quoted_len : len);
}

static void put_l4(struct packet *p, const struct packet_spec *spec)
{
	switch (spec->proto) {
	case IPPROTO_TCP:
		put_tcp(p, spec);
		break;
	case IPPROTO_UDP:
		put16(p, spec->sport);
		put16(p, spec->dport);
		put16(p, 8 + spec->payload);
		put16(p, 0);
		break;
	case IPPROTO_SCTP:
		put16(p, spec->sport);
		put16(p, spec->dport);
		put_zero(p, 8);
		put(p, &spec->sctp_chunk, 1);
		put_zero(p, 1);
		put16(p, 4);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put(p, &spec->icmp_type, 1);
		put(p, &spec->icmp_code, 1);
		put16(p, 0);
		put16(p, spec->icmp_id);
		put16(p, 1);
		if (spec->quoted)
			put_quoted(p, spec);
		break;
	}
	for (unsigned int i = 0; i < spec->payload; i++)
		p->data[p->len++] = 'a' + i % 26;
}

/* The sum field must be 0 before. */
static void fill_l4_sum(struct packet *p, const struct packet_spec *spec, unsigned int l4)
{
	int at = sum_offset(spec->proto);
	uint16_t sum;
	uint32_t crc;

	if (spec->proto == IPPROTO_SCTP) {
		crc = crc32c(p->data + l4, p->len - l4);
		memcpy(p->data + l4 + 8, &crc, sizeof(crc));
		return;
	}
	if (at < 0 || spec->no_udp_sum)
		return;
	sum = l4_sum(&spec->src, &spec->dst, spec_v6(spec), spec->proto, p->data + l4, p->len - l4);
	if (spec->proto == IPPROTO_UDP && !sum)
		sum = 0xffff;
	set16(p->data + l4 + at, sum);
}

static unsigned int put_v4(struct packet *p, const struct packet_spec *spec)
{
	unsigned int l3 = p->len;

	p->data[p->len++] = 4 << 4 | (5 + spec->v4_options);
	p->data[p->len++] = 0;
	put16(p, 0); /* total length, later */
	put16(p, 0x1234);
	put16(p, spec->fragment);
	p->data[p->len++] = spec->hops ? spec->hops : TTL;
	p->data[p->len++] = spec->proto;
	put16(p, 0);
	put(p, spec->src.b + 12, 4);
	put(p, spec->dst.b + 12, 4);
	for (int i = 0; i < spec->v4_options * 4; i++)
		p->data[p->len++] = 1;
	return l3;
}

static unsigned int put_v6(struct packet *p, const struct packet_spec *spec)
{
	unsigned int l3 = p->len;
	uint8_t next = spec->proto;

	put16(p, 6 << 12);
	put16(p, 0);
	put16(p, 0); /* payload length, later */
	if (spec->fragment)
		next = IPPROTO_FRAGMENT;
	p->data[p->len++] = spec->n_extensions ? spec->extensions[0].type : next;
	p->data[p->len++] = spec->hops ? spec->hops : TTL;
	put(p, spec->src.b, 16);
	put(p, spec->dst.b, 16);
	for (unsigned int i = 0; i < spec->n_extensions; i++) {
		const struct packet_extension *e = &spec->extensions[i];
		size_t len = e->type == IPPROTO_AH ? (e->len + 2) * 4 : (e->len + 1) * 8;

		p->data[p->len++] = i + 1 < spec->n_extensions ? e[1].type : next;
		p->data[p->len++] = e->len;
		put_zero(p, len - 2);
	}
	if (spec->fragment) {
		p->data[p->len++] = spec->proto;
		p->data[p->len++] = 0;
		put16(p, spec->fragment);
		put16(p, 0);
		put16(p, 0x77);
	}
	return l3;
}

static void put_ethernet(struct packet *p, const struct packet_spec *spec, uint16_t type)
{
	put(p, spec->dst_mac, 6);
	put(p, spec->src_mac, 6);
	if (spec->vlan) {
		put16(p, ETH_P_8021Q);
		put16(p, spec->vlan);
	}
	put16(p, type);
}

static void fill_l3(struct packet *p, bool v6, unsigned int l3, unsigned int l4)
{
	if (v6) {
		set16(p->data + l3 + 4, p->len - l3 - 40);
		return;
	}
	set16(p->data + l3 + 2, p->len - l3);
	set16(p->data + l3 + 10, 0);
	set16(p->data + l3 + 10, sum_fold(sum_add(0, p->data + l3, l4 - l3)));
}

struct packet packet_build(const struct packet_spec *spec)
{
	bool v6 = spec_v6(spec);
	struct packet p = {};
	unsigned int l3, l4;

	put_ethernet(&p, spec, v6 ? ETH_P_IPV6 : ETH_P_IP);
	l3 = v6 ? put_v6(&p, spec) : put_v4(&p, spec);
	l4 = p.len;
	put_l4(&p, spec);
	fill_l4_sum(&p, spec, l4);
	fill_l3(&p, v6, l3, l4);
	return p;
}

void packet_finish(struct packet *p, const struct packet_spec *spec)
{
	unsigned int l4 = packet_l4_offset(p);
	int at = sum_offset(spec->proto);

	if (at >= 0)
		set16(p->data + l4 + at, 0);
	fill_l4_sum(p, spec, l4);
	fill_l3(p, spec_v6(spec), PACKET_L3, l4);
}

struct packet packet_fragment(const struct packet *whole, unsigned int offset, unsigned int len,
			      uint32_t id)
{
	unsigned int l4 = packet_l4_offset(whole), all = whole->len - l4;
	bool v6 = whole->data[PACKET_L3] >> 4 == 6, more;
	uint8_t *ip;
	struct packet p = {};

	if (!len || offset + len > all)
		len = all - offset;
	more = offset + len < all;
	put(&p, whole->data, l4);
	ip = p.data + PACKET_L3;
	if (v6) {
		p.data[p.len++] = ip[6];
		p.data[p.len++] = 0;
		put16(&p, offset | more);
		put16(&p, id >> 16);
		put16(&p, id & 0xffff);
		ip[6] = IPPROTO_FRAGMENT;
	}
	put(&p, whole->data + l4 + offset, len);
	if (v6) {
		set16(ip + 4, p.len - PACKET_L3 - 40);
		return p;
	}
	set16(ip + 2, p.len - PACKET_L3);
	set16(ip + 4, id);
	set16(ip + 6, (more ? 0x2000 : 0) | offset / 8);
	set16(ip + 10, 0);
	set16(ip + 10, sum_fold(sum_add(0, ip, l4 - PACKET_L3)));
	return p;
}

struct packet packet_ethertype(uint16_t type)
{
	struct packet_spec spec = { .src_mac = { 2 }, .dst_mac = { 2 } };
	struct packet p = {};

	put_ethernet(&p, &spec, type);
	put_zero(&p, 60);
	return p;
}

struct packet packet_arp(const struct packet_arp_spec *spec)
{
	struct packet_spec frame = {};
	struct packet p = {};

	memcpy(frame.src_mac, spec->src_mac, 6);
	memcpy(frame.dst_mac, spec->dst_mac, 6);
	put_ethernet(&p, &frame, ETH_P_ARP);
	put16(&p, 1); /* Ethernet */
	put16(&p, ETH_P_IP);
	put(&p, "\6\4", 2); /* lengths of their addresses */
	put16(&p, spec->operation);
	put(&p, spec->sender_mac, 6);
	put(&p, spec->sender.b + 12, 4);
	put(&p, spec->target_mac, 6);
	put(&p, spec->target.b + 12, 4);
	put_zero(&p, 18); /* to the least length of a frame */
	return p;
}

struct packet packet_neighbour(const struct packet_spec *spec, const struct weir_addr *target,
			       const uint8_t *options, size_t len)
{
	struct packet p = packet_build(spec);

	if (target)
		put(&p, target->b, 16);
	put(&p, options, len);
	packet_finish(&p, spec);
	return p;
}

unsigned int packet_l4_offset(const struct packet *packet)
{
	const uint8_t *ip = packet->data + PACKET_L3;

	return PACKET_L3 + (ip[0] >> 4 == 6 ? 40 : (ip[0] & 0xf) * 4);
}

static bool is_extension(uint8_t type)
{
	return type == IPPROTO_HOPOPTS || type == IPPROTO_DSTOPTS || type == IPPROTO_ROUTING ||
	       type == IPPROTO_AH;
}

static void read_l4(const uint8_t *l4, struct packet_spec *s)
{
	s->sport = get16(l4);
	s->dport = get16(l4 + 2);
	switch (s->proto) {
	case IPPROTO_TCP:
		s->tcp_flags = l4[13];
		break;
	case IPPROTO_UDP:
		s->no_udp_sum = !l4[6] && !l4[7];
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		s->sport = s->dport = 0;
		s->icmp_type = l4[0];
		s->icmp_id = get16(l4 + 4);
		break;
	}
}

static const char *read_v4(const struct packet *p, struct packet_spec *s, unsigned int *l4)
{
	const uint8_t *ip = p->data + PACKET_L3;
	__be32 src, dst;

	memcpy(&src, ip + 12, 4);
	memcpy(&dst, ip + 16, 4);
	s->src = weir_addr_from_v4(src);
	s->dst = weir_addr_from_v4(dst);
	s->proto = ip[9];
	*l4 = PACKET_L3 + (ip[0] & 0xf) * 4;
	if (get16(ip + 2) != p->len - PACKET_L3)
		return "IPv4 total length";
	return sum_fold(sum_add(0, ip, *l4 - PACKET_L3)) ? "IPv4 header checksum" : NULL;
}

static const char *read_v6(const struct packet *p, struct packet_spec *s, unsigned int *l4)
{
	const uint8_t *ip = p->data + PACKET_L3;

	memcpy(&s->src, ip + 8, 16);
	memcpy(&s->dst, ip + 24, 16);
	s->proto = ip[6];
	*l4 = PACKET_L3 + 40;
	while (is_extension(s->proto) && *l4 + 8 <= p->len) {
		const uint8_t *h = p->data + *l4;

		*l4 += s->proto == IPPROTO_AH ? (h[1] + 2) * 4 : (h[1] + 1) * 8;
		s->proto = h[0];
	}
	return get16(ip + 4) != p->len - PACKET_L3 - 40 ? "IPv6 payload length" : NULL;
}

const char *packet_read(const struct packet *packet, struct packet_spec *ret_spec)
{
	bool v6 = get16(packet->data + 12) == ETH_P_IPV6;
	struct packet_spec s = {};
	const char *wrong;
	unsigned int l4;

	memcpy(s.dst_mac, packet->data, 6);
	memcpy(s.src_mac, packet->data + 6, 6);
	wrong = v6 ? read_v6(packet, &s, &l4) : read_v4(packet, &s, &l4);
	if (l4 > packet->len)
		return "headers are longer than the packet";
	read_l4(packet->data + l4, &s);
	*ret_spec = s;
	if (wrong || sum_offset(s.proto) < 0 || (!v6 && s.proto == IPPROTO_UDP && s.no_udp_sum))
		return wrong;
	return l4_sum(&s.src, &s.dst, v6, s.proto, packet->data + l4, packet->len - l4)
		       ? "L4 checksum"
		       : NULL;
}
