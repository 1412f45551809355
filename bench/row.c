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

	table = folder ? open_in(folder, name, ".csv") : stdout;
	raw = folder ? open_in(folder, name, ".raw.csv") : NULL;
	if (!table || (folder && !raw))
		return -EIO;
	fputs("work,variant,size,median,min,max,unit,aim\n", table);
	if (raw)
		fputs("work,variant,size,round,value,unit\n", raw);
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

double row_median(struct row *r)
{
	qsort(r->values, r->n, sizeof(*r->values), by_value);
	return r->n % 2 ? r->values[r->n / 2] : (r->values[r->n / 2 - 1] + r->values[r->n / 2]) / 2;
}

void row_end(struct row *r)
{
	double median;

	if (!r->n)
		return;
	for (size_t i = 0; raw && i < r->n; i++)
		fprintf(raw, "%s,%s,%s,%zu,%.6g,%s\n", r->work, r->variant, r->size, i, r->values[i], r->unit);
	median = row_median(r);
	fprintf(table, "%s,%s,%s,%.6g,%.6g,%.6g,%s,%s\n", r->work, r->variant, r->size, median, r->values[0],
		r->values[r->n - 1], r->unit, r->aim);
	fflush(table);
	free(r->values);
	r->values = NULL;
	r->n = r->cap = 0;
}
