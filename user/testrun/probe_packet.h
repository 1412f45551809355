/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets for probe.c: the first one of a flow, as bytes, and what a translated one is addressed
 * to.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "analyze/oracle.h"

#define PROBE_PACKET_MAX 192 /* holds the answer that a REJECT makes of it, too */

struct probe_packet {
	uint8_t bytes[PROBE_PACKET_MAX];
	size_t len;
};

/* sport: the source port, or the id of an echo request. */
void probe_packet_make(struct probe_packet *ret_packet, const struct oracle_query *q,
		       uint16_t sport);
void probe_packet_dst(const struct probe_packet *packet, struct weir_addr *ret_dst,
		      uint16_t *ret_port);
