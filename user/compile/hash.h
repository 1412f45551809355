/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Names of content: BLAKE2b-128 over a canonical encoding. Each text is preceded by its length and
 * each hash begins with the kind of its content, so that different fields cannot give equal bytes.
 * The encoding is a format: loaded names live in the kernel, so a change here makes the next apply
 * rename everything.
 */
#pragma once

#include <sodium.h>

#include "compile/plan.h"

struct hasher {
	crypto_generichash_state state;
};

void hash_begin(struct hasher *h, const char *what);
void hash_text(struct hasher *h, const char *s);
void hash_u32(struct hasher *h, uint32_t v);
void hash_addr(struct hasher *h, const struct weir_addr *a);
void hash_name(struct hasher *h, const struct plan_hash *name);
struct plan_hash hash_end(struct hasher *h);

/* Map of names to numbers. A zeroed struct is empty. */
struct name_table {
	struct name_entry *head;
	struct arena arena;
};

/* Returns the number of name; a new name gets value. */
uint32_t name_table_add(struct name_table *t, const struct plan_hash *name, uint32_t value);
void name_table_free(struct name_table *t);

/*
 * Sorts n items by name; each begins with its struct plan_hash, and the first `fixed` ones stay.
 * Returns old index -> new; the caller frees it.
 */
uint32_t *sort_by_name(void *items, size_t n, size_t size, size_t fixed);
