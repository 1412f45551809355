// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See status_settings.h. */
#include <stdio.h>

#include "cli/status_settings.h"
#include "sync/keep_settings.h"

void status_settings_print(const struct live *l)
{
	_cleanup_(settings_record_free) struct settings_record r = {};

	settings_kept(l->node, &r);
	for (size_t i = 0; i < r.n; i++)
		printf("%-13s %s: %s, from %s\n", i ? "" : "settings",
		       setting_info(r.rows[i].id)->key, r.rows[i].value, r.rows[i].from);
}

void status_settings_emit(struct emit *e, const struct live *l)
{
	_cleanup_(settings_record_free) struct settings_record r = {};

	settings_kept(l->node, &r);
	emit_array(e, "settings");
	for (size_t i = 0; i < r.n; i++) {
		emit_map(e, NULL);
		emit_text(e, "key", setting_info(r.rows[i].id)->key);
		emit_text(e, "value", r.rows[i].value);
		emit_text(e, "from", r.rows[i].from);
		emit_map_end(e);
	}
	emit_array_end(e);
}
