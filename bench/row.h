/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rows of figures: every measured value goes to NAME.raw.csv, median and spread to NAME.csv, in the
 * folder $BENCH_OUT; without it NAME.csv goes to standard output. Measures nothing.
 */
#pragma once

#include <stddef.h>

/* Opens the files of one program. 0 or -errno, with a message on stderr. */
int rows_open(const char *name);
void rows_close(void);

/* A row. Its texts have no comma and outlive it. */
struct row {
	const char *work, *variant; /* what is measured; by which implementation or how */
	char size[96]; /* numbers of Services, addresses, sets, flows, … */
	const char *unit;
	const char *aim; /* "<= 0.1", ">= 1.00"; "": none */
	double *values;
	size_t n, cap;
	double *medians; /* of the groups that ended */
	size_t n_medians, cap_medians;
	size_t first; /* index in values of the current group */
};

void row_add(struct row *r, double value);
/*
 * Ends a group: the values since the last call, of one load or run. The row's median is the median
 * of its groups' medians.
 */
void row_group(struct row *r);
double row_median(struct row *r); /* ends the current group; the row must have values */
/* Writes the row and frees its values. A row without values is not written. */
void row_end(struct row *r);
