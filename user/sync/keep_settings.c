// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See keep_settings.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instance.h"
#include "sync/keep_settings.h"

static char *record_path(const struct node *n)
{
	return mem_printf("%s/" INSTANCE_SETTINGS, node_run_dir(n));
}

/* ---- What the maps have ---- */

static bool has_sizes(const struct node *n, enum weir_knob knob, const char *percent)
{
	struct node_setup asked = {};

	sizes_scale(&asked, knob, strtoul(percent, NULL, 10));
	for (int i = 0; i < _WEIR_MAP_MAX; i++)
		if (asked.max[i] && asked.max[i] != node_map_max(n, i))
			return false;
	return true;
}

static bool has_hairpin(const struct node *n, int family, const char *value)
{
	char text[ADDR_TEXT_MAX];

	return !strcmp(value, addr_text(&node_config(n)->hairpin[family], text));
}

static bool in_force(const struct node *n, const struct setting_row *row)
{
	const bool always = node_config(n)->echo == WEIR_ECHO_ALWAYS;

	switch (row->id) {
	case SETTING_HAIRPIN_V4:
	case SETTING_HAIRPIN_V6:
		return has_hairpin(n, row->id - SETTING_HAIRPIN_V4, row->value);
	case SETTING_SCALE_TABLES:
	case SETTING_SCALE_TRIES:
	case SETTING_SCALE_ARRAYS:
	case SETTING_SCALE_FLOWS:
		return has_sizes(n, WEIR_KNOB_TABLES + (row->id - SETTING_SCALE_TABLES),
				 row->value);
	case SETTING_ECHO:
		return !strcmp(row->value, always ? "always" : "policy");
	default:
		return true;
	}
}

void settings_kept(const struct node *n, struct settings_record *ret_record)
{
	_cleanup_(settings_record_free) struct settings_record all = {};
	_cleanup_(mem_free) char *path = record_path(n);
	struct settings_record r = {};

	settings_record_read(path, &all);
	for (size_t i = 0; i < all.n; i++)
		if (in_force(n, &all.rows[i]))
			settings_record_add(&r, all.rows[i].id, all.rows[i].value,
					    all.rows[i].from);
	*ret_record = r;
}

/* ---- What the load gave ---- */

/* "--echo", "/etc/weir/weir.yaml:3"; the path is absolute. */
static char *from_text(const struct settings *s, enum setting id)
{
	const struct setting_source *source = &s->source[id];
	_cleanup_(mem_free) char *path = NULL;

	if (source->origin == SETTING_BY_OPTION)
		return mem_printf("--%s", setting_info(id)->option);
	path = realpath(source->src.file, NULL);
	return mem_printf("%s:%d", path ?: source->src.file, source->src.line);
}

static void add_given(struct settings_record *r, const struct settings *s, enum setting id)
{
	_cleanup_(mem_free) char *value = setting_text(s, id), *from = from_text(s, id);

	if (strcmp(value, setting_info(id)->otherwise))
		settings_record_add(r, id, value, from);
}

int settings_keep(const struct node *n, const struct settings *s, struct weir_err *err)
{
	_cleanup_(settings_record_free) struct settings_record before = {}, now = {};
	_cleanup_(mem_free) char *path = record_path(n);
	int r;

	settings_kept(n, &before);
	for (int id = 0; id < _SETTING_MAX; id++) {
		const struct setting_row *old = settings_record_find(&before, id);

		if (setting_given(s, id))
			add_given(&now, s, id);
		else if (old && setting_info(id)->fixed)
			settings_record_add(&now, id, old->value, old->from);
	}
	r = settings_record_write(path, &now, err);
	if (r)
		unlink(path);
	return r;
}
