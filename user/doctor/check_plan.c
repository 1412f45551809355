// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N021: what the plan file tells, and that it tells something. See device.h. */
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

void check_plan(const struct live *l, struct findings *f)
{
	if (live_lacks_plan(l))
		add_missing(l, f);
}
