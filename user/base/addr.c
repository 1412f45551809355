// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See addr.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/mem.h"

/* Dotted quad; octets are decimal even with leading zeros (PARSE-4). */
static int parse_v4(const char *text, struct weir_addr *ret_addr)
{
	unsigned int octet[4];
	unsigned char bytes[4];
	int used = -1;
	__be32 v4;

	if (strspn(text, "0123456789.") != strlen(text) || strlen(text) > 63)
		return -EINVAL;
	if (sscanf(text, "%9u.%9u.%9u.%9u%n", &octet[0], &octet[1], &octet[2], &octet[3], &used) !=
	    4)
		return -EINVAL;
	if (text[used])
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		if (octet[i] > 255)
			return -EINVAL;
		bytes[i] = octet[i];
	}
	memcpy(&v4, bytes, 4);
	*ret_addr = weir_addr_from_v4(v4);
	return 0;
}

int addr_parse(const char *text, struct weir_addr *ret_addr)
{
	struct weir_addr a;

	if (!strchr(text, ':'))
		return parse_v4(text, ret_addr);
	if (inet_pton(AF_INET6, text, a.b) != 1)
		return -EINVAL;
	*ret_addr = a;
	return 0;
}

struct weir_addr addr_mask(const struct weir_addr *a, unsigned int len)
{
	struct weir_addr masked = {};
	unsigned int whole = len / 8, bits = len % 8;

	memcpy(masked.b, a->b, whole);
	if (bits)
		masked.b[whole] = a->b[whole] & (0xff << (8 - bits));
	return masked;
}

int cidr_parse(const char *text, struct cidr *ret_cidr)
{
	_cleanup_(mem_free) char *copy = NULL;
	size_t lead = strspn(text, " \t\r\n"), len;
	struct weir_addr a;
	unsigned long bits;
	unsigned int base;
	char *slash, *end;

	copy = mem_strdup(text + lead);
	for (len = strlen(copy); len && strchr(" \t\r\n", copy[len - 1]); len--)
		copy[len - 1] = 0;
	slash = strchr(copy, '/');
	if (!slash || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	*slash = 0;
	if (addr_parse(copy, &a))
		return -EINVAL;
	bits = strtoul(slash + 1, &end, 10);
	base = strchr(copy, ':') ? 0 : WEIR_V4_PREFIX_BITS;
	if (*end || bits > 128 - base)
		return -EINVAL;
	ret_cidr->len = base + bits;
	ret_cidr->addr = addr_mask(&a, ret_cidr->len);
	return 0;
}

const char *addr_text(const struct weir_addr *a, char *buf)
{
	if (weir_addr_is_v4(a))
		inet_ntop(AF_INET, &a->w[3], buf, ADDR_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
	return buf;
}

const char *cidr_text(const struct cidr *c, char *buf)
{
	unsigned int base = addr_family(&c->addr) == 0 && c->len >= WEIR_V4_PREFIX_BITS
				    ? WEIR_V4_PREFIX_BITS
				    : 0;
	size_t len;

	addr_text(&c->addr, buf);
	len = strlen(buf);
	snprintf(buf + len, ADDR_TEXT_MAX - len, "/%u", c->len - base);
	return buf;
}

const char *addr_port_text(const struct weir_addr *a, uint16_t port, char *buf)
{
	char addr[ADDR_TEXT_MAX - sizeof("[]:65535")]; /* an address takes at most 45 bytes */

	snprintf(buf, ADDR_TEXT_MAX, weir_addr_is_v4(a) ? "%s:%u" : "[%s]:%u", addr_text(a, addr),
		 port);
	return buf;
}

int addr_compare(const struct weir_addr *a, const struct weir_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

int cidr_compare(const struct cidr *a, const struct cidr *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : (int)a->len - (int)b->len;
}

size_t cidr_count_until(const void *items, size_t n, size_t size, const struct weir_addr *a)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct cidr *c = (const void *)((const char *)items + middle * size);

		if (addr_compare(&c->addr, a) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool cidr_holds(const struct cidr *c, const struct weir_addr *a)
{
	struct weir_addr masked;

	/* ::/0 must not hold IPv4 addresses, although they are mapped inside it (NP-29) */
	if (weir_addr_is_v4(a) != (weir_addr_is_v4(&c->addr) && c->len >= WEIR_V4_PREFIX_BITS))
		return false;
	masked = addr_mask(a, c->len);
	return weir_addr_equal(&masked, &c->addr);
}

bool cidr_holds_cidr(const struct cidr *outer, const struct cidr *inner)
{
	return inner->len >= outer->len && cidr_holds(outer, &inner->addr);
}

int addr_family(const struct weir_addr *a)
{
	return weir_addr_is_v4(a) ? 0 : 1;
}

bool addr_is_martian(const struct weir_addr *a, bool source)
{
	static const struct weir_addr loopback = { .b = { [15] = 1 } };

	if (!weir_addr_is_v4(a))
		return weir_addr_is_zero(a) || weir_addr_equal(a, &loopback);
	if (a->w[3] == 0xffffffff)
		return source;
	return a->b[12] == 0 || a->b[12] == 127 || a->b[12] >= 240;
}

const char *family_text(int family)
{
	return family ? "IPv6" : "IPv4";
}

static const struct {
	const char *text;
	int proto;
} protocols[] = {
	{ "TCP", IPPROTO_TCP },
	{ "UDP", IPPROTO_UDP },
	{ "SCTP", IPPROTO_SCTP },
};

int proto_parse(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (!strcasecmp(text, protocols[i].text))
			return protocols[i].proto;
	return 0;
}

const char *proto_text(int proto)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].proto == proto)
			return protocols[i].text;
	return "?";
}

const char *proto_label(int proto, char *buf)
{
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		return "ICMP";
	if (*proto_text(proto) != '?')
		return proto_text(proto);
	snprintf(buf, ADDR_TEXT_MAX, "%d", proto);
	return buf;
}

bool addr_is_link_local(const struct weir_addr *a)
{
	if (weir_addr_is_v4(a))
		return a->b[12] == 169 && a->b[13] == 254;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}
