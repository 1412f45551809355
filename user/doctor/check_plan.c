// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N021, N022, N024: that the plan file tells something, and what did not fit. See device.h. */
#include "doctor/device.h"

static void add_missing(const struct live *l, struct findings *f)
{
	_cleanup_(mem_free) char *path = live_file(l, INSTANCE_PLAN, l->generation);
	struct finding *found = finding_add(f, FINDING_N021, SEVERITY_ERROR);

	found->text =
		"the plan file is missing or not valid: pods that are not attached (N013), and policies and Services that do not fit, are not found";
	found->evidence = arena_printf(&f->arena, "%s", path);
	found->fix = "weir load -f MANIFESTS --node NODE";
}

#define LARGER                                                                                           \
	"; or weir load --rebuild -f MANIFESTS --node NODE with a larger --scale-tables, --scale-tries " \
	"or --scale-arrays"

static const char *needs_text(struct findings *f, const char *of, enum weir_map table,
			      uint64_t need, uint64_t size)
{
	_cleanup_(mem_free) char *text = plan_needs_text(of, table, need, size);

	return arena_strdup(&f->arena, text);
}

static void add_closed(const struct plan_closed *c, struct findings *f)
{
	struct finding *found = finding_add(f, FINDING_N022, SEVERITY_ERROR);
	const char *direction = c->direction == KUBE_INGRESS ? "ingress" : "egress";

	found->text = arena_printf(
		&f->arena,
		"NetworkPolicy %s does not fit: all %s traffic of the pods that it selects is dropped",
		c->policy, direction);
	found->evidence = needs_text(f, "policies", c->table, c->need, c->size);
	found->fix = "give the policy fewer rules, ipBlocks or ports" LARGER;
}

static void add_left_out(const struct plan_left_out *l, struct findings *f)
{
	struct finding *found = finding_add(f, FINDING_N024, SEVERITY_ERROR);

	found->text = arena_printf(
		&f->arena, "Service %s does not fit, and is not served: connections to it are %s",
		l->service, l->known ? "refused" : "routed like any other");
	found->evidence = needs_text(f, "Services", l->table, l->need, l->size);
	found->fix = "give the Services of its namespace fewer ports or endpoints" LARGER;
}

void check_plan(const struct live *l, struct findings *f)
{
	_cleanup_(plan_unfit_free) struct plan_unfit unfit = {};

	live_unfit(l, &unfit);
	if (live_lacks_plan(l))
		add_missing(l, f);
	for (size_t i = 0; i < unfit.n_closed; i++)
		add_closed(&unfit.closed[i], f);
	for (size_t i = 0; i < unfit.n_left_out; i++)
		add_left_out(&unfit.left_out[i], f);
}
