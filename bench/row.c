// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Rows of figures as CSV. See row.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "row.h"

static FILE *table, *raw;

static FILE *open_in(const char *folder, const char *name, const char *suffix)
{
	_cleanup_(mem_free) char *path = mem_printf("%s/%s%s", folder, name, suffix);
	FILE *f = fopen(path, "we");

	if (!f)
		fprintf(stderr, "bench: write %s: %s\n", path, strerror(errno));
	return f;
}

int rows_open(const char *name)
{
	const char *folder = getenv("BENCH_OUT");

	if (folder && !*folder)
		folder = NULL;
	table = folder ? open_in(folder, name, ".csv") : stdout;
	raw = folder ? open_in(folder, name, ".raw.csv") : NULL;
	if (!table || (folder && !raw))
		return -EIO;
	fputs("work,variant,size,median,min,max,unit,aim\n", table);
	if (raw)
		fputs("work,variant,size,load,round,value,unit\n", raw);
	return 0;
}

void rows_close(void)
{
	if (raw)
		fclose(raw);
	if (table && table != stdout)
		fclose(table);
}

void row_add(struct row *r, double value)
{
	*VEC_ADD(r->values, r->n, r->cap) = value;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void row_group(struct row *r)
{
	if (r->first == r->n)
		return;
	for (size_t i = r->first; raw && i < r->n; i++)
		fprintf(raw, "%s,%s,%s,%zu,%zu,%.6g,%s\n", r->work, r->variant, r->size,
			r->n_medians, i - r->first, r->values[i], r->unit);
	*VEC_ADD(r->medians, r->n_medians, r->cap_medians) =
		median(r->values + r->first, r->n - r->first);
	r->first = r->n;
}

double row_median(struct row *r)
{
	row_group(r);
	return median(r->medians, r->n_medians);
}

void row_end(struct row *r)
{
	double middle;

	if (!r->n)
		return;
	middle = row_median(r);
	qsort(r->values, r->n, sizeof(*r->values), by_value);
	fprintf(table, "%s,%s,%s,%.6g,%.6g,%.6g,%s,%s\n", r->work, r->variant, r->size, middle,
		r->values[0], r->values[r->n - 1], r->unit, r->aim);
	fflush(table);
	free(r->values);
	free(r->medians);
	*r = (struct row){};
}
