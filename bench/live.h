/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the parts of bench_live share. */
#pragma once

#include "stage.h"

#define FEW 10 /* Services */
#define ENDPOINTS 10 /* of each */
#define POLICIES 100
#define CONNECTIONS 32 /* at a time */
#define FEW_TEXT "10 Services x 10 100 policies" /* as size of a row */

/*
 * Rows of their own, after the others: new connections of the client while another pod floods, by
 * plain forwarding, Weir and the kernel's own rules.
 */
struct live_flood {
	int loads, rounds; /* rounds of each load */
	double seconds; /* of a slice */
	uint64_t datagrams; /* of the flood before the clock starts */
};

/* bare: the stage of plain forwarding and Weir. Call it before stage_enter_node(). */
void live_flood_set_up(struct stage *bare);
/* In the node of bare: measures and writes the rows. Ends the program on failure. */
void live_flood_measure(const struct live_flood *size);
