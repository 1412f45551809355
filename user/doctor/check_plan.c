// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N021, N022: that the plan file tells something, and which policies did not fit. See device.h. */
#include "doctor/device.h"

static void add_missing(const struct live *l, struct findings *f)
{
	_cleanup_(mem_free) char *path = live_file(l, INSTANCE_PLAN, l->generation);
	struct finding *found = finding_add(f, FINDING_N021, SEVERITY_ERROR);

	found->text =
		"the plan file is missing or not valid: pods that are not attached (N013) and policies that do not fit are not found";
	found->evidence = arena_printf(&f->arena, "%s", path);
	found->fix = "weir load -f MANIFESTS --node NODE";
}

static void add_closed(const struct plan_closed *c, struct findings *f)
{
	struct finding *found = finding_add(f, FINDING_N022, SEVERITY_ERROR);
	const char *direction = c->direction == KUBE_INGRESS ? "ingress" : "egress";

	found->text = arena_printf(
		&f->arena,
		"NetworkPolicy %s does not fit: all %s traffic of the pods that it selects is dropped",
		c->policy, direction);
	found->evidence = live_closed_text(c, &f->arena);
	found->fix =
		"give the policy fewer rules, ipBlocks or ports; or weir load --rebuild -f MANIFESTS --node NODE with a larger --scale-tables, --scale-tries or --scale-arrays";
}

void check_plan(const struct live *l, struct findings *f)
{
	_cleanup_(mem_free) struct plan_closed *closed = NULL;
	size_t n = live_closed(l, &closed);

	if (live_lacks_plan(l))
		add_missing(l, f);
	for (size_t i = 0; i < n; i++)
		add_closed(&closed[i], f);
}
