/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The live backends, read once from backends[] and sorted for searches. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/node.h"

struct live_backend {
	struct weir_addr addr;
	uint16_t port; /* host order */
	uint32_t service; /* its id */
	uint32_t id;
	bool wanted; /* the plan being applied has it */
};

struct backends {
	struct live_backend *items; /* sorted by service, addr, port */
	size_t n, cap;
};

void backends_read(const struct node *n, struct backends *ret_backends);
void backends_free(struct backends *b);
void backends_sort(struct backends *b);
/* Or NULL. */
struct live_backend *backends_find(const struct backends *b, uint32_t service,
				   const struct weir_addr *addr, uint16_t port);
