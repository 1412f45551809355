// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See record.h. Rows of keys that this version does not have are left out. */
#include <string.h>

#include "base/emit.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/json.h"
#include "settings/record.h"

#define KIND "Settings"

void settings_record_add(struct settings_record *r, enum setting id, const char *value,
			 const char *from)
{
	if (r->n < _SETTING_MAX)
		r->rows[r->n++] = (struct setting_row){ id, arena_strdup(&r->arena, value),
							arena_strdup(&r->arena, from) };
}

const struct setting_row *settings_record_find(const struct settings_record *r, enum setting id)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].id == id)
			return &r->rows[i];
	return NULL;
}

void settings_record_read(const char *path, struct settings_record *ret_record)
{
	_cleanup_(mem_free) char *text = file_text(path);
	_cleanup_(json_close) struct json doc = {};
	struct settings_record r = {};
	struct json_value list;

	if (text && !json_open(&doc, path, text, KIND, NULL)) {
		list = json_list(json_root(&doc), "items");
		for (size_t i = 0; i < json_count(list); i++) {
			struct json_value item = json_item(list, i);
			int id = setting_find(json_text(item, "key"));

			if (id >= 0)
				settings_record_add(&r, id, json_text(item, "value"),
						    json_text(item, "from"));
		}
	}
	if (doc.r)
		settings_record_free(&r);
	*ret_record = r;
}

int settings_record_write(const char *path, const struct settings_record *r, struct weir_err *err)
{
	_cleanup_(mem_free) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct emit e = {};

	emit_open(&e, out);
	emit_list_begin(&e, KIND);
	for (size_t i = 0; i < r->n; i++) {
		emit_item_begin(&e);
		emit_text(&e, "key", setting_info(r->rows[i].id)->key);
		emit_text(&e, "value", r->rows[i].value);
		emit_text(&e, "from", r->rows[i].from);
		emit_item_end(&e);
	}
	emit_list_end(&e);
	emit_close(&e);
	fclose(out);
	return file_write(path, INSTANCE_FILE_MODE, text, len, err);
}

void settings_record_free(struct settings_record *r)
{
	arena_free(&r->arena);
	*r = (struct settings_record){};
}
