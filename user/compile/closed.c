// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Policies that gave way: the list, and one item and one error for each in the plan. */
#include <stdlib.h>
#include <string.h>

#include "compile/build.h"
#include "kube/codes.h"

void closed_add(struct closed_list *list, const struct plan_closed *item)
{
	struct plan_closed *c = VEC_ADD(list->items, list->n, list->cap);

	*c = *item;
	c->policy = arena_strdup(&list->arena, item->policy);
}

bool closed_has(const struct closed_list *list, const char *policy, enum kube_direction direction)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].direction == direction && !strcmp(list->items[i].policy, policy))
			return true;
	return false;
}

void closed_free(struct closed_list *list)
{
	free(list->items);
	arena_free(&list->arena);
	*list = (struct closed_list){};
}

/* ---- Into the plan ---- */

static int by_policy(const void *a, const void *b)
{
	const struct plan_closed *x = a, *y = b;
	int order = strcmp(x->policy, y->policy);

	return order ? order : (int)x->direction - (int)y->direction;
}

static void add_error(struct build *b, const struct kube_policy *policy,
		      const struct plan_closed *c)
{
	_cleanup_(mem_free) char *object = mem_printf("NetworkPolicy %s", c->policy);
	_cleanup_(mem_free) char *needs = plan_needs_text("policies", c->table, c->need, c->size);
	bool in = c->direction == KUBE_INGRESS;

	diag_add(
		&b->plan->notes, DIAG_ERROR, kube_code_text(KUBE_E_ROOM), &policy->meta.src, object,
		in ? "spec.ingress" : "spec.egress",
		"does not fit: %s, and this policy is the largest of the namespace that needs the most. All %s "
		"traffic of the pods that it selects is dropped as policy-closed until it has fewer rules, ipBlocks or "
		"ports, or the tables are larger",
		needs, in ? "ingress" : "egress");
}

/* Closed policies that select no pod any more are left out. */
void build_closed(struct build *b)
{
	struct plan *p = b->plan;

	p->closed = arena_zalloc(&p->arena, (b->closed->n + 1) * sizeof(*p->closed));
	for (size_t i = 0; i < b->closed->n; i++)
		for (size_t a = 0; a < b->n_actives; a++) {
			struct plan_closed c = b->closed->items[i];

			if (strcmp(b->actives[a].text, c.policy) ||
			    !b->actives[a].first_rule[c.direction])
				continue;
			c.policy = b->actives[a].text;
			p->closed[p->n_closed++] = c;
			add_error(b, b->actives[a].policy, &c);
		}
	if (p->n_closed)
		qsort(p->closed, p->n_closed, sizeof(*p->closed), by_policy);
}
