/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets for testrun.c: builds the first one of a flow, reads the destination of a translated one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "analyze/oracle.h"

#define TESTRUN_PACKET_MAX 192 /* also holds the reply that REJECT turns it into */

struct testrun_packet {
	uint8_t bytes[TESTRUN_PACKET_MAX];
	size_t len;
};

/* sport: the source port, or the id of an echo request. */
void testrun_packet_make(struct testrun_packet *ret_packet, const struct oracle_query *q,
			 uint16_t sport);
/* Sets the frame's source: a pod must send its own MAC. */
void testrun_packet_from(struct testrun_packet *packet, const uint8_t mac[6]);
void testrun_packet_dst(const struct testrun_packet *packet, struct weir_addr *ret_dst,
			uint16_t *ret_port);
