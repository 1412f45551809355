// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Messages, errors and exit statuses. See talk.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/talk.h"

static void __attribute__((format(printf, 2, 0)))
say(const char *level, const char *fmt, va_list ap)
{
	fprintf(stderr, "weir: %s", level);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int cli_fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
	return status;
}

void cli_note(const struct common_options *c, const char *fmt, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

int cli_warn_input(const struct common_options *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c->strict ? "error: " : "warning: ", fmt, ap);
	va_end(ap);
	return c->strict ? EXIT_INPUT : EXIT_OK;
}

void cli_diags(const struct common_options *c, const struct diag_list *list)
{
	diag_print_from(list, c->quiet ? DIAG_WARNING : DIAG_NOTE, stderr);
}

int cli_unexpected(const char *command, const char *argument, bool takes_files)
{
	if (takes_files)
		return cli_fail(EXIT_USAGE,
				"%s: unexpected argument '%s': give manifests with -f PATH",
				command, argument);
	return cli_fail(EXIT_USAGE, "%s: unexpected argument '%s'; see 'weir help %s'", command,
			argument, command);
}

int cli_status_of(int error)
{
	switch (abs(error)) {
	case 0:
		return EXIT_OK;
	case ENOENT:
	case EPERM:
	case EACCES:
	case EPROTO:
	case EXDEV:
		return EXIT_REACH;
	case EBUSY:
	case ETIMEDOUT:
	case EINTR:
		return EXIT_TIMEOUT;
	case EINVAL:
		return EXIT_INPUT;
	default:
		return EXIT_KERNEL;
	}
}

static const char *running; /* NULL before a verb is known */

void cli_set_verb(const char *name)
{
	running = name;
}

static bool lacks_root(int error)
{
	return (abs(error) == EPERM || abs(error) == EACCES) && geteuid();
}

int cli_fail_err(int error, const struct weir_err *err)
{
	_cleanup_(mem_free) char *text =
		err->text[0] ? mem_strdup(err->text)
			     : mem_printf("%s (%s)", strerror(abs(error)), err_name(error));

	if (lacks_root(error))
		fprintf(stderr, "weir%s%s: needs root: %s; try sudo\n", running ? " " : "",
			running ?: "", text);
	else
		fprintf(stderr, "weir: %s\n", text);
	return cli_status_of(error);
}

bool cli_output_is(const struct common_options *c, const char *form)
{
	return c->output && !strcmp(c->output, form);
}

bool cli_json(const struct common_options *c)
{
	return cli_output_is(c, "json");
}
