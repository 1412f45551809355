// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Plans that fit. See fitting.h. */
#include <errno.h>

#include "base/mem.h"
#include "sync/fitting.h"
#include "sync/rebuild.h"

#define LEAST_PART 16 /* of each table, that policies are fitted into to make room */

struct fitting {
	struct node *n;
	const struct plan_input *in;
	const struct attachment_list *attachments;
	unsigned int flags;
	struct sync_delta *delta;
	struct weir_err *err;
};

/* The plan whose policies need at most that part of each table. */
static struct plan *compile_for(const struct fitting *f, uint32_t part)
{
	uint32_t sizes[_WEIR_MAP_MAX];
	struct plan_input in = *f->in;

	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		sizes[map] = node_map_max(f->n, map) / part;
		sizes[map] += !sizes[map];
	}
	in.sizes = sizes;
	return plan_compile(&in);
}

/* An apply failed for the tables' sake, which other policies may help. */
static bool lacks_room(const struct fitting *f, int r)
{
	return r == -ENOSPC && f->delta->no_room;
}

static int apply(const struct fitting *f, const struct plan *p)
{
	if (f->flags & SYNC_REBUILD)
		return rebuild_apply(f->n, p, f->attachments, f->flags, f->delta, f->err);
	return sync_apply(f->n, p, f->attachments, f->flags, f->delta, f->err);
}

/*
 * Applies a plan with more policies closed, and then *plan. If there is still no room, the tables
 * keep the first one, which *plan becomes.
 */
static int apply_by_steps(const struct fitting *f, struct plan **plan)
{
	int r = -ENOSPC;

	for (uint32_t part = 2; part <= LEAST_PART && lacks_room(f, r); part *= 2) {
		_cleanup_(plan_free) struct plan *first = compile_for(f, part);
		struct plan *whole = *plan;

		if (first->n_closed == whole->n_closed)
			continue;
		r = apply(f, first);
		if (r)
			continue;
		r = apply(f, whole);
		if (!lacks_room(f, r))
			return r;
		*plan = first;
		first = whole;
		return 0;
	}
	return r;
}

int sync_apply_fitting(struct node *n, const struct plan_input *in,
		       const struct attachment_list *attachments, unsigned int flags,
		       struct plan **ret_plan, struct sync_delta *ret_delta, struct weir_err *err)
{
	struct fitting f = { n, in, attachments, flags, ret_delta, err };
	int r;

	*ret_plan = compile_for(&f, 1);
	r = apply(&f, *ret_plan);
	if (lacks_room(&f, r) && !(flags & (SYNC_DRY_RUN | SYNC_REBUILD)))
		r = apply_by_steps(&f, ret_plan);
	return r;
}
