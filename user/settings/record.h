/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The settings of the last load that are not the defaults, and where they came from: the file
 * "settings" in the run folder. It is for people: nothing decides by it.
 */
#pragma once

#include "settings/settings.h"

struct setting_row {
	enum setting id;
	const char *value; /* as setting_text() */
	const char *from; /* "--echo", "/etc/weir/weir.yaml:3" */
};

struct settings_record {
	struct arena arena;
	struct setting_row rows[_SETTING_MAX]; /* in the order of the table */
	size_t n;
};

/* All texts are copied. */
void settings_record_add(struct settings_record *r, enum setting id, const char *value,
			 const char *from);
/* Or NULL. */
const struct setting_row *settings_record_find(const struct settings_record *r, enum setting id);
/* No row if the file is missing or not valid. */
void settings_record_read(const char *path, struct settings_record *ret_record);
int settings_record_write(const char *path, const struct settings_record *r, struct weir_err *err);
void settings_record_free(struct settings_record *r); /* also for _cleanup_() */
