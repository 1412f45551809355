// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The instance of --name. See loaded.h. */
#include "cli/loaded.h"

void loaded_note_names(const struct live *l, const struct common_options *c)
{
	_cleanup_(mem_free) char *path = live_file(l, INSTANCE_PLAN, l->generation);

	if (live_lacks_plan(l))
		cli_note(c, "%s is missing or unreadable: ids are shown instead of names", path);
}

int loaded_open(struct live *l, const struct common_options *c)
{
	struct weir_err err = {};
	int r = live_open(l, c->name, &err);

	if (r)
		return cli_fail_err(r, &err);
	loaded_note_names(l, c);
	return EXIT_OK;
}

void loaded_check(const struct live *l, const struct common_options *c)
{
	if (live_was_replaced(l))
		cli_note(
			c,
			"generation %llu was replaced while it was read: the output may mix two generations",
			(unsigned long long)l->generation);
}
