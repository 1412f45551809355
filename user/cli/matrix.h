/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The report as a matrix of letters: a row for each source, a column for each destination, a block
 * for each port.
 */
#pragma once

#include "cli/output.h"
#include "analyze/report.h"

struct matrix;

struct matrix *matrix_new(const struct report *r);
int matrix_add(const struct report_item *item, void *matrix); /* for report_each(); returns 0 */
void matrix_print(const struct matrix *m, const struct style *s, FILE *out);
void matrix_free(struct matrix **m); /* also for _cleanup_() */
