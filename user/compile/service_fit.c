// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which Services are left out. See service_fit.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/service_fit.h"

#define PART_BITS 5 /* of a namespace's part that are not rounded down: 1/16 of it at most */

enum weir_map service_need_table(enum service_need_kind kind)
{
	static const enum weir_map tables[] = {
		[SERVICE_STEPS] = _WEIR_MAP_MAX,           [SERVICE_FRONTENDS] = WEIR_MAP_frontends,
		[SERVICE_RANGES] = WEIR_MAP_source_ranges, [SERVICE_PORTS] = WEIR_MAP_services,
		[SERVICE_SLOTS] = WEIR_MAP_backend_slots,  [SERVICE_BACKENDS] = WEIR_MAP_backends,
	};

	return tables[kind];
}

static uint64_t need_of(const struct service_need *s, enum service_need_kind kind)
{
	return s->out ? 0 : s->need[kind];
}

static uint64_t known_of(const struct service_need *s, enum service_need_kind kind)
{
	return kind == SERVICE_FRONTENDS && !s->unknown ? s->known : 0;
}

uint64_t service_needs_sum(const struct service_need *needs, size_t n, enum service_need_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += need_of(&needs[i], kind) + known_of(&needs[i], kind);
	return sum;
}

/* ---- What each namespace may have ---- */

/* The Services of one namespace. */
struct tenant {
	struct service_need *services;
	size_t n;
	uint64_t need, known; /* known: of that, also if all are left out */
};

static size_t tenants_of(struct service_need *needs, size_t n, enum service_need_kind kind,
			 struct tenant *ret_tenants)
{
	size_t n_tenants = 0;

	for (size_t i = 0; i < n; i++) {
		struct tenant *t;

		if (!i || strcmp(needs[i - 1].ns, needs[i].ns))
			ret_tenants[n_tenants++] = (struct tenant){ .services = &needs[i] };
		t = &ret_tenants[n_tenants - 1];
		t->n++;
		t->known += known_of(&needs[i], kind);
		t->need += need_of(&needs[i], kind) + known_of(&needs[i], kind);
	}
	return n_tenants;
}

static int by_need(const void *a, const void *b)
{
	const struct tenant *x = a, *y = b;

	return (x->need > y->need) - (x->need < y->need);
}

static unsigned int magnitude(uint64_t n)
{
	return n ? 64 - __builtin_clzll(n) : 0;
}

static uint64_t rounded(uint64_t part)
{
	unsigned int bits = magnitude(part);

	return bits > PART_BITS ? part >> (bits - PART_BITS) << (bits - PART_BITS) : part;
}

/* Those from the result on need more than *ret_part each; n: everything fits. */
static size_t share_out(struct tenant *tenants, size_t n, uint64_t room, uint64_t *ret_part)
{
	if (!n)
		return 0;
	qsort(tenants, n, sizeof(*tenants), by_need);
	for (size_t i = 0; i < n; i++) {
		*ret_part = room / (n - i);
		if (tenants[i].need > *ret_part) {
			*ret_part = rounded(*ret_part);
			return i;
		}
		room -= tenants[i].need;
	}
	return n;
}

/* ---- Which Services of a namespace stay ---- */

/* Those that need least first; of the same order of magnitude the oldest, then by name. */
static int by_magnitude(const void *a, const void *b, void *arg)
{
	const struct service_need *x = *(struct service_need *const *)a,
				  *y = *(struct service_need *const *)b;
	enum service_need_kind kind = *(const enum service_need_kind *)arg;
	int order = (int)magnitude(need_of(x, kind)) - (int)magnitude(need_of(y, kind));

	if (!order)
		order = (x->created > y->created) - (x->created < y->created);
	return order ? order : strcmp(x->name, y->name);
}

static void leave_out(struct service_need *s, enum service_need_kind kind,
		      const struct service_limit *limit)
{
	s->out = true;
	s->table = service_need_table(kind);
	s->all = limit->all;
	s->size = limit->size;
}

/* Not even all addresses have room. */
static void forget_addresses(struct service_need **order, size_t n, uint64_t room)
{
	size_t i = 0;

	for (; i < n && order[i]->known <= room; i++)
		room -= order[i]->known;
	for (; i < n; i++)
		order[i]->unknown = true;
}

/* For its Services beside the addresses of all. */
static uint64_t room_of(const struct tenant *t, uint64_t part)
{
	return part > t->known ? part - t->known : 0;
}

/* The first ones that have room together; then none, or a larger one could take another's place. */
static void fit_tenant(const struct tenant *t, enum service_need_kind kind, uint64_t part,
		       const struct service_limit *limit)
{
	_cleanup_(mem_free) struct service_need **order = mem_zalloc(t->n * sizeof(*order));
	uint64_t room = room_of(t, part);
	size_t i = 0;

	for (size_t s = 0; s < t->n; s++)
		order[s] = &t->services[s];
	qsort_r(order, t->n, sizeof(*order), by_magnitude, &kind);
	for (; i < t->n && need_of(order[i], kind) <= room; i++)
		room -= need_of(order[i], kind);
	for (; i < t->n; i++)
		if (need_of(order[i], kind))
			leave_out(order[i], kind, limit);
	if (t->known > part)
		forget_addresses(order, t->n, part);
}

/* Services that alone need more than the part. Returns whether there are any. */
static bool drop_largest(const struct tenant *t, enum service_need_kind kind, uint64_t part,
			 const struct service_limit *limit)
{
	bool any = false;

	for (size_t s = 0; s < t->n; s++)
		if (need_of(&t->services[s], kind) > room_of(t, part)) {
			leave_out(&t->services[s], kind, limit);
			any = true;
		}
	return any;
}

void service_fit(struct service_need *needs, size_t n, enum service_need_kind kind,
		 const struct service_limit *limit)
{
	_cleanup_(mem_free) struct tenant *tenants = mem_zalloc((n + 1) * sizeof(*tenants));
	size_t n_tenants, first;
	uint64_t part = 0;
	bool again;

	do {
		again = false;
		n_tenants = tenants_of(needs, n, kind, tenants);
		first = share_out(tenants, n_tenants, limit->room, &part);
		for (size_t t = first; t < n_tenants; t++)
			again |= drop_largest(&tenants[t], kind, part, limit);
	} while (again);
	for (size_t t = first; t < n_tenants; t++)
		fit_tenant(&tenants[t], kind, part, limit);
}
