// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See other_files.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/doc.h"
#include "kube/other_files.h"

static const struct other_file kustomization = { "a kustomization", "kubectl kustomize %s" };
static const struct other_file chart = { "part of a Helm chart", "helm template %s" };

static const struct {
	const char *name;
	const struct other_file *file;
} names[] = {
	{ "kustomization.yaml", &kustomization },
	{ "kustomization.yml", &kustomization },
	{ "Kustomization", &kustomization },
	{ "Chart.yaml", &chart },
};

const struct other_file *other_file_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i].name))
			return names[i].file;
	return NULL;
}

/* What a file is, as far as its documents tell. */
struct look {
	bool has_object, broken;
};

static void look_at_document(const struct doc_node *root, void *arg)
{
	struct look *l = arg;

	l->has_object |= root->type == DOC_MAP && doc_get(root, "apiVersion");
}

static void look_at_error(const struct doc_error *e, void *arg)
{
	struct look *l = arg;

	l->broken |= !e->warning;
}

/* Read as manifests are: a policy must not be passed over for the way in which it is written. */
static bool has_api_version(const char *data, size_t len)
{
	static const char key[] = "apiVersion";
	struct look l = {};
	char *copy;
	bool named;

	doc_read(data, len, look_at_document, look_at_error, &l);
	if (l.has_object || !l.broken)
		return l.has_object;
	copy = doc_decode_text(&data, &len);
	named = memmem(data, len, key, strlen(key));
	free(copy);
	return named;
}

bool other_file_makes_chart(const char *name)
{
	return other_file_find(name) == &chart;
}

const struct other_file *other_file_of_chart(const char *name, bool in_chart, const char *data,
					     size_t len)
{
	bool part = in_chart || !strncmp(name, "values", 6) || strstr(name, "-values.");

	return part && !has_api_version(data, len) ? &chart : NULL;
}

char *other_file_command(const struct other_file *o, const char *path)
{
	const char *slash = strrchr(path, '/'), *hole = strstr(o->command, "%s");
	int before = hole - o->command;

	if (!slash)
		return mem_printf("%.*s.%s", before, o->command, hole + 2);
	return mem_printf("%.*s%.*s%s", before, o->command, (int)(slash - path), path, hole + 2);
}

/* ---- Templates ---- */

/* Inside of {{ … }}: what only a chart has. */
static bool uses_chart(const char *action, size_t len)
{
	static const char *const marks[] = { ".Values", ".Release", ".Chart", ".Capabilities",
					     "include \"" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (memmem(action, len, marks[i], strlen(marks[i])))
			return true;
	return false;
}

/* Where a line or an unquoted value begins. */
static bool begins_value(const char *data, const char *at)
{
	while (at > data && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == data || strchr("\n:-", at[-1]);
}

static void position_of(const char *data, const char *at, int *ret_line, int *ret_col)
{
	*ret_line = *ret_col = 1;
	for (const char *p = data; p < at; p++) {
		*ret_col = *p == '\n' ? 1 : *ret_col + (((unsigned char)*p & 0xc0) != 0x80);
		*ret_line += *p == '\n';
	}
}

bool template_find(const char *data, size_t len, bool sure, int *ret_line, int *ret_col)
{
	const char *end = data + len, *at = data, *close;

	while ((at = memmem(at, end - at, "{{", 2))) {
		close = memmem(at, end - at, "}}", 2);
		if (!close)
			return false;
		if (sure ? uses_chart(at, close - at) : begins_value(data, at)) {
			position_of(data, at, ret_line, ret_col);
			return true;
		}
		at = close + 2;
	}
	return false;
}

char *template_chart(const char *path)
{
	const char *templates = strstr(path, "/templates/");

	if (templates && templates > path)
		return mem_strndup(path, templates - path);
	return mem_strdup(!strncmp(path, "templates/", 10) ? "." : "CHART");
}
