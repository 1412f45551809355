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

/* The same with the tables' true sizes, which errors and `status` show. */
static struct plan *compile_closing(const struct fitting *f, uint32_t part)
{
	_cleanup_(plan_free) struct plan *p = compile_for(f, part);
	_cleanup_(mem_free) struct plan_closed *closed =
		mem_zalloc((p->n_closed + 1) * sizeof(*closed));
	struct plan_input in = *f->in;
	uint32_t sizes[_WEIR_MAP_MAX];

	for (int map = 0; map < _WEIR_MAP_MAX; map++)
		sizes[map] = node_map_max(f->n, map);
	for (size_t i = 0; i < p->n_closed; i++) {
		closed[i] = p->closed[i];
		if (closed[i].table != _WEIR_MAP_MAX)
			closed[i].size = sizes[closed[i].table];
	}
	in.sizes = sizes;
	in.closed = closed;
	in.n_closed = p->n_closed;
	return plan_compile(&in);
}

/* Applies a plan with more policies closed, which *kept becomes, and then the whole one. */
static int try_part(const struct fitting *f, uint32_t part, const struct plan *whole,
		    struct plan **kept)
{
	_cleanup_(plan_free) struct plan *first = compile_closing(f, part);
	int r;

	if (first->n_closed == whole->n_closed)
		return -ENOSPC;
	r = apply(f, first);
	if (r)
		return r;
	plan_free(kept);
	*kept = TAKE_PTR(first);
	return apply(f, whole);
}

/* The tables have *kept, with more policies closed than need be, perhaps: opens what has room. */
static void open_most(const struct fitting *f, const struct plan *whole, struct plan **kept)
{
	int r = -ENOSPC;

	for (uint32_t part = 2; part <= LEAST_PART && r; part *= 2) {
		_cleanup_(plan_free) struct plan *p = compile_closing(f, part);

		if (p->n_closed == whole->n_closed)
			continue;
		if (p->n_closed == (*kept)->n_closed)
			return;
		r = apply(f, p);
		if (r)
			continue;
		plan_free(kept);
		*kept = TAKE_PTR(p);
	}
}

/*
 * Smaller and smaller parts, until there is room for *plan. If there never is, *plan becomes what
 * the tables keep.
 */
static int apply_by_steps(const struct fitting *f, struct plan **plan)
{
	_cleanup_(plan_free) struct plan *kept = NULL;
	int r = -ENOSPC;

	for (uint32_t part = 2; part <= LEAST_PART && lacks_room(f, r); part *= 2)
		r = try_part(f, part, *plan, &kept);
	if (!kept || !lacks_room(f, r))
		return r;
	open_most(f, *plan, &kept);
	f->delta->no_room = false;
	plan_free(plan);
	*plan = TAKE_PTR(kept);
	return 0;
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
