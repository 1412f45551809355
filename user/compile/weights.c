// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Which policies give way. See weights.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/weights.h"

#define REPEATED_MAX 24
#define ATTEMPTS_ALONE 12 /* in which one namespace alone gives way */

void weights_free(struct weights *w)
{
	free(w->items);
}

struct weights weights_new(const struct build *b)
{
	return (struct weights){ b, mem_zalloc(2 * b->n_actives * sizeof(uint64_t)),
				 2 * b->n_actives };
}

void weights_add(struct weights *w, uint32_t rule, uint64_t n)
{
	if (rule)
		w->items[2 * w->b->rules[rule].active + w->b->plan->rules[rule].direction] += n;
}

static const char *namespace_of(const struct weights *w, size_t i)
{
	return w->b->actives[i / 2].policy->meta.ns;
}

/* The heaviest policy of the heaviest namespace; of equal ones the first by name. n: there is none.
 */
static size_t heaviest(const struct weights *w)
{
	uint64_t most = 0, sum;
	size_t found = w->n, end;

	for (size_t i = 0; i < w->n; i = end) {
		size_t top = i;

		sum = 0;
		for (end = i; end < w->n && !strcmp(namespace_of(w, i), namespace_of(w, end));
		     end++) {
			sum += w->items[end];
			top = w->items[end] > w->items[top] ? end : top;
		}
		if (sum > most) {
			most = sum;
			found = top;
		}
	}
	return found;
}

/*
 * Weights are near what closing a policy frees, not exact. So one namespace gives way at a time,
 * and all are weighed again; if it is the same one, it frees twice as much. Only after many
 * attempts several give way at once.
 */
bool weights_close(struct weights *w, enum weir_map table, uint64_t need, uint64_t size,
		   struct closed_list *closed)
{
	size_t before = closed->n, i = heaviest(w);
	const char *ns = i < w->n ? namespace_of(w, i) : NULL;
	uint64_t left = need - size;

	if (ns && closed->ns && !strcmp(ns, closed->ns))
		closed->repeated += closed->repeated < REPEATED_MAX;
	else
		closed->repeated = 0;
	closed->ns = ns;
	left <<= closed->repeated;
	for (; left && i < w->n; i = heaviest(w)) {
		struct plan_closed c = { .policy = w->b->actives[i / 2].text,
					 .direction = i % 2,
					 .table = table,
					 .need = need,
					 .size = size };

		if (closed->attempts < ATTEMPTS_ALONE && strcmp(namespace_of(w, i), ns))
			break;
		closed_add(closed, &c);
		left -= w->items[i] < left ? w->items[i] : left;
		w->items[i] = 0;
	}
	closed->attempts++;
	return closed->n > before;
}
