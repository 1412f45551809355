// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N006, N010, N011: how full the tables are, gc, and the switch of enforcement. See device.h. */
#include "doctor/device.h"
#include "inspect/fill.h"

static void check_fill(const struct live *l, enum weir_map map, struct findings *f)
{
	int percent = live_percent(l, map);
	struct finding *found;

	if (percent <= LIVE_FILL_WARN_PERCENT)
		return;
	found = finding_add(f, FINDING_N006, SEVERITY_WARNING);
	found->text = arena_printf(&f->arena, "table %s is %d %% full; when it is full: %s",
				   map_info(map)->name, percent, map_info(map)->full_text);
	found->evidence = arena_printf(&f->arena, "%lld of %u entries", live_fill(l, map),
				       node_map_max(l->node, map));
	found->fix =
		"weir uninstall, then weir load with a larger --scale-tables, -tries, -arrays or -flows";
}

void check_tables(const struct live *l, struct findings *f)
{
	struct finding *found;

	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		check_fill(l, i, f);
	if (node_no_gc(l->node)) {
		found = finding_add(f, FINDING_N010, SEVERITY_WARNING);
		found->text =
			"connections that are over are not swept: they stay until the room is needed";
		found->evidence = arena_strdup(&f->arena, node_no_gc(l->node));
		found->fix =
			"weir load again; on a PREEMPT_RT kernel there is none: size conntrack for it";
	}
	if (node_config(l->node)->enforcement != WEIR_ENFORCE_ON) {
		found = finding_add(f, FINDING_N011, SEVERITY_WARNING);
		found->text = "enforcement is off: what policies deny passes";
		found->evidence = "config.enforcement = off";
		found->fix = "weir enforce on";
	}
}
