/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A set of numbers in use, and the smallest that are not. 0 is never given out: it means "none" everywhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ids {
	uint64_t *bits;
	size_t cap;
	uint32_t limit; /* all ids are below */
	uint32_t next; /* none below it is free */
};

void ids_init(struct ids *ids, uint32_t limit);
void ids_free(struct ids *ids);
void ids_mark(struct ids *ids, uint32_t id); /* beyond the limit: ignored */
bool ids_has(const struct ids *ids, uint32_t id);
int ids_take(struct ids *ids, uint32_t *ret_id); /* -ENOSPC */
