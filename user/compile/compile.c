// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The order of a compilation. This file calls the steps; steps call the tools of build.h, ids.h and
 * hash.h, never another step. No I/O, no clock.
 */
#include <string.h>

#include "compile/build.h"

static struct plan *plan_new(const struct plan_input *in)
{
	struct plan *p = mem_zalloc(sizeof(*p));

	p->node = arena_strdup(&p->arena, in->node);
	p->echo_always = in->echo_always;
	if (in->overlay_ports)
		memcpy(p->overlay_ports, in->overlay_ports, sizeof(p->overlay_ports));
	return p;
}

/* False: policies gave way, and closed got longer; the plan is not whole. */
static bool compile(struct build *b, const struct plan_input *in, struct closed_list *closed)
{
	build_node_addrs(b, in);
	build_services(b, in);
	build_locals(b);
	build_peers(b);
	build_classes(b);
	if (!fit_work(b, closed))
		return false;
	build_matches(b);
	build_regions(b);
	build_identities(b);
	if (!fit_sets(b, closed))
		return false;
	build_sets(b);
	return fit_tables(b, in->sizes, closed);
}

static struct plan *try_compile(const struct plan_input *in, struct closed_list *closed)
{
	struct build b = { .plan = plan_new(in), .store = in->store, .closed = closed };
	bool done = compile(&b, in, closed);
	struct plan *p = b.plan;

	if (done)
		build_closed(&b);
	build_free(&b);
	if (!done)
		plan_free(&p);
	return p;
}

struct plan *plan_compile(const struct plan_input *in)
{
	_cleanup_(closed_free) struct closed_list closed = {};
	struct plan *p;

	for (size_t i = 0; in->unfit && i < in->unfit->n_closed; i++)
		closed_add(&closed, &in->unfit->closed[i]);
	do
		p = try_compile(in, &closed);
	while (!p);
	return p;
}

struct plan *plan_compile_service(const struct plan_input *in, const struct kube_service *service,
				  struct kube_slice *const *slices, size_t n)
{
	_cleanup_(build_free) struct build b = { .plan = plan_new(in), .store = in->store };

	build_service(&b, service, slices, n);
	return b.plan;
}
