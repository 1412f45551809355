// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Plans that fit. See fitting.h. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "sync/fitting.h"
#include "sync/rebuild.h"
#include "sync/service_room.h"

#define LEAST_PART 16 /* of each table, that policies are fitted into to make room */

struct fitting {
	struct node *n;
	const struct plan_input *in;
	const struct attachment_list *attachments;
	unsigned int flags;
	struct sync_delta *delta;
	struct weir_err *err;
};

static struct plan *compile(const struct fitting *f, uint32_t part, const struct plan_unfit *unfit)
{
	uint32_t sizes[_WEIR_MAP_MAX];
	struct plan_input in = *f->in;

	for (int map = 0; map < _WEIR_MAP_MAX; map++) {
		sizes[map] = node_map_max(f->n, map) / (service_room_helps(map) ? 1 : part);
		sizes[map] += !sizes[map];
	}
	in.sizes = sizes;
	in.unfit = unfit;
	return plan_compile(&in);
}

static int apply(const struct fitting *f, const struct plan *p)
{
	if (f->flags & SYNC_REBUILD)
		return rebuild_apply(f->n, p, f->attachments, f->flags, f->delta, f->err);
	return sync_apply(f->n, p, f->attachments, f->flags, f->delta, f->err);
}

/* ---- Services ---- */

/* An apply failed for the tables' sake, which fewer Services may help. */
static bool lacks_services(const struct fitting *f, int r)
{
	return r == -ENOSPC && f->delta->no_room && service_room_helps(f->delta->full);
}

/* The same plan without the Services of unfit. */
static struct plan *compile_without(const struct fitting *f, const struct plan *whole,
				    const struct plan_unfit *unfit)
{
	size_t n = whole->n_left_out, more = unfit->n_left_out;
	_cleanup_(mem_free) struct plan_left_out *list = mem_zalloc((n + more) * sizeof(*list));
	struct plan_unfit all = { whole->closed, list, whole->n_closed, n + more };

	memcpy(list, whole->left_out, n * sizeof(*list));
	memcpy(list + n, unfit->left_out, more * sizeof(*list));
	return compile(f, 1, &all);
}

/* Applies the plan without some Services, which *kept becomes, and then the whole one. */
static int try_without(const struct fitting *f, uint32_t part, const struct plan *whole,
		       struct plan **kept)
{
	_cleanup_(arena_free) struct arena arena = {};
	_cleanup_(plan_unfit_free) struct plan_unfit unfit = {};
	_cleanup_(plan_free) struct plan *first = NULL;
	int r = service_room_unfit(f->n, whole, part, &unfit, &arena, f->err);

	if (r)
		return r;
	if (!unfit.n_left_out)
		return -ENOSPC;
	first = compile_without(f, whole, &unfit);
	r = apply(f, first);
	if (r)
		return r;
	plan_free(kept);
	*kept = TAKE_PTR(first);
	return apply(f, whole);
}

/* As apply(). If some Services never have room, *plan becomes what the tables keep. */
static int apply_serving(const struct fitting *f, struct plan **plan)
{
	_cleanup_(plan_free) struct plan *kept = NULL;
	int r = apply(f, *plan);

	if (f->flags & (SYNC_DRY_RUN | SYNC_REBUILD))
		return r;
	for (uint32_t part = 1; part <= LEAST_PART && lacks_services(f, r); part *= 2)
		r = try_without(f, part, *plan, &kept);
	if (!kept || !lacks_services(f, r))
		return r;
	f->delta->no_room = false;
	plan_free(plan);
	*plan = TAKE_PTR(kept);
	return 0;
}

/* ---- Policies ---- */

/* An apply failed for the tables' sake, which other policies may help. */
static bool lacks_policies(const struct fitting *f, int r)
{
	return r == -ENOSPC && f->delta->no_room && !service_room_helps(f->delta->full);
}

/* Policies that need at most that part of each table; errors show the tables' true sizes. */
static struct plan *compile_closing(const struct fitting *f, uint32_t part)
{
	_cleanup_(plan_free) struct plan *p = compile(f, part, NULL);
	struct plan_unfit unfit = plan_unfit_of(p);

	unfit.n_left_out = 0; /* the same ones do not fit again */
	for (size_t i = 0; i < p->n_closed; i++)
		if (p->closed[i].table != _WEIR_MAP_MAX)
			p->closed[i].size = node_map_max(f->n, p->closed[i].table);
	return compile(f, 1, &unfit);
}

/* Applies a plan with more policies closed, which *kept becomes, and then the whole one. */
static int try_part(const struct fitting *f, uint32_t part, struct plan **whole, struct plan **kept)
{
	_cleanup_(plan_free) struct plan *first = compile_closing(f, part);
	int r;

	if (first->n_closed == (*whole)->n_closed)
		return -ENOSPC;
	r = apply_serving(f, &first);
	if (r)
		return r;
	plan_free(kept);
	*kept = TAKE_PTR(first);
	return apply_serving(f, whole);
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
		r = apply_serving(f, &p);
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

	for (uint32_t part = 2; part <= LEAST_PART && lacks_policies(f, r); part *= 2)
		r = try_part(f, part, plan, &kept);
	if (!kept || !lacks_policies(f, r))
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

	*ret_plan = compile(&f, 1, NULL);
	r = apply_serving(&f, ret_plan);
	if (lacks_policies(&f, r) && !(flags & (SYNC_DRY_RUN | SYNC_REBUILD)))
		r = apply_by_steps(&f, ret_plan);
	return r;
}
