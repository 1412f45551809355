/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Sets of numbers, as sorted lists: identities, peers and policies of one compilation. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* Ascending and unique, except between IDS_ADD() and ids_sort(). */
struct ids {
	uint32_t *items;
	size_t n, cap;
};

#define IDS_ADD(list, id) (*VEC_ADD((list)->items, (list)->n, (list)->cap) = (id))

void ids_free(struct ids *list); /* also for _cleanup_() */
void ids_sort(struct ids *list); /* and drops duplicates */
/* Union of two sorted lists; ret_out is emptied first. */
void ids_merge(const struct ids *a, const struct ids *b, struct ids *ret_out);
