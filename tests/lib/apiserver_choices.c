// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See apiserver_choices.h. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lib/apiserver_choices.h"

/* One error. Patterns are those of fnmatch(); the path is without indexes and keys in brackets. */
struct choice {
	const char *path, *message, *reason;
};

/* What only the API server refuses. */
static const struct choice server_only[] = {};

/* What only Weir refuses; message: the code, a blank and the message. */
static const struct choice weir_only[] = {};

static bool matches(const struct choice *choices, size_t n, const char *path, const char *message)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(choices[i].path, path, 0) && !fnmatch(choices[i].message, message, 0))
			return true;
	return false;
}

/* "spec.ports[0].name" to "spec.ports.name". */
static char *without_brackets(const char *path)
{
	char *plain = mem_strdup(path), *to = plain;
	int depth = 0;

	for (; *path; path++) {
		depth += *path == '[';
		if (!depth)
			*to++ = *path;
		depth -= *path == ']' && depth;
	}
	*to = 0;
	return plain;
}

/* One line: the path, a tab, the message. */
static bool is_choice_of_server(char *line)
{
	char *tab = strchr(line, '\t');
	_cleanup_(mem_free) char *path = NULL;

	*tab = 0;
	path = without_brackets(line);
	return matches(server_only, ARRAY_SIZE(server_only), path, tab + 1);
}

bool apiserver_choice_of_server(const char *said)
{
	_cleanup_(mem_free) char *copy = mem_strdup(said);
	char *rest = copy, *line;
	bool all = true;

	while (all && (line = strsep(&rest, "\n")))
		all = !*line || is_choice_of_server(line);
	return all;
}

bool apiserver_choice_of_weir(const struct diag_list *diags)
{
	bool all = true;

	for (size_t i = 0; all && i < diags->n; i++) {
		const struct diag *d = &diags->items[i];
		_cleanup_(mem_free) char *path = without_brackets(d->path ? d->path : "");
		_cleanup_(mem_free) char *message =
			mem_printf("%s %s", d->code ? d->code : "", d->message);

		all = d->level != DIAG_ERROR ||
		      matches(weir_only, ARRAY_SIZE(weir_only), path, message);
	}
	return all;
}

bool apiserver_choice_of_values(const char *weir, const char *server)
{
	return false;
}
