/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The contents of a hash map or trie in user memory, sorted by key: read and compared whole,
 * written by difference. Knows nothing of what elements mean.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include <weir/maps.h>

struct table {
	enum weir_map map;
	uint32_t key_size, value_size;
	uint32_t value_off, stride; /* of one element of data; values are aligned to 8 bytes */
	char *data;
	size_t n, cap;
};

void table_init(struct table *t, enum weir_map map);
void table_free(struct table *t); /* also for _cleanup_() */
void table_add(struct table *t, const void *key, const void *value);
/* After adds, before find and diff. Of equal keys the first added stays. */
void table_sort(struct table *t);

static inline void *table_key(const struct table *t, size_t i)
{
	return t->data + i * t->stride;
}

static inline void *table_value(const struct table *t, size_t i)
{
	return t->data + i * t->stride + t->value_off;
}

void *table_find(const struct table *t, const void *key); /* its value, or NULL */

struct table_diff {
	struct table insert, change, drop; /* change: with the wanted value */
};

void table_diff(const struct table *live, const struct table *want, struct table_diff *ret_diff);
void table_diff_free(struct table_diff *d);

int table_read(int fd, struct table *t, struct weir_err *err); /* t is initialised and empty */
/* Inserts elements, in batches if the kernel can. Their keys must not be in the map. */
int table_write(int fd, const struct table *t, struct weir_err *err);
/* Overwrites values: only in maps that no packet reads, and in tries, which replace whole nodes. */
int table_replace(int fd, const struct table *t, struct weir_err *err);
/* Deletes keys; 0 also if some are gone already. */
int table_erase(int fd, const struct table *t, struct weir_err *err);
