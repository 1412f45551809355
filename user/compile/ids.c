// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Sets of numbers. See ids.h. */
#include <stdlib.h>

#include "compile/ids.h"

void ids_free(struct ids *list)
{
	free(list->items);
	*list = (struct ids){};
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void ids_sort(struct ids *list)
{
	list->n = array_unique(list->items, list->n, sizeof(*list->items), by_id);
}

void ids_merge(const struct ids *a, const struct ids *b, struct ids *ret_out)
{
	size_t i = 0, j = 0;

	ret_out->n = 0;
	while (i < a->n || j < b->n) {
		if (j == b->n || (i < a->n && a->items[i] < b->items[j])) {
			IDS_ADD(ret_out, a->items[i++]);
		} else {
			if (i < a->n && a->items[i] == b->items[j])
				i++;
			IDS_ADD(ret_out, b->items[j++]);
		}
	}
}
