/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rows of figures: every value that was measured goes to NAME.raw.csv, median and spread to
 * NAME.csv, in the folder of $BENCH_OUT (none: only the latter, to standard output). What is
 * measured, and how, is not known here.
 */
#pragma once

#include <stddef.h>

/* Opens the files of one program. 0 or -errno, after saying why. */
int rows_open(const char *name);
void rows_close(void);

/* A row in the making. Texts must hold no comma and outlive it. */
struct row {
	const char *work, *variant; /* what is measured; how, or by whom */
	char size[96]; /* of what: services, addresses, sets, flows, … */
	const char *unit;
	const char *aim; /* "<= 0.1", ">= 1.00"; "": a peer, or a figure beside */
	double *values;
	size_t n, cap;
	double *medians; /* of the groups that ended */
	size_t n_medians, cap_medians, first; /* value of the group at hand */
};

void row_add(struct row *r, double value);
/*
 * What was added since the last call was one load, or one run: the row's median is that over the
 * groups' medians.
 */
void row_group(struct row *r);
double row_median(struct row *r); /* ends the group at hand; the row has values */
/* Writes it out and frees its values; nothing for a row without values. */
void row_end(struct row *r);
