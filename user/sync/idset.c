// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A bitmap that grows with the largest id. See idset.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sync/idset.h"

#define BITS 64

void idset_init(struct idset *ids, uint32_t limit)
{
	*ids = (struct idset){ .limit = limit, .next = 1 };
}

void idset_free(struct idset *ids)
{
	free(ids->bits);
	*ids = (struct idset){};
}

bool idset_has(const struct idset *ids, uint32_t id)
{
	return id / BITS < ids->cap && ids->bits[id / BITS] >> (id % BITS) & 1;
}

void idset_mark(struct idset *ids, uint32_t id)
{
	if (id >= ids->limit)
		return;
	if (id / BITS >= ids->cap)
		ids->bits = mem_grow(ids->bits, &ids->cap, id / BITS + 1, sizeof(*ids->bits));
	ids->bits[id / BITS] |= 1ull << (id % BITS);
}

int idset_take(struct idset *ids, uint32_t *ret_id)
{
	while (ids->next < ids->limit && idset_has(ids, ids->next))
		ids->next = ids->bits[ids->next / BITS] == ~0ull ? (ids->next / BITS + 1) * BITS
								 : ids->next + 1;
	if (ids->next >= ids->limit)
		return -ENOSPC;
	idset_mark(ids, ids->next);
	*ret_id = ids->next;
	return 0;
}

void idset_drop(struct idset *ids, uint32_t id)
{
	if (!idset_has(ids, id))
		return;
	ids->bits[id / BITS] &= ~(1ull << (id % BITS));
	if (id && id < ids->next)
		ids->next = id;
}
