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

struct plan *plan_compile(const struct plan_input *in)
{
	_cleanup_(build_free) struct build b = { .plan = plan_new(in), .store = in->store };

	build_node_addrs(&b, in->local_addrs, in->n_local_addrs);
	build_services(&b);
	build_locals(&b);
	build_peers(&b);
	build_matches(&b);
	build_regions(&b);
	build_identities(&b);
	build_sets(&b);
	return b.plan;
}

struct plan *plan_compile_service(const struct plan_input *in, const struct kube_service *service,
				  struct kube_slice *const *slices, size_t n)
{
	_cleanup_(build_free) struct build b = { .plan = plan_new(in), .store = in->store };

	build_service(&b, service, slices, n);
	return b.plan;
}
