/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The configuration files of an instance: which they are, who may write them. Changes nothing. */
#pragma once

#include "settings/settings.h"

#define SETTINGS_FOLDER "/etc/weir"
#define SETTINGS_FILE_MAX ((size_t)1 << 20) /* bytes; a larger file is refused */

/* "/etc/weir/weir.yaml", "/etc/weir/weir-NAME.yaml". The caller owns it. */
char *settings_default_path(const char *instance);

/*
 * These add errors of the content to diags and return 0, or return -errno with err set when there
 * is no content: -EACCES, -EPERM: not permitted; others: it is missing, too large or no file.
 */
int settings_read_file(struct settings *s, const char *path, struct diag_list *diags,
		       struct weir_err *err);
/*
 * The default file: none at all is no error. One that others than root may change is refused: it
 * decides for the whole node.
 */
int settings_read_default(struct settings *s, const char *path, struct diag_list *diags,
			  struct weir_err *err);
/* settings_check_ports() with the ports of this network namespace. */
void settings_check_node(const struct settings *s, struct diag_list *diags);
