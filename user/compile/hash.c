// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Names of content. See hash.h. */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "compile/hash.h"

struct name_entry {
	struct plan_hash name;
	uint32_t value;
	UT_hash_handle hh;
};

static void add(struct hasher *h, const void *data, size_t len)
{
	crypto_generichash_update(&h->state, data, len);
}

void hash_begin(struct hasher *h, const char *what)
{
	crypto_generichash_init(&h->state, NULL, 0, sizeof(struct plan_hash));
	hash_text(h, what);
}

/* Little endian on every machine: a plan has the same names wherever it is compiled. */
void hash_u32(struct hasher *h, uint32_t v)
{
	unsigned char bytes[4] = { v, v >> 8, v >> 16, v >> 24 };

	add(h, bytes, sizeof(bytes));
}

void hash_text(struct hasher *h, const char *s)
{
	size_t len = strlen(s);

	hash_u32(h, len);
	add(h, s, len);
}

void hash_addr(struct hasher *h, const struct weir_addr *a)
{
	add(h, a->b, sizeof(a->b));
}

void hash_name(struct hasher *h, const struct plan_hash *name)
{
	add(h, name->b, sizeof(name->b));
}

struct plan_hash hash_end(struct hasher *h)
{
	struct plan_hash name;

	crypto_generichash_final(&h->state, name.b, sizeof(name.b));
	return name;
}

uint32_t name_table_add(struct name_table *t, const struct plan_hash *name, uint32_t value)
{
	struct name_entry *e;

	HASH_FIND(hh, t->head, name, sizeof(*name), e);
	if (e)
		return e->value;
	e = arena_zalloc(&t->arena, sizeof(*e));
	e->name = *name;
	e->value = value;
	HASH_ADD(hh, t->head, name, sizeof(e->name), e);
	return value;
}

void name_table_free(struct name_table *t)
{
	HASH_CLEAR(hh, t->head);
	arena_free(&t->arena);
}

struct numbered {
	struct plan_hash name;
	uint32_t old;
};

static int by_name(const void *a, const void *b)
{
	return plan_hash_compare(&((const struct numbered *)a)->name,
				 &((const struct numbered *)b)->name);
}

uint32_t *sort_by_name(void *items, size_t n, size_t size, size_t fixed)
{
	_cleanup_(mem_free) struct numbered *order = mem_zalloc(n * sizeof(*order));
	_cleanup_(mem_free) char *before = mem_zalloc(n * size);
	uint32_t *new_index = mem_zalloc(n * sizeof(*new_index));
	char *to = items;

	for (size_t i = 0; i < n; i++) {
		memcpy(&order[i].name, to + i * size, sizeof(order[i].name));
		order[i].old = i;
	}
	if (n)
		memcpy(before, items, n * size);
	if (n > fixed)
		qsort(order + fixed, n - fixed, sizeof(*order), by_name);
	for (size_t i = 0; i < n; i++) {
		memcpy(to + i * size, before + order[i].old * size, size);
		new_index[order[i].old] = i;
	}
	return new_index;
}
