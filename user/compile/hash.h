/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Names of content: BLAKE2b-128 over a canonical encoding. Every text is preceded by its length and
 * every hash by what it is a hash of, so that fields cannot run into each other. The bytes are a
 * format: names of what is loaded live in the kernel, and a change here makes the next apply rename
 * everything.
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

/* Set of names, each with a number. A zeroed struct is empty. */
struct name_table {
	struct name_entry *head;
	struct arena arena;
};

/* The number under which name is known: value, when it was not known yet. */
uint32_t name_table_add(struct name_table *t, const struct plan_hash *name, uint32_t value);
void name_table_free(struct name_table *t);

/*
 * Sorts by name n items, each of which begins with its struct plan_hash; the first `fixed` ones
 * stay where they are. Returns the new index of each old one; the caller frees it.
 */
uint32_t *sort_by_name(void *items, size_t n, size_t size, size_t fixed);
