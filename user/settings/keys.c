// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The table of settings as data. See keys.h. */
#include <string.h>

#include "settings/settings.h"

#define FIXED_EACH_LOAD false
#define FIXED_CREATION true
#define SERVED_SERVED true
#define SERVED_NOT_SERVED false

#define X_INFO(id, member, key_, type_, values_, otherwise_, when, state, option_, text_) \
	[SETTING_##id] = {                                                                \
		.key = (key_),                                                            \
		.values = (values_),                                                      \
		.otherwise = (otherwise_),                                                \
		.option = (option_),                                                      \
		.text = (text_),                                                          \
		.type = SETTING_TYPE_##type_,                                             \
		.fixed = FIXED_##when,                                                    \
		.served = SERVED_##state,                                                 \
		.offset = offsetof(struct settings, member),                              \
	},
static const struct setting_info infos[] = { SETTINGS(X_INFO) };
#undef X_INFO

const struct setting_info *setting_info(enum setting id)
{
	return &infos[id];
}

int setting_find(const char *key)
{
	for (int id = 0; id < _SETTING_MAX; id++)
		if (!strcmp(infos[id].key, key))
			return id;
	return -1;
}

bool setting_is_group(const char *key)
{
	size_t len = strlen(key);

	for (int id = 0; len && id < _SETTING_MAX; id++)
		if (!strncmp(infos[id].key, key, len) && infos[id].key[len] == '.')
			return true;
	return false;
}
