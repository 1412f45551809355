// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Numbers in use, as a bitmap that grows with the largest one. See ids.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kernel/ids.h"

#define BITS 64

void ids_init(struct ids *ids, uint32_t limit)
{
	*ids = (struct ids){ .limit = limit, .next = 1 };
}

void ids_free(struct ids *ids)
{
	free(ids->bits);
	*ids = (struct ids){};
}

bool ids_has(const struct ids *ids, uint32_t id)
{
	return id / BITS < ids->cap && ids->bits[id / BITS] >> (id % BITS) & 1;
}

void ids_mark(struct ids *ids, uint32_t id)
{
	if (id >= ids->limit)
		return;
	if (id / BITS >= ids->cap)
		ids->bits = mem_grow(ids->bits, &ids->cap, id / BITS + 1, sizeof(*ids->bits));
	ids->bits[id / BITS] |= 1ull << (id % BITS);
}

int ids_take(struct ids *ids, uint32_t *ret_id)
{
	while (ids->next < ids->limit && ids_has(ids, ids->next))
		ids->next++;
	if (ids->next >= ids->limit)
		return -ENOSPC;
	ids_mark(ids, ids->next);
	*ret_id = ids->next;
	return 0;
}
