// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Endpoints to candidates. See candidates.h. */
#include <string.h>

#include <weir/service.h>

#include "compile/candidates.h"

enum hint_mode {
	HINT_NONE,
	HINT_ZONE,
	HINT_NODE,
};

static bool has_text(const char **list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

static bool hinted(const struct kube_endpoint *e, enum hint_mode mode, const struct location *here)
{
	if (mode == HINT_NODE)
		return has_text(e->node_hints, e->n_node_hints, here->node);
	if (mode == HINT_ZONE)
		return has_text(e->zone_hints, e->n_zone_hints, here->zone);
	return true;
}

/*
 * Hints count only if every ready endpoint has some and one of them names this node or zone (SVC-24
 * to SVC-26).
 */
static enum hint_mode hint_mode(const struct endpoint_list *list, const struct location *here)
{
	bool all[3] = { [HINT_ZONE] = true, [HINT_NODE] = true }, hit[3] = {};

	for (size_t i = 0; i < list->n; i++) {
		const struct kube_endpoint *e = list->items[i].e;

		if (!e->ready)
			continue;
		all[HINT_NODE] &= e->n_node_hints > 0;
		all[HINT_ZONE] &= e->n_zone_hints > 0;
		hit[HINT_NODE] |= hinted(e, HINT_NODE, here);
		hit[HINT_ZONE] |= hinted(e, HINT_ZONE, here);
	}
	if (all[HINT_NODE] && hit[HINT_NODE])
		return HINT_NODE;
	return here->zone[0] && all[HINT_ZONE] && hit[HINT_ZONE] ? HINT_ZONE : HINT_NONE;
}

static bool usable_terminating(const struct kube_endpoint *e)
{
	return e->serving && e->terminating;
}

struct choice {
	bool local_only;
	bool terminating; /* terminating endpoints that still serve, instead of ready ones */
	enum hint_mode mode;
};

/* Sets chosen[] for the endpoints of one kind; returns their number. */
static size_t choose_kind(const struct endpoint_list *list, const struct choice *c,
			  const struct location *here, bool *chosen)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct endpoint *e = &list->items[i];

		chosen[i] = (!c->local_only || e->local) &&
			    (c->terminating ? usable_terminating(e->e)
					    : e->e->ready && hinted(e->e, c->mode, here));
		n += chosen[i];
	}
	return n;
}

size_t candidates_choose(const struct endpoint_list *list, bool local_only,
			 const struct location *here, bool *chosen)
{
	struct choice c = { .local_only = local_only,
			    .mode = local_only ? HINT_NONE : hint_mode(list, here) };
	size_t n = choose_kind(list, &c, here, chosen);

	c.terminating = true;
	return n ? n : choose_kind(list, &c, here, chosen);
}

uint32_t candidates_flags(const struct endpoint_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].e->ready || usable_terminating(list->items[i].e))
			return WEIR_SERVICE_USABLE;
	return 0;
}
