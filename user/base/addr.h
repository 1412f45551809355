/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Addresses and prefixes as text, and their order. One type for both families
 * (include/weir/addr.h); PARSE-4 and PARSE-5 say what is accepted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/addr.h>

#define ADDR_TEXT_MAX 64

/* A CIDR block; len is in bits of the 128-bit form, host bits are zero. */
struct cidr {
	struct weir_addr addr;
	unsigned int len;
};

/*
 * As lenient as the API server: leading zeros are decimal, ::ffff:a.b.c.d is IPv4 (PARSE-4). 0 or
 * -EINVAL.
 */
int addr_parse(const char *text, struct weir_addr *ret_addr);
/* Trims blanks and clears host bits (PARSE-5). 0 or -EINVAL. */
int cidr_parse(const char *text, struct cidr *ret_cidr);

/* These write at most ADDR_TEXT_MAX bytes to buf and return it. */
const char *addr_text(const struct weir_addr *a, char *buf);
const char *cidr_text(const struct cidr *c, char *buf);
/* "10.0.0.1:80", "[fd00::1]:80" */
const char *addr_port_text(const struct weir_addr *a, uint16_t port, char *buf);

int addr_compare(const struct weir_addr *a, const struct weir_addr *b);
int cidr_compare(const struct cidr *a, const struct cidr *b); /* by address, shorter prefix first */
/* items: structs that begin with a struct cidr, sorted. Returns how many have an address <= a. */
size_t cidr_count_until(const void *items, size_t n, size_t size, const struct weir_addr *a);
bool cidr_holds(const struct cidr *c, const struct weir_addr *a); /* families never mix (NP-29) */
bool cidr_holds_cidr(const struct cidr *outer, const struct cidr *inner);
struct weir_addr addr_mask(const struct weir_addr *a, unsigned int len);

/* 0: IPv4, 1: IPv6. Arrays of [2] "by family" are indexed by it. */
int addr_family(const struct weir_addr *a);
const char *family_text(int family); /* "IPv4", "IPv6" */
/*
 * Never on a wire: loopback, 0.0.0.0/8, 240.0.0.0/4, ::. The limited broadcast 255.255.255.255 is
 * one of them as a source only.
 */
bool addr_is_martian(const struct weir_addr *a, bool source);
bool addr_is_link_local(const struct weir_addr *a); /* 169.254.0.0/16, fe80::/10 */

/* "TCP", "UDP", "SCTP" (any case) <-> IPPROTO_*. Number 0: unknown. */
int proto_parse(const char *text);
const char *proto_text(int proto); /* "TCP", "UDP", "SCTP"; other numbers: "?" */
/* The same, "ICMP" in both families, or the number. buf: ADDR_TEXT_MAX bytes. */
const char *proto_label(int proto, char *buf);
