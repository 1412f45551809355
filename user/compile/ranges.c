// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Port ranges. See ranges.h. One pass over all borders, with a heap of the ranges that may cover
 * the current piece: the top of the heap is the rule that gets it.
 */
#include <stdlib.h>

#include <weir/policy.h>

#include "base/mem.h"
#include "compile/ranges.h"

struct heap {
	const struct range **items;
	size_t n;
};

void range_add(struct range_list *list, uint8_t proto, uint16_t low, uint16_t high, uint32_t rank)
{
	if (low > high)
		return;
	*VEC_ADD(list->items, list->n, list->cap) =
		(struct range){ weir_port_point(proto, low), weir_port_point(proto, high), rank };
}

void range_add_all(struct range_list *list, uint32_t rank)
{
	*VEC_ADD(list->items, list->n, list->cap) = (struct range){ 0, WEIR_PORT_POINT_MAX, rank };
}

static int by_low(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->low != y->low ? (x->low > y->low) - (x->low < y->low)
				: (x->rank > y->rank) - (x->rank < y->rank);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void swap(const struct range **a, const struct range **b)
{
	const struct range *t = *a;

	*a = *b;
	*b = t;
}

static void heap_push(struct heap *h, const struct range *r)
{
	size_t i = h->n++;

	h->items[i] = r;
	for (; i && h->items[i]->rank < h->items[(i - 1) / 2]->rank; i = (i - 1) / 2)
		swap(&h->items[i], &h->items[(i - 1) / 2]);
}

static void heap_pop(struct heap *h)
{
	size_t i = 0, least;

	h->items[0] = h->items[--h->n];
	for (;;) {
		least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < h->n; child++)
			if (h->items[child]->rank < h->items[least]->rank)
				least = child;
		if (least == i)
			return;
		swap(&h->items[i], &h->items[least]);
		i = least;
	}
}

/* The points at which a piece may begin, or end before. */
static uint32_t *borders(const struct range_list *in, size_t *ret_n)
{
	uint32_t *b = mem_zalloc(2 * in->n * sizeof(*b));

	for (size_t i = 0; i < in->n; i++) {
		b[2 * i] = in->items[i].low;
		b[2 * i + 1] = in->items[i].high + 1;
	}
	*ret_n = array_unique(b, 2 * in->n, sizeof(*b), by_number);
	return b;
}

static void append(struct range_list *out, uint32_t low, uint32_t high, uint32_t rank)
{
	struct range *last = out->n ? &out->items[out->n - 1] : NULL;

	if (last && last->rank == rank && last->high + 1 == low)
		last->high = high;
	else
		*VEC_ADD(out->items, out->n, out->cap) = (struct range){ low, high, rank };
}

void ranges_flatten(struct range_list *in, struct range_list *ret_out)
{
	_cleanup_(mem_free) const struct range **room = mem_zalloc((in->n + 1) * sizeof(*room));
	_cleanup_(mem_free) uint32_t *border = NULL;
	struct heap heap = { .items = room };
	struct range_list out = {};
	size_t n, next = 0;

	*ret_out = out;
	if (!in->n)
		return;
	qsort(in->items, in->n, sizeof(*in->items), by_low);
	border = borders(in, &n);
	for (size_t i = 0; i + 1 < n; i++) {
		for (; next < in->n && in->items[next].low <= border[i]; next++)
			heap_push(&heap, &in->items[next]);
		while (heap.n && heap.items[0]->high < border[i])
			heap_pop(&heap);
		if (heap.n)
			append(&out, border[i], border[i + 1] - 1, heap.items[0]->rank);
	}
	*ret_out = out;
}

void range_list_free(struct range_list *list)
{
	free(list->items);
	*list = (struct range_list){};
}
