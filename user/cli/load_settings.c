// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The settings of a load. See load_settings.h. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "cli/load_settings.h"
#include "settings/settings_file.h"

/* A file that only root may read is not a wrong one: root is what is missing. */
static int fail_file(int error, const struct weir_err *err)
{
	if ((error == -EACCES || error == -EPERM) && geteuid())
		return cli_fail_err(error, err);
	return cli_fail(EXIT_INPUT, "load: %s", err->text);
}

static int read_files(const struct common_options *c, const char *config, struct settings *s,
		      struct diag_list *diags)
{
	_cleanup_(mem_free) char *path = settings_default_path(c->name);
	struct weir_err err = {};
	int r = settings_read_default(s, path, diags, &err);

	if (!r && config)
		r = settings_read_file(s, config, diags, &err);
	settings_check_node(s, diags);
	cli_diags(c, diags);
	if (r)
		return fail_file(r, &err);
	if (diags->errors)
		return cli_fail(EXIT_INPUT, "%zu %s in the configuration; nothing was done",
				diags->errors, diags->errors == 1 ? "error" : "errors");
	return EXIT_OK;
}

static int take_option(struct settings *s, enum setting id, const struct setting_option *o)
{
	_cleanup_(mem_free) char *number = o->number ? mem_printf("%u", o->number) : NULL;
	const char *text = number ?: o->text;
	struct weir_err err = {};

	if ((text && settings_option(s, id, text, &err)) ||
	    (o->list.n && settings_option_list(s, id, o->list.items, o->list.n, &err)))
		return cli_fail(EXIT_USAGE, "load: %s", err.text);
	return EXIT_OK;
}

int load_settings(const struct common_options *c, const char *config,
		  const struct setting_option options[_SETTING_MAX], struct settings *ret_settings)
{
	_cleanup_(settings_free) struct settings s = {};
	struct diag_list diags = {};
	int status = EXIT_OK;

	settings_init(&s);
	status = read_files(c, config, &s, &diags);
	diag_free(&diags);
	for (int id = 0; !status && id < _SETTING_MAX; id++)
		status = take_option(&s, id, &options[id]);
	if (!status) {
		*ret_settings = s;
		s = (struct settings){};
	}
	return status;
}

int load_settings_refuse(const struct settings *s, enum setting id, enum kube_code code,
			 const char *fmt, ...)
{
	const struct setting_info *info = setting_info(id);
	_cleanup_(mem_free) char *text = NULL;
	struct diag_list diags = {};
	va_list ap;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (s->source[id].origin != SETTING_BY_FILE)
		return cli_fail(EXIT_USAGE, "load: --%s: %s", info->option, text);
	diag_add(&diags, DIAG_ERROR, kube_code_text(code), &s->source[id].src, NULL, info->key,
		 "%s", text);
	diag_print(&diags, stderr);
	diag_free(&diags);
	return EXIT_INPUT;
}
