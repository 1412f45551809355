/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A set of ids in use, which allocates the smallest free one. 0 is never allocated: it is "none".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idset {
	uint64_t *bits;
	size_t cap;
	uint32_t limit; /* all ids are below it */
	uint32_t next; /* no id below it is free */
};

void idset_init(struct idset *ids, uint32_t limit);
void idset_free(struct idset *ids);
void idset_mark(struct idset *ids, uint32_t id); /* beyond the limit: ignored */
bool idset_has(const struct idset *ids, uint32_t id);
int idset_take(struct idset *ids, uint32_t *ret_id); /* -ENOSPC */
void idset_drop(struct idset *ids, uint32_t id); /* free again */
