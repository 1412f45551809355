// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* N006, N010, N011: table fill, gc, and whether policies are enforced. See device.h. */
#include "doctor/device.h"
#include "inspect/fill.h"

static void check_fill(const struct live *l, enum weir_map map, struct findings *f)
{
	int percent = live_percent(l, map);
	struct finding *found;

	if (percent <= LIVE_FILL_WARN_PERCENT)
		return;
	found = finding_add(f, FINDING_N006, SEVERITY_WARNING);
	found->text = arena_printf(&f->arena, "table %s is %d %% full; at 100 %%: %s",
				   map_info(map)->name, percent, map_info(map)->full_text);
	found->evidence = arena_printf(&f->arena, "%lld of %u entries", live_fill(l, map),
				       node_map_max(l->node, map));
	found->fix =
		"weir load --rebuild -f MANIFESTS --node NODE with a larger --scale-tables, --scale-tries, --scale-arrays or --scale-flows";
}

void check_tables(const struct live *l, struct findings *f)
{
	struct finding *found;

	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		check_fill(l, i, f);
	if (node_no_gc(l->node)) {
		found = finding_add(f, FINDING_N010, SEVERITY_WARNING);
		found->text =
			"gc is not running: entries of ended connections stay until new ones need their room";
		found->evidence = arena_strdup(&f->arena, node_no_gc(l->node));
		found->fix =
			"weir load -f MANIFESTS --node NODE; a PREEMPT_RT kernel cannot run gc: enlarge conntrack by --scale-flows";
	}
	if (node_config(l->node)->enforcement != WEIR_ENFORCE_ON) {
		found = finding_add(f, FINDING_N011, SEVERITY_WARNING);
		found->text = "enforcement is off: policies are not enforced";
		found->evidence = "config.enforcement = off";
		found->fix = "weir enforce on";
	}
}
