// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What does not fit the tables, for people and for another compilation. See plan.h. */
#include <stdlib.h>
#include <string.h>

#include "compile/plan.h"

struct plan_unfit plan_unfit_of(const struct plan *p)
{
	return (struct plan_unfit){ p->closed, p->left_out, p->n_closed, p->n_left_out };
}

bool plan_is_left_out(const struct plan *p, const char *ns, const char *service)
{
	size_t len = strlen(ns);

	for (size_t i = 0; i < p->n_left_out; i++) {
		const char *text = p->left_out[i].service;

		if (!strncmp(text, ns, len) && text[len] == '/' && !strcmp(text + len + 1, service))
			return true;
	}
	return false;
}

size_t plan_unfit_count(const struct plan_unfit *u)
{
	return u->n_closed + u->n_left_out;
}

void plan_unfit_free(struct plan_unfit *u)
{
	free(u->closed);
	free(u->left_out);
	*u = (struct plan_unfit){};
}

char *plan_needs_text(const char *of, enum weir_map table, uint64_t need, uint64_t size)
{
	const char *name = plan_table_name(table);

	if (!name)
		return mem_printf("all %s need %llu steps to compile, of %llu", of,
				  (unsigned long long)need, (unsigned long long)size);
	if (need <= size)
		return mem_printf(
			"old and new entries of map %s do not fit together, of %llu; 'weir load --rebuild' "
			"begins with empty tables",
			name, (unsigned long long)size);
	return mem_printf("all %s need %llu entries of map %s, of %llu", of,
			  (unsigned long long)need, name, (unsigned long long)size);
}
