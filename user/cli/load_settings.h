/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The settings of a load: options over --config over the default file. Says what is wrong. */
#pragma once

#include "cli/options.h"
#include "cli/talk.h"
#include "kube/codes.h"
#include "settings/settings.h"

/*
 * What the option of a setting says: number of a PERCENT, list of DEVICES, else text. 0, empty and
 * NULL: not given.
 */
struct setting_option {
	const char *text;
	uint32_t number;
	struct option_list list;
};

/* config: of --config, or NULL. options: by enum setting. Returns enum exit_status. */
int load_settings(const struct common_options *c, const char *config,
		  const struct setting_option options[_SETTING_MAX], struct settings *ret_settings);

/*
 * Refuses a value that was given, for what is on this node: names the option, or the file with
 * position and code. Returns the exit status.
 */
int load_settings_refuse(const struct settings *s, enum setting id, enum kube_code code,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
