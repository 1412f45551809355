// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Live backends. See backends.h. */
#include <endian.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/mem.h"
#include "sync/backends.h"

static int by_key(const void *a, const void *b)
{
	const struct live_backend *x = a, *y = b;
	int order = (x->service > y->service) - (x->service < y->service);

	if (!order)
		order = addr_compare(&x->addr, &y->addr);
	return order ? order : (int)x->port - (int)y->port;
}

void backends_read(const struct node *n, struct backends *ret_backends)
{
	const struct weir_backend *live = node_array(n, WEIR_MAP_backends);
	struct backends b = {};

	for (uint32_t id = 1; id < node_map_max(n, WEIR_MAP_backends); id++)
		if (live[id].flags & WEIR_BACKEND_TAKEN)
			*VEC_ADD(b.items, b.n, b.cap) =
				(struct live_backend){ .addr = live[id].addr,
						       .port = be16toh(live[id].port_be),
						       .service = live[id].service,
						       .id = id };
	backends_sort(&b);
	*ret_backends = b;
}

void backends_sort(struct backends *b)
{
	if (b->n)
		qsort(b->items, b->n, sizeof(*b->items), by_key);
}

void backends_free(struct backends *b)
{
	free(b->items);
	*b = (struct backends){};
}

struct live_backend *backends_find(const struct backends *b, uint32_t service,
				   const struct weir_addr *addr, uint16_t port)
{
	struct live_backend key = { .service = service, .addr = *addr, .port = port };

	return b->n ? bsearch(&key, b->items, b->n, sizeof(key), by_key) : NULL;
}
