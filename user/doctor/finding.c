// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See finding.h. */
#include <stdlib.h>

#include "doctor/finding.h"

const char *const severity_names[] = { "info", "warning", "error", NULL };

static const struct {
	const char *name, *title;
} codes[] = {
#define FINDING_ROW(code, title) [FINDING_##code] = { #code, title },
	FINDINGS(FINDING_ROW)
#undef FINDING_ROW
};

const char *finding_name(enum finding_code code)
{
	return codes[code].name;
}

const char *finding_title(enum finding_code code)
{
	return codes[code].title;
}

struct finding *finding_add(struct findings *f, enum finding_code code, enum severity severity)
{
	struct finding *item = VEC_ADD(f->items, f->n, f->cap);

	*item = (struct finding){ .code = code, .severity = severity, .text = codes[code].title };
	return item;
}

static int by_rank(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	return x->severity != y->severity ? (int)y->severity - (int)x->severity
					  : (int)x->code - (int)y->code;
}

void findings_sort(struct findings *f)
{
	if (f->n)
		qsort(f->items, f->n, sizeof(*f->items), by_rank);
}

void findings_free(struct findings *f)
{
	arena_free(&f->arena);
	free(f->items);
	*f = (struct findings){};
}
