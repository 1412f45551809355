/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files that hold no objects but what objects are made from: those of kustomize and of Helm. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct other_file {
	const char *what; /* "a kustomization" */
	const char *command; /* what prints its objects; %s is the folder that it is in */
};

/* By the last part of a path; NULL: a manifest, as far as the name tells. */
const struct other_file *other_file_find(const char *name);
bool other_file_makes_chart(const char *name); /* the folder of this file is a chart */
/*
 * A file without objects that belongs to a chart: a values file by its name (values.yaml,
 * values-prod.yaml, prod-values.yaml), or any inside of a chart (questions.yaml), except templates.
 * NULL: none; so is all that has an apiVersion.
 */
const struct other_file *other_file_of_chart(const char *name, bool in_chart, const char *data,
					     size_t len);
/* The command for a file at path. The caller frees it. */
char *other_file_command(const struct other_file *o, const char *path);

/*
 * Finds the first action of a Helm template, {{ … }}, and its position. sure: it uses values of a
 * chart or release; else any line or value that begins with an action.
 */
bool template_find(const char *data, size_t len, bool sure, int *ret_line, int *ret_col);
/* The folder of the chart that path is a template of. The caller frees it; "CHART" if unknown. */
char *template_chart(const char *path);
